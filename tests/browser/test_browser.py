"""A real browser before a real run: what a person sees."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Chromium, program
from tests.e2e.test_proxy import Site
from tests.helpers.until import until

if TYPE_CHECKING:
    from tests.helpers.project import Project

pytestmark = pytest.mark.browser

BODY = """<title>VERSION</title><link rel=stylesheet href=/style.css>
<h1>VERSION</h1><form><input name=a id=a><input type=password id=p><input type=checkbox id=c>
<select id=s><option>1<option>2</select><textarea id=t></textarea></form>
<div style="height:3000px">tall</div>"""
APP = """\
import http.server
PORT = int(open("port").read())
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        css = self.path.startswith("/style.css")
        body = open("style.css", "rb").read() if css else PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/css" if css else "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        for field in FIELDS:
            self.send_header(*field)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""
OVERLAY = "document.querySelector('reloader-overlay')"
SHOWN = f"{OVERLAY} && {OVERLAY}.shadowRoot.textContent"


class Shop(Site):
    """A site of pages with a form."""

    def save(self, version: str, boot: float = 0.0, fields: list[tuple[str, str]] = ()) -> None:
        page = "<!doctype html><html><head>" + BODY.replace("VERSION", version)
        self.project.save("app.py", f"PAGE = {page!r}\nFIELDS = {list(fields)!r}\n" + APP)


@pytest.fixture(scope="module")
def chromium():
    if not program():
        pytest.skip("no Chromium is installed: make test-browser installs one")
    it = Chromium()
    yield it
    it.close()


@pytest.fixture
def shop(project: Project, free_port: int) -> Shop:
    """Behind the proxy, with its first version up."""
    project.write("style.css", "h1 { color: rgb(1, 2, 3) }")
    it = Shop(project, free_port)
    it.save("one")
    it.run().wait_for("app.ready")
    return it


@pytest.fixture
def page(chromium, shop):
    it = chromium.page(shop.url)
    it.wait("document.title === 'one'")
    yield it
    it.close()


def connected(shop: Shop, tabs: int) -> None:
    until(lambda: json.loads(shop.ask("/__reloader/status")[1])["tabs"] == tabs)


def test_a_save_changes_the_page(shop, page):
    """The new version is on the screen without a key being pressed."""
    connected(shop, 1)
    for version in ("two", "three"):
        shop.save(version)
        page.wait(f"document.title === '{version}'")


def test_what_was_typed_is_kept(shop, page):
    """Fields, focus, cursor and scroll survive; a password does not."""
    connected(shop, 1)
    page.run(
        "a.value = 'typed'; p.value = 'secret'; c.checked = true; s.selectedIndex = 1;"
        "t.value = 'x\\ny';"
        "a.focus(); a.setSelectionRange(2, 2); scrollTo(0, 700)"
    )
    shop.save("two")
    page.wait("document.title === 'two'")
    page.wait("scrollY === 700")
    seen = page.run(
        "[a.value, p.value, c.checked, s.selectedIndex, t.value,"
        " document.activeElement.id, a.selectionStart]"
    )
    assert seen == ["typed", "", True, 1, "x\ny", "a", 2]


def test_a_stylesheet_is_swapped(project, free_port, chromium):
    """The new colour is there and the page has not been loaded again."""
    project.write("style.css", "h1 { color: rgb(1, 2, 3) }")
    rule = "[[build.rules]]\nname = 'css'\ninclude_ext = ['css']\nthen = 'browser'\n"
    shop = Shop(project, free_port, rule)
    shop.save("one")
    run = shop.run()
    run.wait_for("app.ready")
    run.wait_for("watch.started", after=0)
    page = chromium.page(shop.url)
    connected(shop, 1)
    page.run("window.kept = true")
    color = "getComputedStyle(document.querySelector('h1')).color"
    assert page.run(color) == "rgb(1, 2, 3)"
    project.save("style.css", "h1 { color: rgb(4, 5, 6) }")
    page.wait(f"{color} === 'rgb(4, 5, 6)'")
    page.wait("document.querySelectorAll('link[rel=stylesheet]').length === 1")
    assert page.run("window.kept") is True
    assert len(run.events("app.started")) == 1
    page.close()


