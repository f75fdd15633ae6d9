"""Notes the imports of an app's process, and serves it those that are ready.

One finder, first in `sys.meta_path`: it writes down each module that is about to be imported and
finds none, but those that a server has imported already.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

# Imports that lead to others: whoever replaces them means the modules that come later.
PATCHED = (
    *(("socket", "socket"), ("socket", "create_connection"), ("socket", "getaddrinfo")),
    *(("ssl", "SSLContext"), ("threading", "Thread"), ("time", "sleep"), ("select", "select")),
    *(("subprocess", "Popen"), ("builtins", "__import__"), ("logging", "_loggerClass")),
)
# Import hooks of libraries that answer only to names of their own.
HARMLESS = frozenset(
    {"_SixMetaPathImporter", "VendorImporter", "DistutilsMetaFinder", "_EditableFinder"}
    | {"_EditableNamespaceFinder", "_ImportRedirect", "BuiltinImporter", "FrozenImporter"}
    | {"PathFinder"}
)
LOWEST = 100  # of reloader's descriptors in an app
MOST_NOTES = 1 << 20  # bytes; ten times what a large app leads to


class Imports:
    """The noted imports, in a file in memory that reloader and the next server read."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.first: dict[bytes, bytes] = dict(environ_now())
        self._inode = os.fstat(descriptor).st_ino
        self._last = self.first
        self._size = 0
        self._pid = os.getpid()

    def note(self, kind: str, *texts: str) -> None:
        """A line each; nothing in a forked child, and nothing if the app has taken the number."""
        if os.getpid() != self._pid or self._size > MOST_NOTES:
            return
        line = "".join(f"{kind} {text}\n" for text in texts).encode("utf-8", "surrogateescape")
        self._size += len(line)
        try:
            if os.fstat(self.descriptor).st_ino == self._inode:
                os.write(self.descriptor, line)
        except OSError:
            self._pid = 0

    def imports(self, names: list[str], environ: dict[bytes, bytes]) -> None:
        """Modules are about to be imported; what has become of the environment comes first."""
        if environ != self._last:
            self._last = environ
            self.note("e", difference(self.first, environ))
        self.note("i", *names)


