"""Reloads, with eyes that an honest second try would have: the negative control of W's faults.

naive_watching.py events|times [--build LINE] APP-LINE

events: what the package watchfiles tells of a .py file is a change, and nothing else is.
times: now and then it looks whether any .py file is newer than all were.
Neither looks into tmp.
"""

import argparse
import os
import signal
import subprocess
import time

import watchfiles


def events():
    for found in watchfiles.watch(".", watch_filter=counts, debounce=20, step=10):
        yield min(path for _, path in found)


def counts(_, path):
    return path.endswith(".py") and "/./tmp/" not in path


def times():
    newest = max(of_all())
    while True:
        time.sleep(0.05)
        if (now := max(of_all())) > newest:
            newest = now
            yield "something"


def of_all():
    for folder, _, names in os.walk(".", followlinks=True):
        for name in names if folder != "./tmp" else ():
            if name.endswith(".py"):
                yield os.stat(os.path.join(folder, name)).st_mtime_ns


def start():
    if args.build:
        subprocess.run(args.build.split(), check=True)
    return subprocess.Popen(args.line.split(), stdin=subprocess.DEVNULL)


def stop():
    app.terminate()
    app.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("eyes", choices=("events", "times"))
    parser.add_argument("--build")
    parser.add_argument("line")
    args = parser.parse_args()
    os.makedirs("tmp", exist_ok=True)
    app = start()
    signal.signal(signal.SIGTERM, lambda *_: (stop(), os._exit(0)))
    for changed in {"events": events, "times": times}[args.eyes]():
        print("change", changed, flush=True)
        stop()
        app = start()
