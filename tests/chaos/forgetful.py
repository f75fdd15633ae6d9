"""Reloader that loses each fifth batch of changes: the negative control of `make chaos`."""

import sys
from itertools import count

from reloader.cli import main
from reloader.core import feedback

sys.path.pop(0)  # this folder
honest, calls = feedback.Feedback.judge, count(1)


def judge(self, changes, now, *, by_git=False):  # type: ignore[no-untyped-def]
    return honest(self, () if next(calls) % 5 == 0 else changes, now, by_git=by_git)


feedback.Feedback.judge = judge  # type: ignore[method-assign]
raise SystemExit(main())
