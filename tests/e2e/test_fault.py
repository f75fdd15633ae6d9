"""A bug of ours takes nothing with it, and is told in a sentence."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

from tests.helpers.until import until

if TYPE_CHECKING:
    from pathlib import Path

BROKEN_KEYS = """
import sys
from reloader.terminal.keys import Keys
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
    try:
        until(lambda: termios.tcgetattr(terminal) != modes)
        # A key that comes before the terminal is all reloader's is forgotten, as it says.
        until(lambda: os.write(keyboard, b"r") and process.poll() is not None)
        assert process.returncode == 70
        assert termios.tcgetattr(terminal) == modes
    finally:
        process.kill()
        os.close(keyboard)
        os.close(terminal)
