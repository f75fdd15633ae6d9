"""B: builds that fail, hang, are overtaken by a save, or find no folder to write to."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import json
import shutil
import signal
import sys
from typing import TYPE_CHECKING

from tests.faults import proc
from tests.faults.catalogue import fault
from tests.faults.output import Reader
from tests.faults.processes import SHEBANG

if TYPE_CHECKING:
    from tests.faults.rig import Rig


def started(rig: Rig, build: str = "plain") -> None:
    rig.want.wants_build()
    rig.start(build=build)


@fault("one build")
def fault_B01(rig: Rig) -> None:
    """Saves in the middle of slow builds: never two builds at once, and the last version runs."""
    started(rig)
    for _ in range(4):
        version = rig.edit(build="slow")
        rig.noted("START", role="build", version=version)
    rig.noted("START", role="app", version=version)


@fault(quick=True)
def fault_B02(rig: Rig) -> None:
    """A save ends the build under way with all that it has started, then one new build runs."""
    started(rig)
    rig.edit(build="hang")
    left = rig.noted("CHILD", role="build")["child"], rig.noted("DAEMON", role="build")["pid"]
    rig.converge()
    assert not any(map(proc.lives, left))
    assert len(rig.lines("START", role="build", version=str(rig.version))) == 1


@fault(quick=True)
def fault_B03(rig: Rig) -> None:
    """A failed build is told and leaves the running app alone."""
    started(rig)
    app = rig.lines("START", role="app")[0]["pid"]
    version = rig.edit(build="exit1")
    build = rig.noted("START", role="build", version=version)["pid"]
    rig.gone(build)
    rig.told(r"failed: exit 1")
    assert proc.lives(app)
    assert not rig.lines("SIGTERM")


@fault(quick=True)
def fault_B04(rig: Rig) -> None:
    """When the very first build fails it waits; the save that mends it starts the app."""
    rig.want.wants_build()
    rig.edit(build="exit1")
    rig.launch()
    rig.gone(rig.noted("START", role="build")["pid"])
    rig.settle()
    rig.told(r"failed: exit 1")
    rig.converge()


@fault(quick=True)
def fault_B05(rig: Rig) -> None:
    """A build that hangs and ignores SIGTERM is ended by the next save in bounded time."""
    started(rig)
    rig.edit(build="deaf")
    rig.noted("DAEMON", role="build")
    rig.converge(within=max(4, rig.tool.patience / 4))


@fault()
def fault_B06(rig: Rig) -> None:
    """A build that writes 200 MB costs us no memory, and all of it comes through."""
    reader = Reader(rig)
    rig.want.wants_build()
    rig.edit(build="flood")
    rig.launch(stdout=reader.writer)
    reader.go()
    rig.noted("START", role="app")
    assert proc.kilobytes(rig.pid, "VmHWM") < 60_000
    rig.until(lambda: reader.size >= 200 << 20, what="200 MB")


@fault("hook time", peers=False)
def fault_B07(rig: Rig) -> None:
    """A failed pre_cmd is a failed build; a post_cmd that hangs is cut after five seconds, once."""
    rig.want.toml = (
        "pre_cmd = [\"sh -c 'test ! -e bad.py || exit 9'\"]\n"
        "post_cmd = [\"sh -c 'echo post >> ../post; exec sleep 1000'\"]\n"
    )
    started(rig)
    (rig.folder / "bad.py").touch()
    rig.told(r"failed: exit 9")
    assert len(rig.lines("START", role="app")) == 1
    rig.stop(within=9)
    rig.told(r"took too long")
    assert (rig.folder.parent / "post").read_text() == "post\n"


@fault(quick=True)
def fault_B08(rig: Rig) -> None:
    """A build that succeeds and makes nothing is told; the next one that makes it is run."""
    rig.want.wants_build()
    rig.want.app = ["tmp/app.py"]
    rig.edit(build="nothing")
    rig.launch()
    rig.noted("END", role="build")
    rig.told(r"tmp/app\.py")
    rig.settle()
    rig.version += 1
    rig.save("build.py", rig.script("build", "plain"))
    rig.save("app.py", SHEBANG + rig.script("app", "plain"), 0o755)
    rig.noted("START", role="app", version=str(rig.version))


@fault(quick=True)
def fault_B09(rig: Rig) -> None:
    """A save is lost in no state: while the build, the start or the stop is under way."""
    started(rig)
    version = rig.edit(build="slow")
    rig.noted("START", role="build", version=version)
    rig.converge("slow")
    rig.converge("slow")  # the app has just started
    rig.edit("slow")
    rig.noted("SIGTERM", role="app", version=str(rig.version - 1))
    rig.converge()


@fault(quick=True)
def fault_B11(rig: Rig) -> None:
    """A tmp_dir that was deleted is there again for the next build."""
    started(rig)
    shutil.rmtree(rig.folder / "tmp")
    rig.converge()


READ_ONLY = """mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@" """


@fault(needs=("unshare",))
def fault_B13(rig: Rig) -> None:
    """A read-only project and no folder for temporary files are no hindrance."""
    rig.env |= {"TMPDIR": "/nonexistent", "HOME": "/nonexistent"}
    rig.start("unshare", "-Urm", "sh", "-c", READ_ONLY, "sh")
    rig.converge()


@fault(quick=True)
def fault_B14(rig: Rig) -> None:
    """A second one in the same folder says so and ends with 3; after SIGKILL the place is free."""
    rig.start()
    first = rig.process
    assert first
    second = rig.launch()
    rig.until(lambda: second.poll() is not None, what="the second ends")
    assert second.returncode == 3 or not rig.tool.speaks
    rig.told(str(first.pid))
    assert len(rig.lines("START")) == 1
    first.send_signal(signal.SIGKILL)
    rig.gone(rig.lines("START")[0]["pid"])
    rig.start()


RULE = """
[[build.rules]]
name = "slow"
cmd = %s
include_ext = ["css"]
"""


@fault("rules apart", peers=False)
def fault_B16(rig: Rig) -> None:
    """A rule's command that hangs holds nothing up, and ends with reloader."""
    hang = f"{sys.executable} -c 'import time; time.sleep(1000)'"
    rig.want.toml = RULE % json.dumps(hang)
    started(rig)
    rig.save("style.css", "")
    rig.until(lambda: any("time.sleep(1000)" in w for w in rig.cookie.alive().values()))
    rig.converge()
