"""Reloads, naively: the negative control of the faults. Everything here is an honest first try.

naive.py [--build LINE] [--rerun] APP-LINE
"""

import argparse
import os
import select
import signal
import subprocess
import sys
import threading

parser = argparse.ArgumentParser()
parser.add_argument("--build")
parser.add_argument("--rerun", action="store_true")
parser.add_argument("line")
args = parser.parse_args()


def snapshot():
    return {name: os.stat(name).st_mtime_ns for name in os.listdir(".") if name.endswith(".py")}


def relay(app):
    for line in app.stdout:
        print(line, end="", flush=True)
    print("exit", app.wait(), flush=True)


def start():
    if args.build:
        done = subprocess.run(args.build.split(), check=True, stdout=subprocess.PIPE, text=True)
        print(done.stdout, end="", flush=True)
    print("run", args.line, flush=True)
    app = subprocess.Popen(
        args.line.split(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NAIVE": "1"},
    )
    threading.Thread(target=relay, args=[app], daemon=True).start()
    return app


def stop(app):
    app.terminate()
    app.wait()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(__doc__.splitlines()[0], os.getcwd().replace(os.environ["HOME"], "~"), flush=True)
os.makedirs("tmp", exist_ok=True)
app, seen = start(), snapshot()
try:
    while True:
        if select.select([sys.stdin], [], [], 0.05)[0] and sys.stdin.readline() == "q\n":
            break
        if changed := sorted(snapshot().items() - seen.items()):
            print("change", changed[0][0], flush=True)
            stop(app)
            app, seen = start(), snapshot()
        elif args.rerun and app.poll() is not None:
            app = start()
finally:
    stop(app)
