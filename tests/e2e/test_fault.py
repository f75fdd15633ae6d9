"""A bug of ours takes nothing with it, and is told in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