def test_a_crash_is_shown_and_goes_with_the_fix(shop, page):
    """A card in the corner opens on demand, Escape closes it, and the fix takes it away."""
    connected(shop, 1)
    shop.project.save("app.py", "raise SystemExit('<b>broken</b>')")
    page.wait(SHOWN)
    text = page.run(SHOWN)
    assert "the app ended: exit 1" in text
    assert page.run("document.title") == "one", "the page stays usable"
    page.run(f"{OVERLAY}.shadowRoot.querySelector('button').click()")
    page.wait(f"{OVERLAY}.shadowRoot.querySelector('[role=dialog]')!== null")
    page.key("Escape")
    page.wait(f"{OVERLAY} === null")
    shop.save("mended")
    page.wait("document.title === 'mended'")
    assert page.run(OVERLAY) is None


def test_a_page_opened_while_broken_comes_back(shop, chromium):
    """A tab that comes late sees what broke, and the app as soon as it is mended."""
    shop.project.save("app.py", "raise SystemExit(3)")
    shop.run_.wait_for("app.exited")
    page = chromium.page(shop.url)
    page.wait(SHOWN)
    assert "exit 3" in page.run("document.body.textContent")
    shop.save("back")
    page.wait("document.title === 'back'")
    page.close()


def test_ten_tabs_are_live(shop, chromium):
    """More tabs than a browser opens connections to a host; the hidden ones when they are shown."""
    pages = [chromium.page(shop.url) for _ in range(10)]
    connected(shop, 10)
    shop.save("two")
    for page in pages:
        page.show()
        page.wait("document.title === 'two'")
    for page in pages:
        page.close()


@pytest.mark.parametrize(
    "policy",
    [
        "default-src 'self'",
        "default-src 'none'",
        "script-src 'sha256-abc'; connect-src https://api.example",
        "script-src-elem 'none'",
        "script-src 'unsafe-inline'",
        "script-src 'nonce-abc' 'strict-dynamic'",
        "connect-src 'none'",
        "require-trusted-types-for 'script'; style-src 'none'",
    ],
)
def test_a_policy_does_not_stop_it(project, free_port, chromium, policy):
    """Under each of these policies the page is loaded again and shows what broke."""
    project.write("style.css", "")
    shop = Shop(project, free_port)
    shop.save("one", fields=[("Content-Security-Policy", policy)])
    shop.run().wait_for("app.ready")
    page = chromium.page(shop.url)
    connected(shop, 1)
    shop.save("two", fields=[("Content-Security-Policy", policy)])
    page.wait("document.title === 'two'")
    connected(shop, 1)
    project.save("app.py", "raise SystemExit(3)")
    page.wait(SHOWN)
    page.close()


def test_back_shows_the_new_version(shop, page):
    """A page that the browser has kept is loaded again if it is of an older version."""
    connected(shop, 1)
    page.go(shop.url + "/other")
    shop.save("two")
    page.wait("document.title === 'two'")
    page.run("history.back()")
    page.wait("location.pathname === '/' && document.title === 'two'")


def test_another_site_reads_nothing(shop, chromium):
    """A page of another origin gets neither the channel nor the status, nor does anything."""
    import http.server

    class Evil(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>evil</title>")

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = chromium.page(f"http://127.0.0.1:{server.server_port}/")
    opens = (
        "new Promise(done => { const s = new WebSocket('%s');"
        " s.onmessage = () => done('heard'); s.onerror = () => done('refused'); })"
    )
    target = shop.url.replace("http", "ws") + "/__reloader/events"
    assert page.run(opens % target) == "refused"
    read = "fetch('%s/__reloader/status').then(r => r.text()).then(() => 'read', () => 'refused')"
    assert page.run(read % shop.url) == "refused"
    ask = (
        "fetch('%s/__reloader/do/restart', {method: 'POST', headers: {'X-Reloader': '1'}})"
        ".then(() => 'done', () => 'refused')"
    )
    assert page.run(ask % shop.url) == "refused"
    page.close()
    own = chromium.page(shop.url)  # the control: the page's own origin
    assert own.run(opens % target) == "heard"
    assert own.run(read % "") == "read"
    own.close()
    assert shop.run_.events("app.stopped") == []
    server.shutdown()
    server.server_close()


def test_the_dashboard(shop, chromium):
    """It shows the versions and the reloads, and its keys work."""
    page = chromium.page(shop.url + "/__reloader/")
    page.wait("document.getElementById('state').textContent === 'live'")
    shop.save("two")
    page.wait("document.querySelectorAll('#chart rect').length === 2")
    assert "app.py" in page.run("document.getElementById('reloads').textContent")
    page.key("r")
    shop.run_.wait_for("app.ready", generation=3)
    page.wait("document.getElementById('generations').textContent.startsWith('3')")
    page.close()
