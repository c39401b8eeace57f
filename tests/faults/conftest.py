"""Collects the figures of a run, prints them at its end, and keeps them where `make soak` asks."""

import os
from collections.abc import Callable
from dataclasses import astuple

import pytest

from tests.faults.figures import Row, keep, table

_NAME = "faults"


@pytest.fixture
def keep_row(record_property: Callable[[str, object], None]) -> Callable[[Row], None]:
    """Puts a row into the table of faults."""
    return lambda row: record_property(_NAME, astuple(row))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        Row(*value)
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == _NAME
    ]
    if not rows:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(table(rows))
    if os.environ.get("KEEP_FIGURES"):
        keep(_NAME, table(rows))
