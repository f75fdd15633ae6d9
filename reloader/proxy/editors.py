"""Addresses that open a file in an editor: the browser starts it, reloader starts nothing. Pure.

So the editor is the one of the machine that the browser runs on, also if the app is in a container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

EDITORS = {
    "vscode": "vscode://file{file}:{line}:{column}",
    "cursor": "cursor://file{file}:{line}:{column}",
    "windsurf": "windsurf://file{file}:{line}:{column}",
    "zed": "zed://file{file}:{line}:{column}",
    "idea": "idea://open?file={file}&line={line}&column={column}",
    "sublime": "subl://open?url=file://{file}&line={line}&column={column}",
    "none": "",
}


def guess(environ: Mapping[str, str]) -> str:
    """Returns the editor in whose terminal reloader runs, VS Code if it is in none."""
    if "JetBrains" in environ.get("TERMINAL_EMULATOR", ""):
        return "idea"
    if environ.get("TERM_PROGRAM") == "zed" or environ.get("ZED_TERM"):
        return "zed"
    if environ.get("CURSOR_TRACE_ID"):
        return "cursor"
    return "vscode"


def address(editor: str, file: str, line: int, column: int, path_map: Mapping[str, str]) -> str:
    """Returns the address that opens this place, "" if there is none; `file` is absolute."""
    template = EDITORS.get(editor, editor if "{file}" in editor else "")
    for inside in sorted(path_map, key=len, reverse=True):
        if file == inside or file.startswith(inside.rstrip("/") + "/"):
            file = path_map[inside].rstrip("/") + file[len(inside.rstrip("/")) :]
            break
    path = quote(file.replace("\\", "/"))
    if not path.startswith("/"):  # C:/project
        path = "/" + path
    filled = template.replace("{file}", path).replace("{line}", str(line))
    return filled.replace("{column}", str(column or 1))
