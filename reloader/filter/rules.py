"""The only filter in the program: which files count, and because of which line of the config.

Pure: paths in, decisions out; no file is looked at. Paths are absolute, with "/" between names and
surrogateescape for bytes that are no text.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Protocol

from reloader.config.model import Layer, Origin
from reloader.core.needs import RELOAD
from reloader.filter.globs import NEVER
from reloader.filter.lines import ConfigLines
from reloader.filter.matchers import Decision, Endings, Paths, RuleMatcher, no, searches
from reloader.light import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reloader.config.model import Config
    from reloader.filter.gitignore import Ignores

    class ReadIgnores(Protocol):
        """Reads the ignore files of a folder, below those of the folder above it."""

        def __call__(self, folder: str, above: Ignores | None) -> Ignores: ...
        def fresh(self) -> ReadIgnores: ...
        def moved(self) -> str: ...
        @property
        def folders(self) -> frozenset[str]: ...


_REMEMBERED = 50_000  # folders whose verdict is kept; more are judged anew
_BINARY = re.compile(r"[^.]+|.+\.(?:exe|bin|out)")  # names of what compilers make; not "app.sh"


@dataclass(frozen=True)
class Folder:
    """The decisions for one folder, and whether it is worth entering."""

    rules: FileFilter
    prefix: str  # what stands before the names in it, seen from the root: "", "a/b/", "../x/"
    out: Decision | None  # why no file in it counts for its ending; None: files do
    commands: tuple[
        tuple[RuleMatcher, bool], ...
    ]  # [[build.rules]] for it; False: for single files
    files: dict[str, Decision]  # include_file
    own: dict[str, Decision]  # files that reloader and the build write
    configs: frozenset[str]  # names of files that the config may be read from
    path: str
    ignores: Ignores | None  # what git ignores here; None: that is not asked
    firm: bool  # it, or something below it, is named: a virtualenv or not, it is watched

    @property
    def enters(self) -> bool:
        """True if a file in it or below it may count."""
        by_rule = any(command.endings for command, inside in self.commands if inside)
        return self.out is None or self.firm or by_rule

    def inside(self, command: RuleMatcher) -> bool:
        """Returns True if the rule takes files of the folder by their endings."""
        return (command, True) in self.commands

    def decide(self, name: str) -> Decision:
        """Returns the decision for the file of this name."""
        if self.configs and name in self.configs:
            return replace(self._decide(name), is_config=True)
        if name == ".gitignore" and self.ignores is not None and self.out is None:
            return replace(self._decide(name), is_filter=True)
        return self._decide(name)

    def _decide(self, name: str) -> Decision:
        if self.own and name in self.own:
            return self.own[name]
        for command, inside in self.commands:
            if found := command.decide(self.prefix + name, name, inside=inside):
                return found
        found = self.files.get(name)
        if found is None:
            if self.out is not None:
                return self.out
            found = self.rules.endings.decide(name)
            if not found.needs:
                return found
            if self.ignores and (why := self.ignores.why(f"{self.path}/{name}", is_folder=False)):
                return _ignored(why)
        return self.rules.veto(self.prefix + name) or found


def _ignored(why: str) -> Decision:
    return no(f"git ignores it: {why}; to watch it, set build.include_ext")


def _special(files: Iterable[str]) -> frozenset[str]:
    return frozenset(map(posixpath.basename, files)) | {".gitignore"}


class FileFilter:
    """The whole filter, made from a config.

    `roots`: the folders to begin with; `named`: folders that the config says to watch; `expected`:
    folders without which something that the config names can't be seen; `git`: the reader of ignore
    files, None if none is asked.
    """

    def __init__(
        self, config: Config, config_files: Iterable[str] = (), git: ReadIgnores | None = None
    ) -> None:
        build = config.build
        lines = self.lines = ConfigLines(config)
        self.root = lines.root
        self._config = config
        self._config_files = frozenset(map(posixpath.normpath, config_files))
        self._folders: dict[str, Folder] = {}
        # A list of the user's decides alone, and an Air file means what it means in Air.
        by_user = lines.origin("include_ext").layer is not Layer.DEFAULT or config.is_air
        self.git = None if by_user else git
        self._commands = tuple(RuleMatcher(lines, n, rule) for n, rule in enumerate(build.rules))
        self.endings = Endings(
            build.include_ext,
            lambda ending: Decision(RELOAD, lines.because("include_ext", ending)),
            replace(
                no(lines.because("include_ext", " ".join(build.include_ext))), is_by_default=True
            ),
        )
        self._include_files = dict(self._named_files())
        include_dirs = frozenset(lines.absolute(path) for path in build.include_dir)
        restricted = any(lines.relative(path)[:3] != "../" for path in include_dirs)
        self.named = include_dirs if restricted else include_dirs | {self.root}
        self._veto_dirs = Paths(lines, "exclude_dir", build.exclude_dir)
        self._veto_files = Paths(lines, "exclude_file", build.exclude_file)
        self._veto_regexes = tuple(
            (search, no(lines.because("exclude_regex", text)))
            for text, search in zip(build.exclude_regex, searches(build.exclude_regex), strict=True)
        )
        self.unlisted = _special(self._config_files)  # names that are watched for our own sake
        self._own = dict(self._own_files())
        self.expected = frozenset(self._wanted_folders())
        self.roots, self._ways = self._tops()

    @classmethod
    def of(
        cls, config: Config, config_files: Iterable[str] = (), git: ReadIgnores | None = None
    ) -> FileFilter:
        """Makes the filter; the config is read from one of `config_files` (absolute paths).

        `git` reads the ignore files of a folder; without it nothing is ignored for git's sake.
        """
        return cls(config, config_files, git)

    def renewed(self) -> FileFilter:
        """Makes the same filter anew, from the ignore files as they are now."""
        git = self.git.fresh() if self.git else None
        return FileFilter(self._config, self._config_files, git)

    def decide(self, path: str) -> Decision:
        """Returns the decision for the file at this path."""
        parent, _, name = path.rpartition("/")
        return (self._folders.get(parent) or self.folder(parent)).decide(name)

    def enters(self, path: str) -> bool:
        """Returns True if a file in this folder or below it may count."""
        return self.folder(path).enters

    def folder(self, path: str) -> Folder:
        """Returns the decisions for the folder at this path."""
        found = self._folders.get(path)
        if found is None:
            if len(self._folders) >= _REMEMBERED:
                self._folders.clear()
            found = self._folders[path] = self._judge(path or "/")
        return found

    def shown(self, path: str) -> str:
        """Returns the path as people know it: below the root, else absolute."""
        prefix = "/" if self.root == "/" else self.root + "/"
        return path.removeprefix(prefix)

    def is_named(self, path: str) -> bool:
        """Returns True for a folder that the config names, and for those on the way to one."""
        return path in self._ways

    def reaches_below(self, root: str) -> bool:
        """Returns False for a root that is only watched for single files in it."""
        folder = self.folder(root)
        by_rule = any(command.endings for command, inside in folder.commands if inside)
        prefix = root.rstrip("/") + "/"
        return folder.out is None or by_rule or any(way.startswith(prefix) for way in self._ways)

    def veto(self, relative: str) -> Decision | None:
        """Returns the decision against a file that would count; None if there is none."""
        for search, out in self._veto_regexes:
            if search(relative):
                return out
        return self._veto_files.find(relative)

    # --- folders ----------------------------------------------------------------------------------

    def _judge(self, path: str) -> Folder:
        parent, _, name = path.rpartition("/")
        is_top = path in self.roots or not name
        above = None if is_top else self.folder(parent or "/")
        habit = None if is_top else self._habit(path, name)
        excluded = (
            None if path == self.root else self._veto_dirs.find(self.lines.relative(path)[:-1])
        )
        out = self._out(path, above, habit, excluded) or self._ignored(path, above)
        return Folder(
            rules=self,
            path=path,
            prefix=self.lines.relative(path),
            out=out,
            ignores=None if out else self._ignores(path, above),
            commands=tuple(self._in_force(path, above, habit, excluded)),
            files=self._here(path, self._include_files),
            own=self._here(path, self._own),
            configs=frozenset(
                posixpath.basename(file)
                for file in self._config_files
                if posixpath.dirname(file) == path
            ),
            firm=path in self._ways,
        )

    def _ignored(self, path: str, above: Folder | None) -> Decision | None:
        """Returns the decision against a folder that git ignores, unless it is named."""
        if above is None or above.ignores is None or path in self.named:
            return None
        why = above.ignores.why(path, is_folder=True)
        return _ignored(why) if why else None

    def _ignores(self, path: str, above: Folder | None) -> Ignores | None:
        if self.git is None:
            return None
        begins = above is None or path in self.named
        return self.git(path, None if begins or above is None else above.ignores)

    def _out(
        self, path: str, above: Folder | None, habit: Decision | None, excluded: Decision | None
    ) -> Decision | None:
        """Returns the reason why no ending counts here; None if endings decide."""
        if path in self.named:  # a default must not undo what was asked for
            by_user = self.lines.origin("exclude_dir").layer is not Layer.DEFAULT
            return excluded if by_user else None
        if above is not None:
            return above.out or habit or excluded
        if path == self.root:
            dirs = " ".join(self._config.build.include_dir)
            return no(f"not in {self.lines.because('include_dir', dirs)}")
        return no("outside the root")

    def _in_force(
        self, path: str, above: Folder | None, habit: Decision | None, excluded: Decision | None
    ) -> Iterator[tuple[RuleMatcher, bool]]:
        """Yields the [[build.rules]] for this folder; False: only for single files of it."""
        for command in self._commands:
            begins = path in (command.dirs or (*self.named, self.root))
            ends = habit or (excluded and not command.dirs)
            if begins or (above is not None and not ends and above.inside(command)):
                yield command, True
            elif self._here(path, command.files) and not command.dirs:
                yield command, False

    def _habit(self, path: str, name: str) -> Decision | None:
        """Returns why the folder is not watched unless it is named; None if it is."""
        if name in NEVER:
            return no(f'folders called "{name}" are never watched')
        for key, folder in (
            ("tmp_dir", self._config.tmp_dir),
            ("testdata_dir", self._config.testdata_dir),
        ):
            if path == folder:
                return no(f"{key} is never watched")
        if name.startswith("."):
            return no(f'hidden folders like "{name}" are never watched')
        return None

    def _here(self, path: str, files: dict[str, Decision]) -> dict[str, Decision]:
        return {
            posixpath.basename(file): decision
            for file, decision in files.items()
            if posixpath.dirname(file) == path
        }

    def _named_files(self) -> Iterator[tuple[str, Decision]]:
        """Yields the files that count wherever they are: include_file, and the env files."""
        for file in self._config.build.include_file:
            yield (
                self.lines.absolute(file),
                Decision(RELOAD, self.lines.because("include_file", file)),
            )
        if not self._config.is_air:  # Air reads them again, and watches them no more than others
            for file in self._config.env_files:
                where = self._config.origins.get("env_files", Origin(Layer.DEFAULT)).where
                yield self.lines.absolute(file), Decision(RELOAD, f'env_files "{file}" ({where})')

    def _wanted_folders(self) -> Iterator[str]:
        yield from self.named
        yield self.root
        yield from map(posixpath.dirname, self._include_files)
        for command in self._commands:
            yield from command.dirs
            yield from map(posixpath.dirname, command.files)

    def _tops(self) -> tuple[tuple[str, ...], frozenset[str]]:
        """Returns where scans begin, and the folders on the way from there to the named ones."""
        wanted = {*self.expected, *map(posixpath.dirname, self._config_files)}
        tops = [self.root]
        ways: set[str] = set()
        for path in sorted(wanted, key=len):
            on_the_way = [path]
            while on_the_way[-1] not in tops and on_the_way[-1] != "/":
                on_the_way.append(posixpath.dirname(on_the_way[-1]))
            if on_the_way[-1] not in tops:
                tops.append(path)
                on_the_way = [path]
            ways.update(on_the_way)
        return tuple(tops), frozenset((*ways, self.root))

    def _own_files(self) -> Iterator[tuple[str, Decision]]:
        """Yields the files that reloader and the build write or read: log, binary, config."""
        build = self._config.build
        config = self._config.file_path
        if config and posixpath.basename(config) != "pyproject.toml":  # which the app may use too
            yield config, no("the config is taken up by itself")
        if build.log:
            log = posixpath.join(self._config.tmp_dir, build.log)
            yield posixpath.normpath(log), no("build.log is reloader's own")
        if (app := build.app) is None:
            return
        program = app.words[0] if app.words else _program(app.line)
        # A command line begins where commands run.
        path = program if app.words else posixpath.join(self._config.command_dir, program)
        binary = self.lines.absolute(path)
        is_made = build.cmd and "/" in program and _BINARY.fullmatch(posixpath.basename(program))
        if is_made and binary not in self._include_files:  # named, it is built elsewhere
            yield binary, no("the app's binary is what a build makes")


def _program(line: str) -> str:
    """Returns the program that a command line begins with, after any NAME=value."""
    import shlex

    try:
        words = shlex.split(line)
    except ValueError:
        return ""
    return next((word for word in words if not re.match(r"\w+=", word)), "")
