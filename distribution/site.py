"""What the site of the docs takes from outside of `docs/`; hooks of MkDocs (mkdocs.yml).

Pages link to files of the repository as they do on a code host. In the site the changelog and the
page for contributors are pages, and a link to another file becomes its path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
BROUGHT = ("CHANGELOG.md", "CONTRIBUTING.md")
_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages from the top directory."""
    for name in BROUGHT:
        files.append(File.generated(config, name, content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turns links that leave `docs/` into links to brought pages, or into text."""
    if page.file.src_uri.startswith("guides/"):
        return markdown
    return _LINK.sub(_inside, markdown)


def _inside(link: re.Match[str]) -> str:
    words, target = link.groups()
    if target in BROUGHT:
        return f"[{words}]({target})"
    return words if words == target or words.startswith("`") else f"{words} (`{target}`)"
