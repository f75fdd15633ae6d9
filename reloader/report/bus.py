"""Gives news to each report in turn, on the main thread."""

from __future__ import annotations

from collections.abc import Callable

from reloader.core.news import News, Warned

Report = Callable[[News], None]


class Bus:
    """A report returns at once; one that raises is dropped, and that is news too."""

    def __init__(self, *reports: Report) -> None:
        self._reports = list(reports)

    def add(self, report: Report) -> None:
        self._reports.append(report)

    def remove(self, report: Report) -> None:
        if report in self._reports:  # it may have been dropped
            self._reports.remove(report)

    def publish(self, news: News) -> None:
        broken: list[str] = []
        for report in list(self._reports):
            try:
                report(news)
            except Exception as error:  # noqa: BLE001 -- whatever it is, the app goes on
                self._reports.remove(report)
                broken.append(f"{_name(report)} is off: {error}")
        for text in broken:
            self.publish(Warned(text))


def _name(report: Report) -> str:
    report = getattr(report, "func", report)  # of a partial
    return str(getattr(report, "name", type(report).__name__))
