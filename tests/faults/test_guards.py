"""What the negative controls switch off is there: a name that is gone proves nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import blinded
from tests.faults.catalogue import all_faults

HERE = Path(__file__).parent
WORLD = ("naive", "naive, events", "naive, times")


class Checked(ast.NodeTransformer):
    """Before an attribute is set, it is read: setting one that is not there changes nothing."""

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        found = [target for target in node.targets if isinstance(target, ast.Attribute)]
        reads = [ast.parse(ast.unparse(target)).body[0] for target in found]
        return [*reads, node]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """What stands in the place of the honest function sets what it likes."""
        if node.col_offset:
            return node
        return self.generic_visit(node)


def names(module: str) -> list[str]:
    tree = ast.parse((HERE / f"{module}.py").read_text())
    (table,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GUARDS"
    )
    return [ast.literal_eval(key) for key in table.keys]


def code(module: str) -> str:
    tree = Checked().visit(ast.parse((HERE / f"{module}.py").read_text()))
    return ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.quick
@pytest.mark.parametrize("module", ["weakened", "blinded"])
def test_what_is_switched_off_is_there(module: str, tmp_path: Path) -> None:
    """Each guard in a process of its own, with the real modules."""
    body = code(module).partition("if __name__ ==")[0]
    script = tmp_path / "guards.py"
    script.write_text(
        f"{body}\n"
        "import reloader.commands.run, reloader.commands.app, reloader.watch.watcher\n"
        "import traceback\n"
        "for name, guard in GUARDS.items():\n"
        "    if not (pid := os.fork()):\n"
        "        try:\n"
        "            guard()\n"
        "        except BaseException as error:\n"
        "            print(f'{name}: {error!r}', flush=True)\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
    )
    done = subprocess.run(
        (sys.executable, str(script)),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
        check=False,
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.quick
def test_each_guard_is_some_faults_control() -> None:
    """No guard is left over, and none is missing."""
    used = {fault.control for fault in all_faults()} - set(WORLD)
    tuned = {"haste", "late", "deaf", "closed", "restless", "unhurried", "no threads"}
    assert used == {*names("weakened"), *names("blinded")} - tuned
    assert set(names("blinded")) == set(blinded.GUARDS)
