"""A child for the process tests: does what its arguments say, one after the other.

say TEXT        one line on stdout: "TEXT PID"
loud NAMES      says "got NAME" for each of these signals, and lives on
count           says "got" for each SIGRTMIN; those are queued, so none hides behind another
ends NAME       exits with 0 when it gets this signal, having said "bye"
deaf NAMES      ignores these signals
bare            goes on with no environment at all, as after env -i
efface          overwrites its environment, as nginx does
user UID        becomes this user
input           reads lines and says "line TEXT" until there are no more
raw             takes a terminal's keys one by one, unseen, with its signals
fork [ VERBS ]    a child does the verbs
group [ VERBS ]   a child in a process group of its own
daemon [ VERBS ]  forks twice, in a session of its own
storm           forks until it is stopped, each child in a session of its own
wait            until SIGUSR1 comes
pause           for ever
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


def count():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
    say("counts")
    while signal.sigwait({signal.SIGRTMIN}):
        say("got")


def ends(name):
    def bye(*_):
        say("bye")
        os._exit(0)

    signal.signal(*numbers(name), bye)


def deaf(names):
    for number in numbers(names):
        signal.signal(number, signal.SIG_IGN)


def efface():
    # proc_pid_stat(5): env_start is field 50, env_end 51
    with open("/proc/self/stat", "rb") as file:
        start, end = map(int, file.read().rsplit(b")", 1)[1].split()[47:49])
    ctypes.memset(start, 0, end - start)


def user(uid):
    os.setresuid(int(uid), int(uid), int(uid))


def read_lines():
    for line in sys.stdin:
        say(f"line {line.strip()}")


def raw():
    modes = termios.tcgetattr(0)
    modes[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(0, termios.TCSANOW, modes)


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


def wait():
    signal.sigwaitinfo({signal.SIGUSR1})  # unlike sigwait it lets handlers run


def pause():
    while True:
        signal.pause()


def leave(code):
    os._exit(int(code))


def die(name):
    (number,) = numbers(name)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def in_a_child(where, verbs):
    """Does the verbs up to the closing bracket in a child, and takes them away."""
    depth, inner = 1, []
    assert verbs.pop(0) == "["
    while depth:
        inner.append(verbs.pop(0))
        depth += {"[": 1, "]": -1}.get(inner[-1], 0)
    if os.fork():
        return
    if where == "group":
        os.setpgid(0, 0)
    if where == "daemon":
        os.setsid()
        if os.fork():
            os._exit(0)
    do(inner[:-1])
    os._exit(0)


WITH_ARGUMENT = {
    "say": say,
    "loud": loud,
    "ends": ends,
    "deaf": deaf,
    "user": user,
    "exit": leave,
    "die": die,
}
ALONE = {
    "count": count,
    "efface": efface,
    "input": read_lines,
    "raw": raw,
    "storm": storm,
    "pause": pause,
    "wait": wait,
}


def do(verbs):
    while verbs:
        verb = verbs.pop(0)
        if verb == "bare":
            os.execve(sys.executable, [sys.executable, "-IS", __file__, *verbs], {})
        elif verb in ALONE:
            ALONE[verb]()
        elif verb in WITH_ARGUMENT:
            WITH_ARGUMENT[verb](verbs.pop(0))
        else:
            in_a_child(verb, verbs)


if __name__ == "__main__":
    if "wait" in sys.argv:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    do(sys.argv[1:])
