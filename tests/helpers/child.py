"""A child for the process tests: does what its arguments say, one after the other.

say TEXT        one line on stdout: "TEXT PID"
loud NAMES      says "got NAME" for each of these signals, and lives on
deaf NAMES      ignores them
ends NAME       exits with 0 when it gets this signal, having said "bye"
input           reads lines and says "line TEXT" until there are no more
raw             takes a terminal's keys one by one, unseen, with its signals
efface          overwrites its environment, as nginx does
fork [VERBS]    a child does the verbs
group [VERBS]   a child in a process group of its own
daemon [VERBS]  forks twice, in a session of its own
storm           forks until it is stopped, each child in a session of its own
pause           for ever
user UID        becomes this user
exit CODE
die NAME        by this signal
"""

import ctypes
import os
import resource
import signal
import sys
import termios


def say(text):
    os.write(1, f"{text} {os.getpid()}\n".encode())


def numbers(names):
    return [getattr(signal, f"SIG{name}") for name in names.split(",")]


def loud(names):
    for number in numbers(names):
        signal.signal(number, lambda n, _: say(f"got {signal.Signals(n).name[3:]}"))


def deaf(names):
    for number in numbers(names):
        signal.signal(number, signal.SIG_IGN)


def bye(*_):
    say("bye")
    os._exit(0)


def read_lines():
    for line in sys.stdin:
        say(f"line {line.strip()}")


def raw():
    modes = termios.tcgetattr(0)
    modes[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(0, termios.TCSANOW, modes)


def efface():
    # proc_pid_stat(5): env_start is field 50, env_end 51
    with open("/proc/self/stat", "rb") as file:
        start, end = map(int, file.read().rsplit(b")", 1)[1].split()[47:49])
    ctypes.memset(start, 0, end - start)


def nested(verbs, where):
    """Does the verbs up to the closing bracket in a child, and gives the rest."""
    depth, inner = 1, []
    assert verbs.pop(0) == "["
    while depth:
        verb = verbs.pop(0)
        depth += {"[": 1, "]": -1}.get(verb, 0)
        inner.append(verb)
    if os.fork() == 0:
        if where == "group":
            os.setpgid(0, 0)
        if where == "daemon":
            os.setsid()
            if os.fork():
                os._exit(0)
        do(inner[:-1])
        os._exit(0)


def storm():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    most = int(os.environ["STORM"])
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    alive = os.open(os.environ["STORM_COUNT"], os.O_WRONLY | os.O_APPEND)
    while True:
        if os.fstat(alive).st_size < most:
            os.write(alive, b".")
            if os.fork() == 0:
                os.setsid()
        else:
            signal.pause()


def do(verbs):
    while verbs:
        verb = verbs.pop(0)
        if verb in ("fork", "group", "daemon"):
            nested(verbs, verb)
        elif verb == "efface":
            efface()
        elif verb == "ends":
            signal.signal(*numbers(verbs.pop(0)), bye)
        elif verb == "input":
            read_lines()
        elif verb == "raw":
            raw()
        elif verb == "storm":
            storm()
        elif verb == "pause":
            while True:
                signal.pause()
        elif verb == "user":
            os.setresuid(*[int(verbs.pop(0))] * 3)
        elif verb == "exit":
            os._exit(int(verbs.pop(0)))
        elif verb == "die":
            (number,) = numbers(verbs.pop(0))
            signal.signal(number, signal.SIG_DFL) if number not in (9, 19) else None
            os.kill(os.getpid(), number)
        else:
            {"say": say, "loud": loud, "deaf": deaf}[verb](verbs.pop(0))


if __name__ == "__main__":
    do(sys.argv[1:])