def difference(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> str:
    """Returns what has been set and removed, as one word without blanks; "": nothing."""
    changed = [(n, v) for n, v in after.items() if before.get(n) != v]
    changed += [(n, None) for n in before if n not in after]
    return ",".join(
        _hex(name) + ("" if value is None else "=" + _hex(value))
        for name, value in sorted(changed, key=lambda item: item[0])
    )


def _hex(text: Any) -> str:
    return (text if isinstance(text, bytes) else os.fsencode(text)).hex()


def changed(before: Mapping[bytes, bytes], word: str) -> dict[bytes, bytes]:
    """Returns the environment that a `difference` describes."""
    after = dict(before)
    for entry in filter(None, word.split(",")):
        name, is_set, value = entry.partition("=")
        if is_set:
            after[bytes.fromhex(name)] = bytes.fromhex(value)
        else:
            after.pop(bytes.fromhex(name), None)
    return after


def meddled(ours: object = None) -> str:
    """Returns what has been done to the way in which modules are imported or behave; "": nothing.

    `ours`: the finder that reloader has put into `sys.meta_path`.
    """
    if len(sys.meta_path) != 3 + (ours is not None):  # CPython's own are three
        for finder in sys.meta_path:
            kind = finder if isinstance(finder, type) else type(finder)
            if finder is not ours and kind.__name__ not in HARMLESS:
                return f"import hook {kind.__module__}.{kind.__qualname__}"
    for module, name in PATCHED:
        it = getattr(sys.modules.get(module), name, None)
        home = getattr(it, "__module__", None)
        if home is not None and home.partition(".")[0].lstrip("_") != module:
            return f"{module}.{name} is replaced by {home}"
    if sys.gettrace() or sys.getprofile():
        return "a trace function"
    return ""


def environ_now() -> dict[bytes, bytes]:
    """Returns what lies below `os.environ`: to compare two of these costs 2 µs. Not to be kept."""
    return os.environ._data  # type: ignore[attr-defined, no-any-return]


def set_environ(environ: Mapping[bytes, bytes]) -> None:
    now = os.environb
    for name in set(now) - set(environ):
        del now[name]
    for name, value in environ.items():
        if now.get(name) != value:
            now[name] = value


class Finder:
    """Finds what is ready, notes what is imported, and lets `before` look first."""

    def __init__(
        self,
        imports: Imports,
        ready: Any = None,  # a server's Ready
        before: Callable[[str, Any], None] | None = None,
    ) -> None:
        self._imports = imports
        self._ready = ready
        self._before = before
        self._environ = imports.first
        self._asked = ""  # the last module that was to be imported
        self._over = ""  # what has been done that later imports may depend on

    def find_spec(self, name: str, path: Any = None, _target: ModuleType | None = None) -> Any:
        if self._before is not None:
            self._before(name, path)
        if name in ("sitecustomize", "usercustomize"):
            return None
        # importlib.util.find_spec only asks: what is ready must not be given away for that.
        imports = sys._getframe(2).f_code.co_name == "_find_and_load_unlocked"
        ready = self._ready if imports and self._ready and self._ready.has(name) else None
        if self._asked and self._asked not in sys.modules:
            self._imports.note("n", self._asked)
        self._asked = name if imports else ""
        if not self._over and not _is_library(importer()):  # a library was looked at in the server
            self._environ = dict(environ_now())
            self._over = meddled(self)
            if self._over:
                self._imports.note("b", self._over)
        if ready and self._over:
            ready.refuse(self._over)
        if ready:
            spec, names = ready.find(name, difference(self._imports.first, self._environ))
            self._imports.imports(names, self._environ)
            return spec
        if imports and not self._over:
            self._imports.imports([name], self._environ)
        return None


def importer() -> str:
    """Returns the file of the code that imports, seen from a finder."""
    try:
        return sys._getframe(5).f_code.co_filename
    except ValueError:
        return ""


def _is_library(file: str) -> bool:
    return "/site-packages/" in file or "/dist-packages/" in file or file.startswith(_STANDARD)


_STANDARD = os.path.dirname(os.__file__) + "/"


class Seen:
    """A server's finder: notes the environment that each module sees, in the order of imports."""

    def __init__(self) -> None:
        self.environs: dict[str, str] = {}  # by module: a `difference`
        self._start = dict(environ_now())
        self._last = self._start
        self._word = ""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        environ = environ_now()
        if environ != self._last:
            self._last = dict(environ)
            self._word = difference(self._start, environ)
        self.environs.setdefault(name, self._word)


def raw_command_line() -> list[str]:
    """Returns what the kernel was given, which `sys.orig_argv` (3.10) has too."""
    with open("/proc/self/cmdline", "rb") as file:
        return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]


def memory_file() -> int:
    """Returns a new file without a name."""
    return lifted(os.memfd_create("reloader-imports", os.MFD_CLOEXEC))


def lifted(descriptor: int) -> int:
    """Returns the same file above the numbers that apps use."""
    import fcntl

    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, LOWEST)
    os.close(descriptor)
    return high


def begin(how: str, known: set[str], load: Callable[[str], Any]) -> None:
    """Notes this process's imports from now on, or serves until it is an app itself.

    `how`: "watch,NAME" or "serve,NAME", where reloader listens under the name.
    """
    what, _, name = how.partition(",")
    if sys.implementation.name != "cpython" or sys.version_info < (3, 8):
        return
    wire = load("wire")
    sock = wire.connect(name)
    if what == "serve":
        seen = Seen()
        sys.meta_path.insert(0, seen)
        load("server").serve(sock, known, load, seen)
        return
    imports = Imports(memory_file())
    words = ("app", str(os.getpid()), sys.executable, *raw_command_line())
    wire.send(sock, words, [imports.descriptor])
    sock.close()
    sys.meta_path.insert(0, Finder(imports))
