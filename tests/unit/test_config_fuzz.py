"""Random Air files: converted and printed they mean the same, and no command is at a loss."""

from __future__ import annotations

import json
import random

import pytest

from reloader.commands import check
from reloader.commands.explain import explain
from reloader.config import model
from reloader.config.load import Invocation, read
from reloader.config.model import Kind
from reloader.config.toml_writer import effective, value_of
from tests.helpers.converting import convert
from tests.unit.test_config_load import loaded

OPTIONS = {key: option for key, option, _ in model.options() if key != "root"}
KEYS = (*OPTIONS, "build.rules")
TEXTS = (
    *("", "make", "./tmp/main", "a b", "tmp\\main.exe", "x # y", "it's", 'a"b', "日本", "*", "go"),
    *("go build -o ./tmp/main .", "../x", "web", "**/x", "_test.go", "[a-z]+", ".env", "*.go"),
)
NUMBERS = {
    Kind.FLAG: ("true", "false"),
    Kind.MILLIS: ("0", "1000", "500", "1_000", "-3", "0x10"),
    Kind.PORT: ("0", "8080"),
    Kind.DURATION: ("0", "500", '"0s"', '"1m30s"', "2000000000", '"1500ms"', '"500us"', "-1"),
    Kind.SIGNAL: ('"INT"', '"SIGTERM"', '""'),
    Kind.READY: ('"/health"', '"exec: true"', '"notify"', '""'),
}


class Author:
    """Writes what people write: odd spaces, comments, cases, quotes, tables."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def sometimes(self, share):
        return self.random.random() < share

    def file(self):
        lines = self.keys("", 3)
        for section in self.random.sample(model.SECTIONS[:-1], self.random.randint(0, 5)):
            lines += ["", f"[{section}]", *self.keys(f"{section}.", 8)]
            if section == "build" and self.sometimes(0.3):
                lines += ["[build.linux]", 'cmd = "other"']
            if section == "build" and self.sometimes(0.3):
                lines += ["[[build.rules]]", "cmd='x'", "include_ext=['css']", "delay=1000"]
            if self.sometimes(0.2):
                lines += ["unknown = 3 # nobody knows"]
        return "\n".join(lines) + "\n"

    def keys(self, prefix, most):
        of_table = [key for key in OPTIONS if key.rpartition(".")[0] == prefix.rstrip(".")]
        count = self.random.randint(0, min(most, len(of_table)))
        return [line for key in self.random.sample(of_table, count) for line in self.setting(key)]

    def setting(self, key):
        name = key.rpartition(".")[2]
        if self.sometimes(0.05):
            name = self.random.choice([name.upper(), name.title()])
        above = [self.random.choice([f"# about {key}", "", "   "])] if self.sometimes(0.3) else []
        head = " " * self.random.choice([0, 2]) + name + self.random.choice([" = ", "=", " ="])
        return [*above, head + self.value(OPTIONS[key]) + self.random.choice(["", " # ms", "# x"])]

    def value(self, option):
        if option.choices:
            return json.dumps(self.random.choice(option.choices))
        if option.kind in NUMBERS:
            return self.random.choice(NUMBERS[option.kind])
        if option.kind is Kind.TEXT or self.sometimes(0.2):
            return self.text()
        items = [self.text() for _ in range(self.random.randint(0, 3))]
        if self.sometimes(0.3):
            return "[\n" + "".join(f"  {item}, # one\n" for item in items) + "]"
        return f"[{', '.join(items)}]"

    def text(self):
        text = self.random.choice(TEXTS)
        is_literal = "'" not in text and self.sometimes(0.5)
        return f"'{text}'" if is_literal else json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("seed", range(60))
def test_random_air_files(tmp_path, seed):
    """Whatever loads means the same after `init --from`, and after `check --print`."""
    author = Author(seed)
    (tmp_path / ".air.toml").write_text(author.file(), encoding="utf-8")
    (tmp_path / "main.go").touch()
    if author.sometimes(0.5):
        (tmp_path / "go.mod").touch()
    reading = read(Invocation(".air.toml"), {"HOME": "/nowhere"}, str(tmp_path))
    findings = check.check(reading, {"PATH": "/bin"})
    assert all(json.dumps(finding.record()) and list(finding.lines()) for finding in findings)
    if reading.config is None:
        return
    assert list(explain(["main.go", ".", "build", "x/y.css"], reading, str(tmp_path)))

    convert(str(tmp_path), ".air.toml", {"HOME": "/nowhere"}, force=False)

    ours = loaded(tmp_path)
    printed = loaded(tmp_path, "\n".join(effective(ours)), name="printed.toml", file="printed.toml")
    for key in KEYS:
        assert value_of(reading.config, key) == value_of(ours, key) == value_of(printed, key), key
