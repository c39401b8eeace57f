from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.analytics.testing.build import CAP, at, snapshot
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.statistics import HOUR_MS, SampleTotals, Sums, compute_totals, milliseconds

CAP_MS = milliseconds(CAP)

Samples = list[StreamSnapshot]


@st.composite
def series(draw: st.DrawFn, longest_gap: int = 3 * CAP_MS) -> Samples:
    """Samples of one stream, gaps in milliseconds."""
    gaps = draw(st.lists(st.integers(1, longest_gap), min_size=1, max_size=12))
    viewers = st.integers(0, 100_000)
    categories = st.sampled_from([("1", "Chess"), ("2", "Go"), ("", "")])
    times = [sum(gaps[: number + 1]) / 1000 for number in range(len(gaps))]
    return [snapshot("s1", time, draw(viewers), category=draw(categories)) for time in times]


def figures(samples: Samples, end_ms: int | None = 0) -> SampleTotals:
    end = None
    if end_ms is not None:
        end = samples[-1].captured_at + timedelta(milliseconds=end_ms)
    return compute_totals(samples, end, CAP)


# By hand


def test_a_sample_counts_until_the_next_and_the_last_until_the_end() -> None:
    result = compute_totals([snapshot("s1", 0, 100), snapshot("s1", 300, 40)], at(400), CAP).sums
    assert result.viewer_ms == (100 * 300 + 40 * 100) * 1000
    assert result.observed_ms == 400 * 1000
    assert result.average == 85
    assert result.hours_watched == 34_000 / 3600
    assert (result.max_viewers, result.samples) == (100, 2)


def test_the_last_sample_of_an_ongoing_stream_counts_for_no_time() -> None:
    result = compute_totals([snapshot("s1", 0, 100), snapshot("s1", 300, 40)], None, CAP).sums
    assert result.viewer_ms == 100 * 300 * 1000


def test_no_sample_counts_for_more_than_the_cap() -> None:
    samples = [snapshot("s1", 0, 100), snapshot("s1", 5000, 40)]
    assert compute_totals(samples, at(9000), CAP).sums.observed_ms == 2 * CAP_MS


def test_samples_cover_no_time_after_the_end() -> None:
    samples = [snapshot("s1", 0, 100), snapshot("s1", 300, 40)]
    assert compute_totals(samples, at(200), CAP).sums.viewer_ms == 100 * 200 * 1000


def test_while_no_time_was_observed_the_average_is_the_plain_mean() -> None:
    assert compute_totals([snapshot("s1", 0, 100)], None, CAP).sums.average == 100
    assert (Sums(samples=1, viewer_sum=100) + Sums(samples=1, viewer_sum=50)).average == 75


def test_without_samples_nothing_is_known() -> None:
    sums = compute_totals([], at(100), CAP).sums
    assert (sums.average, sums.max_viewers, sums.hours_watched) == (None, None, 0)


def test_a_category_takes_the_time_of_its_own_samples() -> None:
    chess, go = ("1", "Chess"), ("2", "Go")
    samples = [
        snapshot("s1", 0, 100, category=chess),
        snapshot("s1", 100, 50, category=go),
        snapshot("s1", 300, 10, category=chess),
    ]
    first, second = compute_totals(samples, at(310), CAP).categories
    assert (first.category_name, first.sums.observed_ms, first.sums.samples) == (
        "Chess",
        110_000,
        2,
    )
    assert (second.category_name, second.sums.viewer_ms) == ("Go", 50 * 200_000)
    assert (first.sums.max_viewers, second.sums.max_viewers) == (100, 50)


def test_a_category_has_its_newest_name() -> None:
    names = ["Twitch Plays", "Twitch Sings"]
    samples = [snapshot("s1", n, category=("9", name)) for n, name in enumerate(names)]
    [category] = compute_totals(samples, None, CAP).categories
    assert category.category_name == "Twitch Sings"


# By definition


@given(series(), st.integers(-2 * CAP_MS, 2 * CAP_MS) | st.none())
def test_statistics_match_their_definition(samples: Samples, end_ms: int | None) -> None:
    cap = Fraction(CAP_MS)
    times = [Fraction(milliseconds(item.captured_at - at(0))) for item in samples]
    end = times[-1] + (end_ms or 0)
    limit = [end] if end_ms is not None else []
    following = [*times[1:], end]
    durations = [
        max(min(after, time + cap, *limit) - time, Fraction(0))
        for time, after in zip(times, following, strict=True)
    ]
    watched = sum(s.viewer_count * time for s, time in zip(samples, durations, strict=True))
    sums = figures(samples, end_ms).sums
    assert (sums.viewer_ms, sums.observed_ms) == (watched, sum(durations))
    assert sums.max_viewers == max(sample.viewer_count for sample in samples)


@given(series(), st.integers(1, 2 * CAP_MS))
def test_hours_watched_are_average_viewers_times_observed_hours(
    samples: Samples, end_ms: int
) -> None:
    sums = figures(samples, end_ms).sums
    assert sums.average is not None
    assert sums.hours_watched == pytest.approx(sums.average * sums.observed_ms / HOUR_MS)


@given(series(longest_gap=CAP_MS), st.integers(0, CAP_MS), st.data())
def test_splitting_a_sample_changes_no_time(
    samples: Samples, end_ms: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(samples) - 1))
    end = samples[-1].captured_at + timedelta(milliseconds=end_ms)
    first = samples[number]
    until = samples[number + 1].captured_at if number + 1 < len(samples) else end
    later = data.draw(st.integers(0, milliseconds(until - first.captured_at)))
    second = replace(first, captured_at=first.captured_at + timedelta(milliseconds=later))
    split = [*samples[: number + 1], second, *samples[number + 1 :]]
    whole, parts = compute_totals(samples, end, CAP), compute_totals(split, end, CAP)
    assert (whole.sums.viewer_ms, whole.sums.observed_ms) == (
        parts.sums.viewer_ms,
        parts.sums.observed_ms,
    )
    assert whole.quarters == parts.quarters


@given(series(), st.integers(0, CAP_MS))
def test_the_parts_add_up_to_the_whole(samples: Samples, end_ms: int) -> None:
    result = figures([s for s in samples if s.category_id] or samples, end_ms)
    for name in ("observed_ms", "viewer_ms"):
        whole = getattr(result.sums, name)
        assert sum(getattr(quarter, name) for quarter in result.quarters) == whole
        if any(sample.category_id for sample in samples):
            assert sum(getattr(category.sums, name) for category in result.categories) == whole


@given(series(), st.integers(0, 12), st.none() | st.integers(0, CAP_MS), st.integers(0, CAP_MS))
def test_statistics_continue_after_old_samples_expire(
    samples: Samples, kept: int, end_before: int | None, end_ms: int
) -> None:
    earlier = samples[: len(samples) - kept]
    end = samples[-1].captured_at + timedelta(milliseconds=end_ms)
    until = None
    if earlier and end_before is not None:
        until = earlier[-1].captured_at + timedelta(milliseconds=end_before)
    before = compute_totals(earlier, until, CAP)
    assert compute_totals(samples[-kept:] if kept else [], end, CAP, before) == compute_totals(
        samples, end, CAP
    )


@given(st.lists(series(), min_size=1, max_size=5), st.randoms())
def test_sums_are_the_same_in_whatever_order_they_are_added(
    several: list[Samples], random: Random
) -> None:
    parts = [figures(samples).sums for samples in several]
    total = sum(parts, Sums())
    random.shuffle(parts)
    assert sum(parts, Sums()) == total
