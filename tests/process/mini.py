"""A supervisor in a few lines, for what only a whole process can show: PID 1, terminals, kill -9.

Runs its arguments as one job, ends when it is asked to or the job has ended, and says on its
standard error what it learns. SIGUSR2: stops the job with the signal MINI_STOP and starts it again.
MINI=again: starts it again when it has ended by itself; MINI=wait: waits for a signal then.
MINI_KEYS: reads keys; a restart is as SIGUSR2.
"""

from reloader.process.bootstrap import block

block()

import contextlib  # noqa: E402
import os  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections import deque  # noqa: E402

from reloader.core.facts import ProcessExited, Requested, SignalReceived, TreeEmptied  # noqa: E402
from reloader.core.values import Wish  # noqa: E402
from reloader.process.children import Children  # noqa: E402
from reloader.process.mark import new_run  # noqa: E402
from reloader.process.orphans import Guardian, become_subreaper  # noqa: E402
from reloader.process.signals import SignalSource  # noqa: E402
from reloader.process.spec import SpawnSpec  # noqa: E402
from reloader.terminal.foreground import Foreground  # noqa: E402
from reloader.terminal.tty import Terminal  # noqa: E402

MODE = os.environ.get("MINI")
STOP = getattr(signal, os.environ.get("MINI_STOP", "SIGTERM"))


def say(*words):
    with contextlib.suppress(OSError):  # the terminal is gone
        os.write(2, (" ".join(map(str, words)) + "\n").encode())


class Mini:
    def __init__(self, argv):
        run = new_run()
        self.argv = tuple(argv)
        self.children = Children(run, adopts=become_subreaper())
        self.guardian = Guardian(run, self.children.register_helper)
        self.children.guarded_by(self.guardian.guard)
        terminal = Terminal.open()
        self.foreground = Foreground(
            self.children,
            terminal,
            reads_keys="MINI_KEYS" in os.environ,
            told=self.guardian.modes,
        )
        self.signals = SignalSource(
            self.foreground.collect,
            self.forward,
            self.foreground.resume,
            self.foreground.suspend if terminal else None,
            asked=self.foreground.asked,
            due=self.children.deadline,
        )
        self.facts = deque()
        self.ticket = self.asked = 0
        self.again = False
        say("run", run)
        say("pid", os.getpid())

    def start(self):
        self.ticket += 1
        app = self.children.spawn(self.ticket, SpawnSpec(self.argv, os.environ, os.getcwd()))
        say("app", app)
        self.foreground.give(self.ticket, app)

    def forward(self, number):
        if number == signal.SIGUSR2:
            self.again = True
            self.facts += self.foreground.stop(self.ticket, STOP)
        else:
            self.children.forward(self.ticket, number)

    def learn(self, fact):
        say(fact)
        if isinstance(fact, Requested) and fact.request.wish is Wish.RESTART:
            self.forward(signal.SIGUSR2)
        elif isinstance(fact, SignalReceived):
            self.asked += 1
            if self.asked == 1:
                number = fact.number if fact.typed else STOP
                self.facts += self.foreground.stop(self.ticket, number)
            else:
                self.facts += self.children.kill(self.ticket)
        elif isinstance(fact, ProcessExited) and fact.survivors:
            self.facts += self.children.kill(self.ticket)
        elif isinstance(fact, (ProcessExited, TreeEmptied)):
            again = self.again or MODE == "again"
            if again and not self.asked:
                self.again = False
                self.start()

    def ready(self):
        """Waits for the sources whose descriptor is ready, or whose deadline has passed."""
        sources = [self.signals, self.foreground]
        due = [at for source in sources if (at := source.deadline()) is not None]
        patience = max(0.0, min(due) - time.monotonic()) if due else None
        ready = select.select(sources, [], [], patience)[0]
        late = [it for it in sources if (it.deadline() or time.monotonic() + 1) <= time.monotonic()]
        return [it for it in sources if it in ready or it in late]

    def run(self):
        self.start()
        self.facts += self.foreground.open()
        while self.facts or self.children.alive() or (MODE == "wait" and not self.asked):
            while self.facts:
                self.learn(self.facts.popleft())
            if self.children.alive() or (MODE == "wait" and not self.asked):
                for source in self.ready():
                    self.facts += source.read()
        self.foreground.close()
        self.guardian.close()
        self.signals.close()
        say("over")


if __name__ == "__main__":
    Mini(sys.argv[1:]).run()
