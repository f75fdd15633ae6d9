"""Plays the app or the build of a fault; copied into the project by `Rig.edit`.

Each fact is one JSON line in the file that APP_LOG names. A lock held for life makes a second app,
or a second build, note CLASH.
"""

import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

ROLE = "app"
VERSION = "1"
MODE = "plain"
LOG = os.environ["APP_LOG"]
SLEEP = ["sleep", "1000"]


def note(what, **more):
    line = {"what": what, "role": ROLE, "version": VERSION, "pid": os.getpid(), **more}
    with open(LOG, "ab", buffering=0) as log:
        log.write(json.dumps(line).encode() + b"\n")


def be_the_only_one():
    lock = os.open(f"{LOG}.{ROLE}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note("CLASH")


def asked(number, _frame):
    note(signal.Signals(number).name)
    if MODE == "ignore" or number == signal.SIGUSR1:
        return
    if MODE == "patient":  # needs a second in which it runs
        for _ in range(20):
            time.sleep(0.05)
    if MODE == "slow-stdin":
        time.sleep(0.5)  # and does not read meanwhile
    if MODE == "slow":
        signal.signal(signal.SIGALRM, lambda *_: finish())
        signal.setitimer(signal.ITIMER_REAL, 1)
        return
    finish()


def finish():
    note("END")
    os._exit(0)


def daemon(what="DAEMON"):
    """Twice forked, in a session of its own. True: this is the daemon."""
    if os.fork():
        os.wait()
        return False
    os.setsid()
    if os.fork():
        os._exit(0)
    note(what)
    return True


def in_a_daemon(work):
    if daemon():
        work()
        os._exit(0)


def sleep_long():
    os.execvp(SLEEP[0], SLEEP)


def persist():
    """As gradle's or dmypy's: it is meant to outlive the build, and whoever ran that."""
    if daemon():
        environ = {n: v for n, v in os.environ.items() if n != "TEST_RUN_COOKIE"}
        os.execvpe(SLEEP[0], SLEEP, environ)


def become_another():
    """A child that nobody but root may signal."""
    if not (pid := os.fork()):
        os.setresuid(12345, 12345, 12345)
        sleep_long()
    note("CHILD", child=pid)


def turn_into_another():
    """All that we are is another user's."""
    os.setresuid(12345, 12345, 12345)
    sleep_long()


def hold_port():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(("127.0.0.1", int(os.environ["APP_PORT"])))
        server.listen()
    except OSError:
        note("TAKEN")
    else:
        note("BOUND")
    signal.pause()


def orphans():
    """Twenty children that we never waited for come to whoever adopts them, and end."""
    for _ in range(20):
        if not os.fork():
            if not os.fork():
                time.sleep(0.2)
                note("GONE")
            os._exit(0)
        os.wait()


def child(**popen):
    note("CHILD", child=subprocess.Popen(SLEEP, **popen).pid)


def type_in():
    note("READ", line=input("name? "))


def sizes(read):
    def resized(*_):
        note("SIZE", size=list(os.get_terminal_size(0)))

    signal.signal(signal.SIGWINCH, resized)
    if read:
        input()


def dots():
    os.write(1, b"...")
    note("DOTS")


def debug():
    word = "sesame"  # noqa: F841
    breakpoint()  # noqa: T100
    note("RESUMED")


def raw():
    import tty

    tty.setraw(0)
    os.write(1, b"\x1b[?25l")
    note("RAW")


def framed(parts):
    sys.stdout.flush()
    os.write(1, b"<<<")
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(1, rest) :]
    os.write(1, b">>>\n")
    note("WRITTEN")


def flood():
    block = b"x" * 1023 + b"\n"
    while True:
        os.write(1, block * 64)


def alternate():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    note("READY")
    signal.sigwait({signal.SIGUSR1})
    for number in range(100):
        os.write(1, b"o%d\n" % number)
        os.write(2, b"e%d\n" % number)
    note("WRITTEN")


def kinds():
    """What the first three descriptors are; None: closed."""

    def kind(number):
        try:
            return os.fstat(number).st_mode & 0o170000
        except OSError:
            return None

    note("KINDS", kinds=[kind(n) for n in range(3)], terminals=[os.isatty(n) for n in range(3)])


def eat_memory():
    hoard = []
    while True:
        hoard.append(b"x" * (1 << 20))


def environ():
    with open(LOG + ".environ", "wb") as dump:
        dump.write(b"\0".join(n + b"=" + v for n, v in sorted(os.environb.items())))
    note("ENVIRON", argv=[os.fsencode(word).hex() for word in sys.argv[1:]])


MODES = {
    "orphans": orphans,
    "daemon": lambda: in_a_daemon(sleep_long),
    "port": lambda: in_a_daemon(hold_port),
    "detach": lambda: (in_a_daemon(sleep_long), os._exit(0)),
    "bg": lambda: (child(), os._exit(0)),
    "held": lambda: (child(), os._exit(4)),
    "group": lambda: child(preexec_fn=os.setpgrp),
    "other": become_another,
    "turn": turn_into_another,
    "crash": lambda: os._exit(3),
    "stdin": type_in,
    "slow-stdin": type_in,
    "size": lambda: sizes(read=False),
    "size-read": lambda: sizes(read=True),
    "dots": dots,
    "pdb": debug,
    "raw": raw,
    "prompt": lambda: os.write(1, b"prompt> "),
    "long": lambda: framed([b"y" * (1 << 20)] * 64),
    "bytes": lambda: framed([random.Random(4).randbytes(1 << 16).replace(b">>>", b"...")]),
    "flood": flood,
    "alternate": alternate,
    "kinds": kinds,
    "oom": eat_memory,
    "environ": environ,
}


def app():
    for name in ("TERM", "INT", "HUP", "USR1", "QUIT"):
        signal.signal(getattr(signal, f"SIG{name}"), asked)
    note("START", args=sys.argv[1:])
    if MODE == "pdb":
        signal.signal(signal.SIGINT, signal.default_int_handler)
    MODES.get(MODE, lambda: None)()
    while True:
        signal.pause()


def flood():
    for _ in range(200):
        os.write(1, b"x" * (1 << 20))


def generate():
    with open("generated.py", "w") as generated:
        generated.write(f"SOURCE = {VERSION}")


WORK = {"persist": persist, "flood": flood, "generate": generate}  # of a build


def build():
    note("START")
    if MODE in {"hang", "deaf"}:
        if MODE == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child()
        in_a_daemon(sleep_long)
        time.sleep(1000)
    if MODE == "slow":  # also to end: the next one is not to begin before
        signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), os._exit(1)))
    if MODE.startswith("exit"):
        os._exit(int(MODE[4:]))
    if MODE.startswith("kill"):
        os.kill(os.getpid(), int(MODE[4:]))
    WORK.get(MODE, lambda: None)()
    if MODE != "nothing":
        shutil.copy("app.py", "tmp/app.py")
    if MODE == "slow":
        time.sleep(0.5)  # what changes now is not in the build
    note("END")


if __name__ == "__main__":
    be_the_only_one()
    build() if ROLE == "build" else app()
