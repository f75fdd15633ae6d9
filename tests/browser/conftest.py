"""Tests with a real browser run only when they are asked for: `make test-browser`."""

from __future__ import annotations

from pathlib import Path


def pytest_configure(config):
    config.addinivalue_line("markers", "browser: needs a Chromium; make test-browser")


def pytest_collection_modifyitems(config, items):
    if "browser" in config.option.markexpr:
        return
    here = Path(__file__).parent
    left_out = [item for item in items if here in item.path.parents]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
