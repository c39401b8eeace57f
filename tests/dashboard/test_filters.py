"""Numbers and durations as pages show them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from streamwatch.dashboard import filters
from streamwatch.domain.models import EventType, Source, StreamEvent


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (0, "0 s"), (45.9, "45 s"), (60, "1 min"), (3600, "1 h 00 min")],  # noqa: RUF001
)
def test_a_duration_below_a_minute_is_in_seconds(seconds: float | None, shown: str) -> None:
    assert filters.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (999.5, "999.5"),
        (9_999, "9,999"),
        (12_345, "12.3K"),
        (999_940, "999.9K"),
        (999_960, "1.0M"),
        (4_500_000, "4.5M"),
    ],
)
def test_an_abbreviated_number_has_at_most_three_digits_before_its_unit(
    value: float, shown: str
) -> None:
    assert filters.short(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (0, "0"), (12_345.678, "12345.68"), (100.0, "100.00")]
)
def test_a_number_of_a_csv_file_is_not_abbreviated(value: float | None, shown: str) -> None:
    assert filters.exact(value) == shown


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({}, "title or category"),
        ({"changed": ["language"]}, "language"),
        ({"changed": ["title", "category"]}, "title and category"),
        ({"changed": ["title", "category", "language"]}, "title, category and language"),
    ],
)
def test_an_update_is_named_by_what_it_changed(data: dict[str, Any], shown: str) -> None:
    event = StreamEvent(
        "e1", EventType.UPDATE, "1", "ann", "Ann", datetime.now(UTC), data, Source.EVENTSUB
    )
    assert filters.changes(event) == shown
