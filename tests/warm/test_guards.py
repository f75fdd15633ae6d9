"""Whatever has changed since the server imported: a start gives what a cold one gives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.warm.test_same import clean, compare

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Guard:
    """A project, libraries, what is edited before the second start, and what is told."""

    main: str
    libs: dict[str, str] = field(default_factory=dict)
    edits: dict[str, str] = field(default_factory=dict)
    how: str = "warm"
    told: str = ""
    files: dict[str, str] = field(default_factory=dict)


ENVLIB = "import os\nMODE = os.environ.get('LIBMODE', 'default')\n"
HOOK = """import sys
class F:
    def find_spec(self, n, p=None, t=None):
        if n.startswith('{lib}'): print('saw', n)
sys.meta_path.insert(0, F())
import {lib}
print({lib}.X)
"""
GUARDS = {
    "nothing": Guard("import a_lib; print(a_lib.X)", {"a_lib": "X = 1"}),
    "the project's own module, edited": Guard(
        "import b_lib, own; print(b_lib.X, own.Y)",
        {"b_lib": "X = 1"},
        {"{project}/own.py": "Y = 22"},
        files={"own.py": "Y = 1"},
    ),
    "the command itself, edited": Guard(
        "import c_lib; print(c_lib.X)", {"c_lib": "X = 1"}, {"{main}": "import c_lib; print('new')"}
    ),
    "a library, upgraded": Guard(
        "import d_lib; print(d_lib.X)",
        {"d_lib": "X = 'one'"},
        {"{site}/d_lib.py": "X = 'two'"},
        "",
        "has changed",
    ),
    "a package, installed": Guard(
        "try: import e_lib2 as e\nexcept ImportError: import e_lib as e\nprint(e.X)",
        {"e_lib": "X = 1"},
        {"{site}/e_lib2/__init__.py": "X = 2"},
        "",
        "site-packages has changed",
    ),
    "a .pth, new": Guard(
        "import f_lib, sys; print(f_lib.X, 'extra' in str(sys.path))",
        {"f_lib": "X = 1"},
        {"{site}/f_extra.pth": "{project}/f_extra", "{project}/f_extra/x.py": ""},
        "",
        "site-packages has changed",
    ),
    "a file that stands before a library": Guard(
        "import g_lib; print(g_lib.X)",
        {"g_lib": "X = 'library'"},
        {"{project}/g_lib.py": "X = 'project'"},
        told="stands before the library",
    ),
    "a folder that only looks like one": Guard(
        "import h_lib; print(h_lib.X)", {"h_lib": "X = 1"}, {"{project}/h_lib/notes.txt": "no code"}
    ),
    "an environment that the program sets": Guard(
        "import os; os.environ['LIBMODE'] = 'fast'\nimport i_lib; print(i_lib.MODE)",
        {"i_lib": ENVLIB},
    ),
    "an environment that is set otherwise": Guard(
        "import os; os.environ['LIBMODE'] = 'fast'\nimport j_lib; print(j_lib.MODE)",
        {"j_lib": ENVLIB},
        {"{main}": "import os; os.environ['LIBMODE'] = 'slow'\nimport j_lib; print(j_lib.MODE)"},
        told="another environment",
    ),
    "a thread": Guard(
        "import k_lib; print(k_lib.T.is_alive())",
        {
            "k_lib": "import threading, time\n"
            "T = threading.Thread(target=time.sleep, args=(9,), daemon=True)\nT.start()"
        },
        told="without k_lib: starts a thread",
    ),
    "a socket": Guard(
        "import l_lib; print(l_lib.S.fileno() > 2)",
        {"l_lib": "import socket\nS = socket.socket()"},
        told="without l_lib: opens socket",
    ),
    "an epoll": Guard(
        "import m_lib; print(m_lib.S.closed)",
        {"m_lib": "import select\nS = select.epoll()"},
        told="without m_lib: opens anon_inode",
    ),
    "a child": Guard(
        "import n_lib; print(n_lib.P.wait())",
        {"n_lib": "import subprocess\nP = subprocess.Popen(['sleep', '0.3'])"},
        told="without n_lib: starts a process",
    ),
    "a print": Guard(
        "print('first')\nimport o_lib",
        {"o_lib": "print('o_lib is here')"},
        told="without o_lib: prints",
    ),
    "a change of the environment": Guard(
        "import os, p_lib; print(os.environ['P_LIB'])",
        {"p_lib": "import os; os.environ['P_LIB'] = '1'"},
        told="without p_lib: changes the environment",
    ),
    "an import hook of the program's": Guard(HOOK.format(lib="q_lib"), {"q_lib": "X = 1"}),
    "an import hook that is new": Guard(
        "import r_lib; print(r_lib.X)",
        {"r_lib": "X = 1"},
        {"{main}": HOOK.format(lib="r_lib").replace("print('saw', n)", "pass")},
        told="import hook __main__.F",
    ),
    "a patch of the program's": Guard(
        "import socket\nclass P: pass\nsocket.socket = P\nimport s_lib; print(s_lib.N)",
        {"s_lib": "from socket import socket as S\nN = S.__name__"},
    ),
    "a patch that is new": Guard(
        "import socket\nimport t_lib; print(t_lib.N)",
        {"t_lib": "from socket import socket as S\nN = S.__name__"},
        {
            "{main}": "import socket\nclass P: pass\nsocket.socket = P\n"
            "import t_lib; print(t_lib.N)"
        },
        told="socket.socket is replaced by __main__",
    ),
    "a library that imports the project": Guard(
        "import sys, os; sys.path.insert(0, 'plugins')\nimport u_lib; print(u_lib.X)",
        {"u_lib": "try: from u_plugin import X\nexcept ImportError: X = 0"},
        {"{project}/plugins/u_plugin.py": "X = 2"},
        told="",
        files={"plugins/u_plugin.py": "X = 1"},
    ),
    "a server that was killed": Guard(
        "import v_lib; print(v_lib.X)", {"v_lib": "X = 1"}, {"SIGNAL": "SIGKILL"}, "", "ended"
    ),
    "a server that hangs": Guard(
        "import w_lib; print(w_lib.X)",
        {"w_lib": "X = 1"},
        {"SIGNAL": "SIGSTOP"},
        "",
        "has not answered",
    ),
    "a library that fails": Guard(
        "try: import x_lib\nexcept Exception as e: print(repr(e))",
        {"x_lib": "raise ValueError('not here')"},
        told="without x_lib: can't be imported alone",
    ),
    "random numbers": Guard(
        "import random, y_lib; print(random.random() != y_lib.before)",
        {"y_lib": "import random\nbefore = random.random()"},
    ),
    "a library with many": Guard(
        "import sys, z_lib.a; print(sorted(m for m in sys.modules if m.startswith('z_lib')))\n"
        "import z_lib.b; print(z_lib.b.NAME)",
        {"z_lib/__init__": "", "z_lib/a": "from z_lib import c", "z_lib/b": "NAME = __name__",
         "z_lib/c": ""},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """All of them at once, each with a command of its own, in one virtual environment."""
    base = tmp_path_factory.mktemp("guards")
    made = [sys.executable, "-m", "venv", "--without-pip", str(base / "venv")]
    subprocess.run(made, check=True)
    site = next((base / "venv").glob("lib/python*/site-packages"))
    answers = {}
    for name, guard in GUARDS.items():
        # A server is told of each change below site-packages: so each guard comes by itself.
        folder = base / f"project {len(answers)}"
        folder.mkdir()
        for at, text in guard.libs.items():
            write(site / f"{at}.py", text)
        for at, text in {"main.py": guard.main, **guard.files}.items():
            write(folder / at, text)
        places = {"project": folder, "site": site, "main": folder / "main.py"}
        edits = [[at.format(**places), text.format(**places) if ".pth" in at else text]
                 for at, text in guard.edits.items()]  # fmt: skip
        case = {"argv": [str(base / "venv/bin/python"), "main.py"], "edits": edits}
        (answers[name],) = compare(folder, [case], clean())
    return answers


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("name", GUARDS)
def test_never_unsound(outcomes: dict[str, dict], name: str) -> None:
    """A start gives what a cold one gives, and why it is cold, or what it does without, is told."""
    it, guard = outcomes[name], GUARDS[name]

    assert it["watched"] == it["plain"]
    assert it["warm"] == it.get("after", it["plain"])
    assert guard.told in "\n".join(it["told"]), it["told"]
    assert it["how"] == guard.how, it["told"]
