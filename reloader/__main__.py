"""The program: `reloader`, `python -m reloader`."""

import sys


def main() -> int:
    """What must come before any other import, then the command line."""
    _search_project_last()  # first of all: `early` itself imports `signal`
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
    """A project with a `types.py` of its own must not break us: it is searched after the rest."""
    import os

    try:
        here = os.getcwd()
    except OSError:  # it was deleted; the config will say so
        here = "/"
    listed = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    theirs = {os.path.normpath(os.path.join(here, path)) for path in ("", *listed)}
    first = [path for path in sys.path if os.path.normpath(os.path.join(here, path)) not in theirs]
    sys.path[:] = first + [path for path in sys.path if path not in first]


if __name__ == "__main__":
    sys.exit(main())
