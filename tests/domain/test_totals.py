from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streamwatch.analytics.testing.build import (
    Piece,
    at,
    expected_sessions,
    history,
    offline,
    online,
    snapshot,
)
from streamwatch.api.analytics_documents import period_document, session_document, stats_document
from streamwatch.domain.session_events import Identity, ObservedName
from streamwatch.domain.statistics import HOUR_MS
from streamwatch.domain.totals import Period, StreamerStats, Totals, totals


def test_a_streamers_average_weighs_by_time_and_not_by_stream() -> None:
    short: list[Piece] = [online("s1", 0), snapshot("s1", 0, 1000), offline("s1", 100)]
    long: list[Piece] = [
        online("s2", 5000),
        snapshot("s2", 5000, 10, started=5000),
        offline("s2", 5500),
    ]
    found = totals(expected_sessions([*short, *long]).values())
    assert found.sums.average == (1000 * 100 + 10 * 500) / 600


def test_ongoing_streams_have_no_part_in_the_average_duration() -> None:
    ongoing = snapshot("s2", 400, started=100)
    pieces: list[Piece] = [online("s1", 0), offline("s1", 60), online("s2", 100), ongoing]
    found = totals(expected_sessions(pieces).values())
    assert (found.streams, found.ended_streams) == (2, 1)
    assert (found.airtime_ms, found.ended_airtime_ms) == (360_000, 60_000)
    identity = Identity("1", ObservedName(at(400), "ann", "Ann"), at(0))
    document = stats_document(StreamerStats(identity, found))
    assert document["avg_stream_duration_minutes"] == 1
    none_ended = stats_document(StreamerStats(identity, Totals(streams=1, airtime_ms=5)))
    assert none_ended["avg_stream_duration_minutes"] is None
    assert none_ended["last_stream_at"] is None


@given(st.randoms(use_true_random=False))
def test_totals_are_the_sums_of_any_parts(random: Random) -> None:
    sessions = list(expected_sessions(history(random)).values())
    cut = random.randint(0, len(sessions))
    assert totals(sessions[:cut]) + totals(sessions[cut:]) == totals(sessions)


@given(st.randoms(use_true_random=False))
def test_hours_watched_are_average_viewers_times_observed_hours(random: Random) -> None:
    sums = totals(expected_sessions(history(random)).values()).sums
    if sums.observed_ms:
        assert sums.average is not None
        observed_hours = sums.observed_ms / HOUR_MS
        assert abs(sums.hours_watched - sums.average * observed_hours) < 1e-6


def test_statistics_are_rounded_only_in_the_response() -> None:
    samples = [snapshot("s1", n, n) for n in (0, 1, 5)]
    pieces: list[Piece] = [online("s1", 0), *samples, offline("s1", 7)]
    [session] = expected_sessions(pieces).values()
    document = session_document(session)
    assert document["avg_viewers"] == round((1 * 4 + 5 * 2) / 7, 2) == 2.0
    assert document["duration_minutes"] == round(7 / 60, 2) == 0.12
    assert session.sample_totals.sums.viewer_ms == 14_000


def test_a_change_is_relative_to_the_period_before_and_absent_without_one() -> None:
    period = Period(7, at(0), Totals(streams=3, airtime_ms=HOUR_MS), Totals(streams=2))
    document = period_document(period)
    assert document["change"]["streams"] == 0.5
    assert document["change"]["hours_streamed"] is None
    assert (document["hours_streamed"], document["previous"]["hours_streamed"]) == (1, 0)
    assert (document["since"], document["until"]) == (
        "2026-05-25T12:00:00Z",
        "2026-06-01T12:00:00Z",
    )
