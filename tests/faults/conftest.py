"""Collects the results of a run, prints them at its end and, for `make soak`, writes them to
docs/."""

import os
from collections.abc import Callable
from dataclasses import astuple

import pytest

from tests.faults.results import Row, machine, table, write_results

KeepRow = Callable[[Row], None]
KeepText = Callable[[str, str], None]

_ROW = "fault"
_TEXT = "text"


@pytest.fixture
def keep_row(record_property: Callable[[str, object], None]) -> KeepRow:
    """Adds a row to the table of faults."""
    return lambda row: record_property(_ROW, astuple(row))


@pytest.fixture
def keep_text(record_property: Callable[[str, object], None]) -> KeepText:
    """Records a text under a name."""
    return lambda name, text: record_property(_TEXT, (name, text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    properties = [item for report in reports for item in report.user_properties]
    texts = dict(value for name, value in properties if name == _TEXT)
    if rows := [Row(*value) for name, value in properties if name == _ROW]:
        texts["faults"] = table(rows)
    if texts:
        texts["machine"] = machine()
    for name, text in texts.items():
        terminalreporter.section(name)
        terminalreporter.write_line(text)
        if os.environ.get("WRITE_RESULTS"):
            write_results(name, text)
