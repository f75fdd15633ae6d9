"""A shell with job control and nothing else: runs one job at the terminal it is given as 0, 1, 2.

Takes `fg`, `bg` from descriptor 3 and says on 4 what becomes of the job: "stopped SIGNAL",
"exited CODE AHEAD" (how many bytes typed ahead it finds then). First argument: `fg` or `bg`.
"""

import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios


def say(*words):
    os.write(4, (" ".join(map(str, words)) + "\n").encode())


def ahead():
    """Bytes that wait in the terminal, which the next command of a real shell would be."""
    return struct.unpack("i", fcntl.ioctl(0, termios.FIONREAD, bytes(4)))[0]


def main(where, argv):
    with contextlib.suppress(PermissionError):  # it leads one already
        os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.posix_spawn(
        argv[0], argv, os.environ, setpgroup=0, setsigdef=[signal.SIGTTOU], setsigmask=()
    )
    if where == "fg":
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(status):
            say("exited", os.waitstatus_to_exitcode(status), ahead())
            return
        say("stopped", os.WSTOPSIG(status))
        if os.read(3, 3) == b"fg\n":
            os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)


main(sys.argv[1], sys.argv[2:])
