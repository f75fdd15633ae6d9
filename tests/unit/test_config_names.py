"""What the apps of one run are called."""

from __future__ import annotations

import pytest

from reloader.config.names import names


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([".air.worker.toml", ".air.server.toml"], ("worker", "server")),
        (["backend/.air.toml", "apps/web/.reload.toml"], ("backend", "web")),
        ([".air.toml", ".air.worker.toml"], ("app", "worker")),
        (["api/.air.dev.toml", "jobs/.air.dev.toml"], ("api/dev", "jobs/dev")),
        (["cmd/sink/.config/air.toml", "./.config/air.toml"], ("sink", "app")),
        (["a.toml", "b.toml"], ("a", "b")),
        ([".air.toml", "./.air.toml"], ("app", "app-2")),
        (["api/.air.toml", "old/api/.air.toml"], ("api", "api-2")),
        (["init/.air.worker.test.toml"], ("worker-test",)),
    ],
)
def test_names_are_short_and_distinct(files, expected):
    """From the file's name, or its folder's where that says nothing, or a number."""
    assert names(files) == expected
