"""Runs a Python program in a process that has grown big: `heavy.py [PYTHON] SCRIPT …`."""

import mmap
import runpy
import sys

SPACE, USED, PAGE = 64 << 30, 200 << 20, 4096
NO_RESERVE = 0x4000  # mmap(2)
NO_HUGE_PAGES = 15  # madvise(2): a copy of a few huge ones would cost nothing

ballast = mmap.mmap(-1, SPACE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE)
ballast.madvise(NO_HUGE_PAGES)
for place in range(0, USED, PAGE):
    ballast[place] = 1
sys.argv = [word for word in sys.argv[1:] if word != sys.executable]
sys.path[0] = ""
runpy.run_path(sys.argv[0], run_name="__main__")
