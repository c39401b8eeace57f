"""Samples may be dropped when they are old; what was made of them stays."""

from collections.abc import Callable
from datetime import datetime

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.testing.build import (
    CAP,
    ContractBase,
    Piece,
    as_input,
    at,
    by_id,
    expected_sessions,
    offline,
    online,
    snapshot,
)

Forget = Callable[[datetime], None]

SAMPLES = [snapshot("s1", n * 300, 100 * n) for n in range(10)]
STREAM: list[Piece] = [online("s1", 0), *SAMPLES]


class RetainingContract(ContractBase):
    def test_sessions_and_statistics_outlive_their_samples(
        self, analytics: AnalyticsStore, forget: Forget
    ) -> None:
        analytics.project(as_input(*STREAM, offline("s1", 3000)))
        stats, sessions = analytics.find("cool_user"), analytics.sessions("1337", 10)
        forget(at(1_000_000))
        assert analytics.snapshots(None, 100) == []
        analytics.recalculate("1337")
        assert analytics.find("cool_user") == stats
        assert analytics.sessions("1337", 10) == sessions
        assert analytics.summary().totals.sums.samples == len(SAMPLES)

    def test_a_stream_longer_than_the_retention_of_samples_continues(
        self, analytics: AnalyticsStore, forget: Forget
    ) -> None:
        for number, sample in enumerate(SAMPLES):
            forget(at(300 * (number - 2)))
            analytics.project(as_input(STREAM[0], sample))
        assert len(analytics.snapshots(None, 100)) < len(SAMPLES)
        assert by_id(analytics.sessions("1337", 10)) == expected_sessions(STREAM)

    def test_an_end_that_is_learned_late_still_counts(
        self, analytics: AnalyticsStore, forget: Forget
    ) -> None:
        analytics.project(as_input(*STREAM))
        forget(at(1_000_000))
        end = offline("s1", SAMPLES[-1].captured_at.timestamp() - at(0).timestamp() + 100)
        analytics.project(as_input(end))
        assert by_id(analytics.sessions("1337", 10)) == expected_sessions([*STREAM, end])
        [session] = analytics.sessions("1337", 10)
        assert session.sample_totals.last_ms == min(100_000, CAP.total_seconds() * 1000)

    def test_samples_repeated_after_their_expiry_do_not_change_the_statistics(
        self, analytics: AnalyticsStore, forget: Forget
    ) -> None:
        analytics.project(as_input(*STREAM))
        sessions = analytics.sessions("1337", 10)
        forget(at(1_000_000))
        analytics.project(as_input(*SAMPLES[:3]))
        assert analytics.sessions("1337", 10) == sessions
