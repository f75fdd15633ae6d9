"""Plays the app or the build of an end-to-end test; copied into the project by `Project`.

Each fact is one JSON line in the file that APP_LOG names. A lock held for life makes a second app,
or a second build, note CLASH: so "never two at once" is checked by every test that runs.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

ROLE = "app"  # app | build
VERSION = "1"
MODE = "plain"
LOG = os.environ["APP_LOG"]


def note(what):
    line = {
        "what": what,
        "role": ROLE,
        "version": VERSION,
        "pid": os.getpid(),
        "args": sys.argv[1:],
        "cwd": os.getcwd(),
        "env": {name: value for name, value in os.environ.items() if name.startswith("APP_")},
    }
    with open(LOG, "ab", buffering=0) as log:
        log.write(json.dumps(line).encode() + b"\n")


def be_the_only_one():
    lock = os.open(f"{LOG}.{ROLE}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note("CLASH")


def asked_to_end(number, _frame):
    note(signal.Signals(number).name)
    if MODE == "slow":
        time.sleep(0.3)  # the work that has to be finished
    note("END")
    sys.exit(0)


def serve():
    sys.stdout.write(f"app {VERSION} says hello\n")
    sys.stdout.flush()
    while True:
        signal.pause()


def start_family():
    """Leaves a child in our group, and a deaf daemon that went to a session of its own."""
    subprocess.Popen(["sleep", "1000"])
    deaf = "trap '' TERM INT HUP; (sleep 1000 & sleep 1000) & sleep 1000"
    subprocess.Popen(["sh", "-c", deaf], start_new_session=True)


def app():
    handler = signal.SIG_IGN if MODE == "ignore" else asked_to_end
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)
    if MODE == "family":
        start_family()
    note("START")
    if MODE == "crash":
        raise RuntimeError(f"boom {VERSION}")
    if MODE == "once":
        sys.exit(0)
    serve()


def build():
    note("START")
    if MODE == "hang":
        start_family()
        time.sleep(1000)
    if MODE == "fail":
        sys.exit(f"build {VERSION}: no such thing")
    os.makedirs("tmp", exist_ok=True)
    shutil.copy("app.py", "tmp/app.py")
    note("COPIED")
    if MODE == "slow":
        time.sleep(0.3)  # what changes now is not in the build
    note("END")


be_the_only_one()
build() if ROLE == "build" else app()
