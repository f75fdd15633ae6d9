#!python
"""The program: `reloader`, `python -m reloader`, `reloader.pyz`.

This file is the installed command itself: the one that pip writes imports `re` first, and with the
PYTHONPATH=. of many images a project's own `re.py` would be that.
"""

import sys


def main() -> int:
    """Runs the steps that must come before any other import, then the command line."""
    _search_project_last()  # first of all: `bootstrap` itself imports `signal`
    try:
        from reloader.process import bootstrap

        bootstrap.block()
        from reloader.cli import main as cli
    except OSError as error:  # no descriptor is left to open a file with
        import os

        os.write(2, f"reloader: {error.filename}: {error.strerror}\n".encode())
        return 1
    return cli(sys.argv[1:])


def _search_project_last() -> None:
    """A project with a `types.py` or `reloader.py` of its own breaks nothing: it is searched last.

    So is the folder of the command, ~/.local/bin say, which Python searches first. The app's
    environment is not touched.
    """
    import os

    try:
        here = os.getcwd()
    except OSError:  # it was deleted; the config will say so
        here = "/"
    listed = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    command = os.path.dirname(os.path.realpath(sys.argv[0]))
    theirs = {os.path.normpath(os.path.join(here, path)) for path in ("", command, *listed)}
    first = [path for path in sys.path if os.path.normpath(os.path.join(here, path)) not in theirs]
    sys.path[:] = first + [path for path in sys.path if path not in first]


if __name__ == "__main__":
    sys.exit(main())
