"""`make test` runs some of the files of `tests/air_configs`, `make air` (`-m air`) each of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "air: a real Air file that is run")
    config.addinivalue_line("markers", "quick: one that `make test` runs, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "air" in config.option.markexpr or config.option.keyword:
        return
    late = [i for i in items if i.path.is_relative_to(HERE) and not i.get_closest_marker("quick")]
    items[:] = [item for item in items if item not in late]
    config.hook.pytest_deselected(items=late)
