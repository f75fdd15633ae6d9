"""A program can't tell how it was started: plainly, watched or warm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.warm.programs import FILES, OTHERS, SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

# What differs by nature, or starts cold because it can't be started warm.
STAYS_COLD: set[str] = set()


def clean(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "FOO": "bar", **more}


def compare(folder: Path, cases: list[dict], env: dict[str, str]) -> list[dict]:
    """What came of each case, by `tests.warm.lab`."""
    folder.mkdir(exist_ok=True)
    stdin = folder / "stdin"
    stdin.write_text("line 1\nline 2\n")
    job = {"cwd": str(folder), "env": env, "stdin": str(stdin), "cases": cases}
    file = folder.parent / "job.json"
    file.write_text(json.dumps(job))
    ran = subprocess.run(
        [sys.executable, "-m", "tests.warm.lab", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("same") / "project"
    folder.mkdir()
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    commands = [*([name, "a b", "--x"] for name in SCRIPTS), *OTHERS]
    cases = [{"argv": [sys.executable, *words]} for words in commands]
    answers = compare(folder, cases, clean(PYTHONDONTWRITEBYTECODE="1"))
    answers = json.loads(re.sub("0x[0-9a-f]{8,}", "0xADDRESS", json.dumps(answers)))
    return {" ".join(words): answer for words, answer in zip(commands, answers, strict=True)}


@pytest.mark.parametrize("words", [*([n, "a b", "--x"] for n in SCRIPTS), *OTHERS], ids=" ".join)
def test_a_program_cannot_tell(outcomes: dict[str, dict], words: list[str]) -> None:
    """Exit status, output and what it reads of itself are the same, cold, watched and warm."""
    it = outcomes[" ".join(words)]

    assert it["watched"] == it["plain"]
    assert it["warm"] == it["plain"]
    assert it["how"] == "warm" or words[0] in STAYS_COLD, it["told"]
