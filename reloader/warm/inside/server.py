"""A process that has imported the app's libraries, and forks apps.

It is started like the app, so it is one but for its modules, and stands still before the app's
first instruction. It imports nothing of the project. Each module that it has imported is taken out
of `sys.modules` again, and given to the app when that imports it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable
    from typing import Any

    from reloader.warm.inside.libraries import Libraries
    from reloader.warm.inside.ready import Ready

    Enter = Callable[[_socket.socket, bytes], object]  # the other side, and what it has said


def origins(ready: Ready, libraries: Libraries) -> set[str]:
    """Everything that would make a new server differ: modules, the interpreter, its folders."""
    # Folders below a library hold one top-level module each: pip touches them all.
    folders = {path for path in sys.path if os.path.isdir(path) and libraries.is_place(path)}
    inside = {os.path.join(folder, name) for folder in folders for name in os.listdir(folder)}
    lines = {path for path in inside if path.endswith(".pth")}
    programs = {sys.executable, os.path.realpath(sys.executable)}
    return {*ready.files(), *folders, *lines, *programs, os.path.join(sys.prefix, "pyvenv.cfg")}


def memory() -> int:
    """Returns the bytes that only this process has."""
    try:
        with open("/proc/self/smaps_rollup", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(b"Private")) * 1024


def serve(sock: _socket.socket, known: set[str], load: Callable[[str], Any], seen: Any) -> None:
    """Imports, says so, and forks apps; returns in each of these. Ends the process otherwise.

    `seen`: the finder that has seen all imports since `known` were the modules there are.
    """
    wire, begin, libraries, sleeper = map(load, ("wire", "begin", "libraries", "sleeper"))
    order = None
    title = sleeper.Title()
    try:
        title.show()
        wire.send(sock, ("server", str(os.getpid())))
        words, (notes,) = wire.receive(sock)
        _, entry, *without = words
        ready, places, enter = _import(notes, (entry, set(without)), known, load, seen)
        stamps = sleeper.Stamps(origins(ready, places))
        wire.send(sock, ("ready", str(len(ready)), str(memory())))

        def missing(words: list[str], fds: list[int]) -> tuple[str, ...]:
            """Answers how many modules of libraries an app has imported by itself."""
            apart = {*known, *words[1:]}
            names = [name for name, _ in libraries.wanted(fds[0]) if name not in apart]
            lacking = [name for name in names if not ready.has(name) and places.has(name)]
            return ("missing", str(len(lacking)))

        threads = load("hazards").threads
        order = sleeper.Sleeper(sock, wire, threads).serve(lambda _: stamps.differing(), missing)
    except BaseException as error:  # noqa: BLE001 -- this process must never run the app by itself
        culprit = getattr(error, "culprit", None)
        why = str(error) if culprit is not None else repr(error)
        with contextlib.suppress(OSError):
            wire.send(sock, ("refused", why, culprit or ""))
    finally:
        if order is None:
            os._exit(0)
    words, fds = order
    notes = begin.lifted(fds.pop())
    sleeper.become(words, fds, title, begin.set_environ, enter)
    imports = begin.Imports(notes)
    ready.refuse = lambda why: start_anew(imports, why)
    sys.meta_path.insert(0, begin.Finder(imports, ready))


def _import(
    notes: int,
    entry_and_without: tuple[str, set[str]],
    known: set[str],
    load: Callable[[str], Any],
    seen: Any,
) -> tuple[Ready, Libraries, Enter | None]:
    """Imports what the app has imported, once its start is over; leaves 0, 1 and 2 at /dev/null.

    The entry is the file of what each app does first, see `Entry` in `client`; the function of it
    comes back, None if there is none or it can't be had. The server goes without the other modules.
    """
    entry, without = entry_and_without
    libraries = load("libraries")
    null = os.open(os.devnull, os.O_RDWR)
    output = load("begin").memory_file()
    for number, place in ((null, 0), (output, 1), (output, 2)):
        os.dup2(number, place)
    os.close(null)
    libraries.wait_until_quiet(notes)
    gc.disable()
    places = libraries.preload(notes, without, output, seen, load)
    enter = _entry(entry, places)
    sys.meta_path.remove(seen)
    ready: Ready = load("ready").Ready(seen.environs, places)
    ready.take(known, {name for name, _ in libraries.wanted(notes)})
    gc.enable()
    gc.collect()
    gc.freeze()  # or the collector would write to memory that all the apps share
    os.close(notes)
    os.close(output)
    for place in (1, 2):
        os.dup2(0, place)
    return ready, places, enter


def _entry(file: str, places: Libraries) -> Enter | None:
    """Loads that file; nothing of the project may come in the way of what it imports."""
    path = sys.path[:]
    sys.path[:] = [folder for folder in path if places.is_place(folder)]
    try:
        scope: dict[str, Any] = {"__name__": "reloader.warm.entry"}
        with open(file, "rb") as code:
            exec(compile(code.read(), file, "exec"), scope)  # noqa: S102 -- it is reloader's own
        enter: Enter = scope["enter"]
    except (OSError, ImportError):
        return None
    else:
        return enter
    finally:
        sys.path[:] = path


def start_anew(imports: Any, why: str) -> None:
    """Starts the same process as ever: what it finds is not what the server has found."""
    imports.note("x", why)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # ignored by Python, and so by its successor
        signal.signal(number, signal.SIG_DFL)
    with open("/proc/self/cmdline", "rb") as file:
        argv = file.read().split(b"\0")[:-1]
    os.execv(sys.executable, argv)
