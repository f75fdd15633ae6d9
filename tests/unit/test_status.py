"""How things stand, as `reloader healthcheck` tells it."""

from __future__ import annotations

import pytest

from reloader.control.status import Status
from reloader.core.news import (
    AppExited,
    AppStarted,
    AppStopped,
    BuildFailed,
    BuildSucceeded,
    StartFailed,
)

UP = AppStarted("app", 7)
BROKEN = BuildFailed("make", "exit 2", 1.0, 7)


@pytest.mark.parametrize(
    ("news", "trouble", "app_only"),
    [
        ((), "not been started", "not been started"),
        ((UP,), "", ""),
        ((UP, BROKEN), "the last build failed: exit 2; the app goes on as pid 7", ""),
        ((UP, BROKEN, BuildSucceeded("make", 1.0)), "", ""),
        ((UP, AppExited(7, False, "exit 3", 1.0, None)), "exit 3", "exit 3"),
        ((UP, AppStopped(7, 0.1, killed=False)), "being replaced", "being replaced"),
        ((StartFailed("app", "./x", "not found", None),), "./x: not found", "./x: not found"),
    ],
)
def test_trouble(news, trouble, app_only):
    """What is down or built badly is said; `--app-only` minds no failed build."""
    status = Status(1, "/srv/project", has_app=True)
    for item in news:
        status = status.after(item)
    assert trouble in status.trouble(app_only=False)
    assert bool(status.trouble(app_only=False)) is bool(trouble)
    assert app_only in status.trouble(app_only=True)
    assert bool(status.trouble(app_only=True)) is bool(app_only)
