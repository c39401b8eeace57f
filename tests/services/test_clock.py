"""The clock that Twitch's times correct."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from streamwatch.services.clock import CorrectedClock

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> CorrectedClock:
    return CorrectedClock(lambda: NOW)


def shifted(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [-300, -3, 3, 300])
def test_the_date_of_an_answer_corrects_the_clock(clock: CorrectedClock, seconds: int) -> None:
    clock.observe_answer(shifted(seconds), 0)
    assert abs(clock() - shifted(seconds)) <= timedelta(seconds=1)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_difference_within_the_precision_of_a_date_is_not_corrected(
    clock: CorrectedClock, seconds: int
) -> None:
    clock.observe_answer(shifted(seconds), 0)
    assert clock() == NOW


def test_a_slow_answer_does_not_move_the_clock(clock: CorrectedClock) -> None:
    clock.observe_answer(shifted(-9), 10)
    assert clock() == NOW


def test_a_clock_that_was_synchronized_is_no_longer_corrected(clock: CorrectedClock) -> None:
    clock.observe_answer(shifted(300), 0)
    clock.observe_answer(NOW, 0)
    assert clock() == NOW


@pytest.mark.parametrize("seconds", [-900, 900])
def test_a_clock_that_is_set_is_not_corrected_by_its_old_error(seconds: int) -> None:
    wall, elapsed = NOW, 0.0
    clock = CorrectedClock(lambda: wall, lambda: elapsed)
    clock.observe_answer(shifted(seconds), 0)
    wall, elapsed = shifted(seconds + 3600), 3600.0  # NTP has corrected the machine's clock
    assert clock() == wall
    assert not clock.is_far


def test_a_correction_lasts_while_nobody_sets_the_clock() -> None:
    wall, elapsed = NOW, 0.0
    clock = CorrectedClock(lambda: wall, lambda: elapsed)
    clock.observe_answer(shifted(900), 0)
    wall, elapsed = shifted(86_400), 86_400.5
    assert abs(clock() - shifted(87_300)) <= timedelta(seconds=1)


def test_one_answer_with_another_date_does_not_move_the_clock(clock: CorrectedClock) -> None:
    clock.observe_answer(shifted(60), 0)
    clock.observe_answer(shifted(-4000), 0)
    assert abs(clock() - shifted(60)) <= timedelta(seconds=1)
    clock.observe_answer(shifted(60), 0)
    clock.observe_answer(shifted(-4000), 0)
    assert abs(clock() - shifted(60)) <= timedelta(seconds=1)


def test_a_second_answer_confirms_another_date(clock: CorrectedClock) -> None:
    clock.observe_answer(NOW, 0)
    clock.observe_answer(shifted(300), 0)
    clock.observe_answer(shifted(301), 0)
    assert abs(clock() - shifted(300)) <= timedelta(seconds=2)


def test_a_date_of_another_day_is_ignored(clock: CorrectedClock) -> None:
    for _ in range(3):
        clock.observe_answer(NOW - timedelta(days=2), 0)
    assert clock() == NOW


def test_a_message_is_never_from_the_future(clock: CorrectedClock) -> None:
    clock.observe_message(shifted(-500))
    assert clock() == NOW
    clock.observe_message(shifted(120))
    assert clock() == shifted(120)


def test_a_large_difference_is_warned_of_once(
    clock: CorrectedClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for seconds in (-300, -301, -310):
            clock.observe_answer(shifted(seconds), 0)
    [record] = caplog.records
    assert "300 s ahead of Twitch's" in record.getMessage() or "299" in record.getMessage()
    assert clock.is_far


def test_a_date_at_the_end_of_the_calendar_is_ignored(clock: CorrectedClock) -> None:
    clock.observe_answer(datetime.max.replace(tzinfo=UTC), 3)
    assert clock() == NOW
