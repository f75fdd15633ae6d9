"""Random traces of each kind, by a seed: how builds, apps and people behave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.feedback.world import Job, Output, Save, Trace, Write
from reloader.core.values import Kind

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

STYLES = ("in place", "emptied first", "new names", "deleted when interrupted")
WHEN = {"early": (0.02, 0.3), "late": (0.8, 0.99), "throughout": (0.05, 0.99)}
OUTPUTS = (Output.QUIET, Output.QUIET, Output.CHATTY, Output.BUSY, Output.BLIND)
JITTERS = (0.0, 0.1, 0.3, 0.5)


def between(rng: random.Random, low: float, high: float) -> float:
    """Each order of magnitude is as likely."""
    return low * (high / low) ** rng.random()


def a_build(
    rng: random.Random, *, left: bool = False
) -> tuple[Callable[[], Job], float, tuple[str, ...]]:
    """Returns a build that writes 1 to 28 files, how long it takes, and those that exist before.

    `left`: a daemon that it leaves behind writes them.
    """
    style, seconds = rng.choice(STYLES), between(rng, 0.05, 60)
    number, (low, high) = rng.choice([1, 1, 3, 8, 28]), WHEN[rng.choice(list(WHEN))]
    names = [f"{rng.choice(['out', 'gen', 'src'])}/o{n}.js" for n in range(number)]
    shuffled, same = rng.random() < 0.3, rng.random() < 0.5

    def run() -> Job:
        times = sorted(rng.uniform(low, high) * seconds for _ in names)
        order = rng.sample(names, len(names)) if shuffled else names
        if left:
            later = [Write(rng.uniform(0.05, 1.5), name, size=5000) for name in order[:3]]
            return Job(seconds, [], later)
        first: list[Write] = []
        if style == "emptied first":
            first = [Write(low * seconds / 2, name, Kind.DELETED) for name in order]
        elif style == "deleted when interrupted" and rng.random() < 0.5:
            first = [Write(0.01 * seconds, order[0], Kind.DELETED)]
        new = style == "new names"
        writes = [
            Write(at, name.replace("/o", "/o~") if new else name, size=5000, same=same)
            for at, name in zip(times, order, strict=True)
        ]
        return Job(seconds, [*first, *writes], [])

    return run, seconds, tuple(names) if rng.random() < 0.5 else ()


def build_alone(rng: random.Random) -> Trace:
    build, seconds, exist = a_build(rng)
    polled = rng.choice([0, 0, 0, 1.0])
    lasts = seconds * 14 + 40
    output = rng.choice(OUTPUTS)
    jitter = rng.choice(JITTERS)
    return Trace(build, output=output, polled=polled, lasts=lasts, jitter=jitter, exist=exist)


def build_that_leaves_a_daemon(rng: random.Random) -> Trace:
    build, seconds, exist = a_build(rng, left=True)
    lasts = seconds * 14 + 40
    return Trace(build, lasts=lasts, jitter=rng.choice(JITTERS), exist=exist)


def saves_in_builds(rng: random.Random, *, writes: bool = True) -> Trace:
    """Long after the build is known, somebody saves sources while it is at work."""
    build, seconds, exist = a_build(rng)
    quick = max(seconds, 0.5)
    at, saves = quick * 8 + 20, []
    for _ in range(rng.choice([1, 2, 4, 8])):
        saves.append(Save(at, [rng.choice(["src/a.go", "src/a.go", "src/b.go", "c.go"])]))
        at += quick * rng.uniform(0.1, 0.9) if rng.random() < 0.7 else quick * 3

    def run() -> Job:
        job = build()
        return Job(max(job.lives or 0, 0.5), job.writes if writes else [], [])

    lasts = at + quick * 10 + 20
    return Trace(run, saves=saves, lasts=lasts, jitter=rng.choice(JITTERS), exist=exist)


def saves_in_plain_builds(rng: random.Random) -> Trace:
    return saves_in_builds(rng, writes=False)


def app_alone(rng: random.Random) -> Trace:
    """It writes a file 0 to 60 s after each start, then lives on or ends; or it dumps its core."""
    after = rng.choice([0, 0.02, 0.5, 1, 3, 6, 20, 60])
    style = rng.choice(["same name", "new name", "same name, ends", "new name, ends", "core"])
    path = "out/run-~.json" if style.startswith("new") else "state.json"
    lives = after + rng.choice([0, 0.01]) if style.endswith("ends") else None

    def app() -> Job:
        if style == "core":
            return Job(after, [Write(after, "core", size=90_000)], [])
        return Job(lives, [Write(after, path, size=3000)], [])

    return Trace(
        rng.choice([None, lambda: Job(0.2, [], [])]),
        app,
        output=rng.choice(OUTPUTS),
        polled=rng.choice([0, 0, 0, 1.0]),
        jitter=rng.choice(JITTERS),
        lasts=max(60.0, after * 14),
    )


def saves(rng: random.Random) -> Trace:
    """A person, a script, a formatter, an agent; the app writes nothing that is watched."""
    style = rng.choice(["1 s", "5 s", "person", "formatter", "agent", "save all", "git"])
    at, found = 3.0, []
    for _ in range(60):
        gap = {"1 s": 1.0, "5 s": 5.0, "agent": rng.uniform(4, 8)}.get(style)
        at += gap or between(rng, 0.8, 60)
        many = [f"src/f{n}.py" for n in range(12)]
        path = rng.choice(many) if style == "agent" else "src/app.py"
        paths = many if style in ("save all", "git") else [path]
        found.append(Save(at + rng.uniform(0, 0.005), paths))
        if style == "formatter":
            found.append(Save(at + rng.uniform(0.01, 0.1), [path]))
    return Trace(
        rng.choice([None, lambda: Job(0.2, [], [])]),
        saves=found,
        output=rng.choice(OUTPUTS),
        jitter=rng.choice(JITTERS),
        lasts=at + 40,
        git=style == "git",
    )


def saves_beside_an_app_that_writes(rng: random.Random) -> Trace:
    after, at, found = rng.choice([0, 0.3, 0.5, 1, 3]), 10.0, []
    for _ in range(12):
        at += between(rng, 2, 40)
        found.append(Save(at, ["src/app.py"]))
    return Trace(
        None,
        lambda: Job(None, [Write(after, "state.json", size=3000)], []),
        saves=found,
        output=rng.choice(OUTPUTS),
        jitter=rng.choice(JITTERS),
        lasts=at + 40,
    )
