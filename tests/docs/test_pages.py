"""Every command of the pages for users is run, and says what the page shows."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import venv

import pytest

from benchmarks import first_minutes
from reloader.config.load import Invocation, read
from tests.docs.pages import DOCS, ROOT, Player, blocks, with_free_ports

APP = "import signal\nprint('hello', flush=True)\nsignal.pause()\n"
QUICK = ("README.md", "docs/index.md", "docs/troubleshooting.md")
QUICK += ("docs/guides/several-apps.md", "docs/guides/agents.md")
# Page: what must be there; "pip": Flask and its like, installed once below the cache directory.
SLOW = {
    "docs/guides/fastapi.md": "pip",
    "docs/guides/flask.md": "pip",
    "docs/guides/django.md": "pip",
    "docs/guides/node.md": "node",
    "docs/guides/go.md": "go",
    "docs/guides/rust.md": "cargo",
}
# Servers whose port is no part of their sources.
PORTS = {"8000": "UVICORN_PORT", "5000": "FLASK_RUN_PORT"}


def test_every_page_for_users_is_played():
    """A new page is in one of the two lists."""
    found = {f"docs/guides/{path.name}" for path in (DOCS / "guides").glob("*.md")}
    assert found <= {*QUICK, *SLOW}


@pytest.mark.parametrize("page", QUICK)
def test_a_page(page, tmp_path):
    """It needs nothing but Python."""
    player = Player(tmp_path, [])
    if not any(block.title for block in blocks((ROOT / page).read_text())):
        player.save("app.py", APP)
    text, _ = with_free_ports((ROOT / page).read_text())
    player.play(text)


@pytest.mark.docs
@pytest.mark.parametrize("page", SLOW)
def test_a_page_with_packages(page, tmp_path):
    """It needs packages of Python, or a compiler."""
    need = SLOW[page]
    path = []
    if need == "pip":
        assert first_minutes.python_packages(), "packages can't be installed"
        path = [str(first_minutes.CACHE / "venv/bin")]
    elif shutil.which(need) is None:
        pytest.skip(f"no {need} here")
    text, ports = with_free_ports((ROOT / page).read_text())
    if "django" in page and not is_free(8000):
        pytest.skip("Django's port is in use")
    player = Player(tmp_path, path)
    player.env |= {name: ports[port] for port, name in PORTS.items() if port in ports}
    player.play(text)


@pytest.mark.docs
def test_the_ways_to_install(tmp_path):
    """docs/install.md and the README: with this checkout's wheel in place of the name."""
    line = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(line, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "tools", with_pip=True)
    pip = str(tmp_path / "tools/bin/pip")
    subprocess.run([pip, "install", "-q", "pipx", "uv"], check=True, timeout=200)
    home = tmp_path / "home"
    home.mkdir()
    env = {
        **Player(home, []).env,
        "PATH": f"{tmp_path}/tools/bin:/usr/bin:/bin",
        "HOME": str(home),
        "PIPX_HOME": str(home / "pipx"),
        "PIPX_BIN_DIR": str(home / "bin-pipx"),
        "UV_TOOL_DIR": str(home / "uv"),
        "UV_TOOL_BIN_DIR": str(home / "bin-uv"),
    }
    for page in ("README.md", "docs/install.md"):
        (commands,) = (
            it.body for it in blocks((ROOT / page).read_text()) if "pipx install" in it.body
        )
        for command in commands.splitlines():
            words = command.partition("#")[0].strip()
            # uvx takes a wheel by --from; the command's name is that of the distribution.
            words = re.sub(r"^uvx reloader-dev", f"uvx --from {wheel} reloader-dev", words)
            words = re.sub(r"install reloader-dev", f"install {wheel}", words)
            words = words.replace("pipx install", "pipx install --force")
            words = words.replace("uv tool install", "uv tool install --force")
            done = subprocess.run(
                ["sh", "-c", words], env=env, check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    for program in ("tools/bin", "home/bin-pipx", "home/bin-uv"):
        done = subprocess.run(
            [str(tmp_path / program / "reloader"), "--version"],
            env=env,
            check=True,
            capture_output=True,
        )
        assert done.stdout.startswith(b"reloader ")


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda p: p.name)
def test_every_config_can_be_used(path, tmp_path):
    """A block of TOML that has no title is a config without an error."""
    for number, block in enumerate(blocks(path.read_text())):
        if block.language == "toml" and not block.title:
            file = tmp_path / f"{number}.toml"
            file.write_text(block.body)
            problems = read(Invocation(str(file)), {}, str(tmp_path)).problems
            wrong = [it for it in problems if not it.text.startswith("nothing to run")]
            assert not wrong, f"{block.body}\n{wrong}"


def is_free(port: int) -> bool:
    with socket.socket() as it:
        return it.connect_ex(("127.0.0.1", port)) != 0
