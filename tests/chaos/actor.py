"""A build or an app of a random session: `actor.py build|app`, as the saved source says.

The source is one line, "VERSION BUILD APP"; the build copies it, the app runs the copy. Each holds
a lock while it lives, so that two at once are noted as a CLASH.
"""

import fcntl
import os
import signal
import sys
import time

ROLE, LOG = sys.argv[1], os.environ["CHAOS_LOG"]
SOURCE, BUILT = "src.txt", "tmp/built.txt"


def note(what: str, version: str) -> None:
    line = f"{time.monotonic():.3f} {ROLE} {what} {version} {os.getpid()}\n"
    descriptor = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def read(path: str) -> tuple[str, str, str]:
    try:
        with open(path) as file:
            version, build, app = file.read().split()
    except (OSError, ValueError):  # it is being saved
        return "?", "ok", "plain"
    return version, build, app


def lock(version: str) -> int:
    place = os.path.basename(os.getcwd())
    descriptor = os.open(f"{LOG}.{place}.{ROLE}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        note("CLASH", version)
    return descriptor


def daemon(held: int) -> bool:
    """True in a process of a session of its own, without the lock."""
    if os.fork():
        os.wait()
        return False
    os.setsid()
    if os.fork():
        os._exit(0)
    os.close(held)
    return True


def sleep_for_ever() -> None:
    while True:
        time.sleep(1000)


def build() -> None:
    version, mode, app = read(SOURCE)
    held = lock(version)
    note("START", version)
    if mode == "slow":
        time.sleep(0.3)
    if mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode in {"hang", "deaf"}:
        daemon(held)
        sleep_for_ever()
    if mode == "fail":
        sys.exit(3)
    if mode == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode == "writes":  # what is watched, with a date in it
        os.makedirs("lib", exist_ok=True)
        with open("lib/generated.txt", "w") as file:
            file.write(f"{time.time_ns()}")
    with open(BUILT + ".new", "w") as file:
        file.write(f"{version} {mode} {app}\n")
    os.rename(BUILT + ".new", BUILT)
    note("BUILT", version)


def app() -> None:  # noqa: C901 -- one for each mode
    version, _, mode = read(BUILT)
    held = lock(version)

    def end(*_: object) -> None:
        if mode == "slow":
            time.sleep(0.2)
        note("END", version)
        os._exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "deaf" else end)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    note("START", version)
    print(f"app {version} " + "x" * 200 + " end", flush=True)
    if mode == "crash":
        os._exit(3)
    if mode in {"daemon", "leaves"} and daemon(held):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        sleep_for_ever()
    if mode == "leaves":
        os._exit(0)
    if mode == "group" and os.fork() == 0:
        os.setpgid(0, 0)
        os.close(held)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "storm":
        for _ in range(30):
            if os.fork() == 0:
                os.close(held)
                time.sleep(0.05)
                os._exit(0)
    sleep_for_ever()


build() if ROLE == "build" else app()
