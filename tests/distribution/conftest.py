"""Tests of what `make dist` builds run only when they are asked for: `make test-dist`."""

from __future__ import annotations

from pathlib import Path


def pytest_configure(config):
    config.addinivalue_line("markers", "dist: builds a release first; make test-dist")


def pytest_collection_modifyitems(config, items):
    if "dist" in config.option.markexpr:
        return
    here = Path(__file__).parent
    left_out = [item for item in items if here in item.path.parents]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
