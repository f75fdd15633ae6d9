"""The floor: what a save costs when nothing is decided. `python -IS floor.py FOLDER COMMAND…`

A blocking read of inotify, then kill, wait and spawn. No filter, no burst, no new folders.
"""

import ctypes
import os
import signal
import sys

IN_MOVED_TO = 0x80

folder, command = sys.argv[1], sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)
inotify = libc.inotify_init1(os.O_CLOEXEC)
if libc.inotify_add_watch(inotify, os.fsencode(folder), IN_MOVED_TO) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
child = os.posix_spawn(command[0], command, os.environ)
while True:
    os.read(inotify, 65536)
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
    child = os.posix_spawn(command[0], command, os.environ)
