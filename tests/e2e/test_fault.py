"""A bug of ours takes nothing with it, and is told in a sentence."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios
from pathlib import Path

from tests.helpers.until import until

BROKEN = """
import sys
from reloader.core import machine
from reloader.core.messages import ProcessStarted
real = machine.announce_start
def broken(proc):
    real(proc)
    raise RuntimeError("a bug")
machine.announce_start = broken
from reloader.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_fault_of_ours(tmp_path: Path) -> None:
    """The app is ended, the status is 70, and the traceback lies in a file that is named."""
    code = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    app = f'{sys.executable} -c "{code}; import time; time.sleep(100)"'
    done = subprocess.run(
        (sys.executable, "-c", BROKEN, "run", "--build.bin", app),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    (log,) = tmp_path.glob("reloader-*.log")
    assert str(log) in done.stderr
    assert "a bug" in log.read_text()
    pid = tmp_path / "pid"
    if pid.exists():  # it had the time to begin
        stat = Path(f"/proc/{pid.read_text()}/stat")
        assert not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


BROKEN_KEYS = """
import sys
from reloader.process.keys import Keys
def broken(*_):
    raise RuntimeError("a bug")
Keys.typed = broken
from reloader.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_fault_of_ours_at_a_terminal(tmp_path: Path) -> None:
    """It has its modes back."""
    keyboard, terminal = os.openpty()
    modes = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        (sys.executable, "-c", BROKEN_KEYS, "run", "--build.bin", "sleep 1000"),
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        **dict.fromkeys(("stdin", "stdout", "stderr"), terminal),
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- it has none
    )
    until(lambda: termios.tcgetattr(terminal) != modes)
    os.write(keyboard, b"r")
    assert process.wait(10) == 70
    assert termios.tcgetattr(terminal) == modes
    os.close(keyboard)
    os.close(terminal)
