"""Pages that need packages or compilers are played only when asked for: `make test-docs`."""

from __future__ import annotations

from pathlib import Path


def pytest_configure(config):
    config.addinivalue_line("markers", "docs: a page of the docs that needs packages")


def pytest_collection_modifyitems(config, items):
    if "docs" in config.option.markexpr:
        return
    here = Path(__file__).parent
    late = [i for i in items if here in i.path.parents and i.get_closest_marker("docs")]
    config.hook.pytest_deselected(items=late)
    items[:] = [item for item in items if item not in late]
