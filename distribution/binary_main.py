"""The start of the directory without Python: what a Python interpreter would do for reloader.

PyInstaller's loader leaves words of its own in the environment, which an app must never see; and
reloader's guardian starts `sys.executable -I -S -B -c CODE ARGS…`, which is this program.
"""

import os
import sys


def _restore_environment() -> None:
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    elif os.environ.get("LD_LIBRARY_PATH") == getattr(sys, "_MEIPASS", ""):
        del os.environ["LD_LIBRARY_PATH"]


def _main() -> int:
    _restore_environment()
    if sys.argv[1:5] == ["-I", "-S", "-B", "-c"]:
        code, sys.argv = sys.argv[5], ["-c", *sys.argv[6:]]
        exec(code, {"__name__": "__main__"})
        return 0
    from reloader.__main__ import main

    return main()


if __name__ == "__main__":
    sys.exit(_main())
