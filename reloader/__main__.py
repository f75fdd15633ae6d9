"""The program: `reloader`, `python -m reloader`."""

import sys


def main() -> int:
    """What must come before any other import, then the command line."""
    from reloader.process import signals

    signals.block()
    _search_project_last()
    from reloader.cli import main as cli

    return cli(sys.argv[1:])


def _search_project_last() -> None:
    """A project with a `types.py` of its own must not break us: it is searched after the rest."""
    import os

    theirs = {os.path.abspath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p}
    theirs.add(os.getcwd())
    first = [path for path in sys.path if path and os.path.abspath(path) not in theirs]
    sys.path[:] = first + [path for path in sys.path if path not in first]


if __name__ == "__main__":
    sys.exit(main())
