"""`make release ARGS=0.2.0`: all that a release needs, but the commit, the tag and the upload.

It sets the version, gives the changes in CHANGELOG.md that version and a date, checks and tests,
builds `dist/` and starts and reloads with each part of it, and writes the tag's text. Then it
prints what is left to type. Said twice it does the same again: nothing is lost by an error.
"""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSION = ROOT / "reloader/__init__.py"
CHANGES = ROOT / "CHANGELOG.md"
TAG_TEXT = ROOT / "dist/TAG"
UNRELEASED = "## Unreleased\n"
_NUMBER = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
_LINE = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)


def with_version(text: str, version: str) -> str:
    """Returns the text of `__init__.py` with another version."""
    changed, count = _LINE.subn(f'__version__ = "{version}"', text)
    if count != 1:
        raise ValueError("expected one line with __version__")
    return changed


def with_section(text: str, version: str, day: str) -> str:
    """Returns the changelog in which all that is unreleased is in `version`.

    A section of that version that is there already stays as it is. Raises ValueError if there is
    nothing to release.
    """
    if section(text, version):
        return text
    if not section(text, "Unreleased"):
        raise ValueError(f"nothing is under {UNRELEASED.strip()!r}")
    return text.replace(UNRELEASED, f"{UNRELEASED}\n## {version} - {day}\n", 1)


def section(text: str, name: str) -> str:
    """Returns what the changelog says under a version, "" for nothing."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        if head.split(" - ")[0] == name:
            return body.strip()
    return ""


def tag_text(text: str, version: str) -> str:
    """Returns the message of the tag: a title, and the changes in plain text."""
    lines = section(text, version).splitlines()
    return f"reloader {version}\n\n" + "\n".join(line.removeprefix("### ") for line in lines) + "\n"


def main() -> int:
    """Prepares the release of a version; returns 0, or 1 with the reason on stderr."""
    if len(sys.argv) != 2 or not _NUMBER.fullmatch(sys.argv[1]):
        print('which version? make release ARGS="0.2.0"', file=sys.stderr)
        return 1
    version = sys.argv[1]
    tag = f"v{version}"
    if _git("tag", "--list", tag):
        print(f"{tag} is released already", file=sys.stderr)
        return 1
    mine = {str(path.relative_to(ROOT)) for path in (VERSION, CHANGES)}
    others = {line[3:] for line in _git("status", "--porcelain").splitlines()} - mine
    if others:
        print(
            f"commit these first, or take them away: {', '.join(sorted(others))}", file=sys.stderr
        )
        return 1
    try:
        day = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
        changes = with_section(CHANGES.read_text(), version, day)
    except ValueError as error:
        print(f"CHANGELOG.md: {error}", file=sys.stderr)
        return 1
    CHANGES.write_text(changes)
    VERSION.write_text(with_version(VERSION.read_text(), version))
    for goal in ("check", "test", "test-dist", "dist"):
        print(f"make {goal}", flush=True)
        if subprocess.run(["make", goal], cwd=ROOT, check=False).returncode:
            print(f"make {goal} failed: mend it, and say make release again", file=sys.stderr)
            return 1
    TAG_TEXT.write_text(tag_text(changes, version))
    print(
        f"\nall is well; what is left:\n"
        f'  git commit -m "release: {version}" {" ".join(sorted(mine))}\n'
        f"  git tag -a {tag} -F {TAG_TEXT.relative_to(ROOT)}\n"
        f"  git push --follow-tags\n"
        f"  python -m twine upload dist/reloader_dev-*   (or: uv publish dist/reloader_dev-*)\n"
        f"  the other files of dist/ belong to the release's page, with SHA256SUMS"
    )
    return 0


def _git(*words: str) -> str:
    line = ["git", *words]
    return subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
