"""The apps of one file: which there are, what each of them needs, and which run.

Pure: documents in, names and problems out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reloader.config import air, values
from reloader.config.layers import APP_OPTIONS
from reloader.config.model import App
from reloader.config.wording import nearest, quoted, shown
from reloader.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reloader.config.document import Document

_NAME = re.compile(r"\w[\w.-]*")


def names(document: Document | None) -> tuple[str, ...]:
    """Returns the names of the apps in `[apps.*]`, as they stand in the file; () without any."""
    return tuple(_tables(document))


def problems(document: Document) -> list[Problem]:
    """Returns what is wrong between the apps of a file: names, unknown ones, circles."""
    found = [] if air.is_air(document.name) else list(_shape(document))
    tables = _tables(document)
    needs = {name: _needs(document, name) for name in tables}
    for name, wanted in needs.items():
        for other in wanted:
            if other not in tables:
                near = nearest(other, tables)
                hint = f"did you mean {near}?" if near else f"apps: {', '.join(tables)}"
                found.append(_problem(document, name, other, f"no app {quoted(other)}", hint))
    told: set[str] = set()
    for name in tables:
        circle = _circle(name, needs)
        if circle and not told.intersection(circle):
            told.update(circle)
            text = ", which needs ".join([f"{circle[0]} needs {circle[1]}", *circle[2:]])
            hint = "one of them has to start without the other"
            found.append(_problem(document, circle[0], circle[1], text, hint))
    return found


def condition(document: Document, name: str) -> str:
    """Returns the condition that others wait for if they name none: a one-off has to complete."""
    return "completed" if _app(document, name).once != "false" else "ready"


def selected(
    document: Document, wanted: Sequence[str] = (), profiles: Sequence[str] = ()
) -> tuple[str, ...]:
    """Returns the apps that run, what others need before those that need it.

    They are the wanted ones, else those without a profile or with one of `profiles`; and all that
    these depend on.

    Raises ConfigError: there is no such app or profile, or no app is left.
    """
    tables = {name: _app(document, name) for name in _tables(document)}
    wrong = [
        *(_unknown("app", name, tables, document) for name in wanted if name not in tables),
        *_unknown_profiles(profiles, tables, document),
    ]
    if wrong:
        raise ConfigError(*wrong)
    chosen = wanted or [
        name
        for name, app in tables.items()
        if not app.profiles or not set(app.profiles).isdisjoint(profiles)
    ]
    if not chosen:
        some = sorted({profile for app in tables.values() for profile in app.profiles})
        hint = f"--profile {some[0]}, or name the apps: reloader run {' '.join(tables)}"
        raise ConfigError(Problem("each app has a profile, and none was chosen", "", hint))
    needs = {name: _needs(document, name) for name in tables}
    ordered: list[str] = []
    for name in tables:
        if name in chosen:
            _put_first(name, needs, ordered)
    return tuple(ordered)


# --- tables --------------------------------------------------------------------------------------


def _tables(document: Document | None) -> Mapping[str, Any]:
    if document is None or air.is_air(document.name):
        return {}
    table = document.table.get("apps")
    return table if isinstance(table, dict) else {}


def _app(document: Document, name: str) -> App:
    """Returns an app's own keys as far as they can be read; its own reading tells the rest."""
    table = _tables(document).get(name)
    known: dict[str, Any] = {}
    if not isinstance(table, dict):
        return App()
    for key, option in APP_OPTIONS.items():
        if key in table:
            try:
                known[key] = values.read(f"app.{key}", option, table[key])
            except values.MisfitError:
                continue
    return App(**known)


def _needs(document: Document, name: str) -> tuple[str, ...]:
    return tuple(other for other, _ in _app(document, name).depends_on)


def _shape(document: Document) -> Iterator[Problem]:
    apps = document.table.get("apps", {})
    if not isinstance(apps, dict) or (not apps and "apps" in document.table):
        found = shown(apps) if not isinstance(apps, dict) else "none"
        text = f"apps: expected tables [apps.NAME], found {found}"
        yield Problem(text, document.where(("apps",)))
        return
    for name, table in apps.items():
        where = document.where(("apps", name))
        if not isinstance(table, dict):
            yield Problem(f"apps.{name}: expected a table [apps.{name}], found a value", where)
        elif not _NAME.fullmatch(name):
            text = f"apps: expected a name of letters, digits, - and _, found {quoted(name)}"
            yield Problem(text, where)


def _problem(document: Document, name: str, other: str, text: str, hint: str) -> Problem:
    """Returns a problem with what an app says of another one, with its line."""
    path = ("apps", name, "depends_on")
    written = _tables(document)[name]["depends_on"]
    at = written.index(other) if isinstance(written, list) else other
    return Problem(f"apps.{name}.depends_on: {text}", document.where((*path, at)), hint)


def _unknown(kind: str, name: str, known: Iterable[str], document: Document) -> Problem:
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"{kind}s: {', '.join(known) or 'none'}"
    return Problem(f"no {kind} {quoted(name)}", document.name, hint)


def _unknown_profiles(
    profiles: Sequence[str], tables: Mapping[str, App], document: Document
) -> Iterator[Problem]:
    known = list(dict.fromkeys(profile for app in tables.values() for profile in app.profiles))
    for profile in profiles:
        if profile not in known:
            yield _unknown("profile", profile, known, document)


def _circle(start: str, needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns a way from an app over its needs back to it; [] if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for other in needs.get(way[-1], ()):
            if other == start:
                return [*way, start]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []


def _put_first(name: str, needs: Mapping[str, Sequence[str]], ordered: list[str]) -> None:
    """Appends an app behind those that it needs; a circle, which is a problem, is cut."""
    way = [name]
    while way:
        missing = [
            other
            for other in needs.get(way[-1], ())
            if other in needs and other not in ordered and other not in way
        ]
        if missing:
            way.append(missing[0])
            continue
        last = way.pop()
        if last not in ordered:
            ordered.append(last)
