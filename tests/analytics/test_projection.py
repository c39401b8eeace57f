"""The projection with a state of few recent streams, so that random histories go beyond it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamwatch.analytics.base import AnalyticsError
from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.state import PRUNE_ABOVE_UPDATES, StreamerState, Update
from streamwatch.analytics.testing.build import (
    CAP,
    CHESS,
    GO,
    Piece,
    as_input,
    at,
    estimate,
    history,
    offline,
    online,
    snapshot,
    update,
    video,
)
from streamwatch.analytics.testing.projecting import batches, check
from streamwatch.domain.batches import batched
from streamwatch.domain.models import StreamEvent, StreamSnapshot
from streamwatch.domain.spans import MAX_STREAM_UPDATES

randoms = st.randoms(use_true_random=False)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("max_updates", [1, 3, 1000])
@pytest.mark.parametrize("recent_streams", [1, 2])
@given(random=randoms, order=randoms)
def test_settled_streams_and_dropped_updates_do_not_change_the_result(
    monkeypatch: pytest.MonkeyPatch,
    recent_streams: int,
    max_updates: int,
    random: Random,
    order: Random,
) -> None:
    monkeypatch.setattr("streamwatch.analytics.state.RECENT_STREAMS", recent_streams)
    monkeypatch.setattr("streamwatch.analytics.state.PRUNE_ABOVE_UPDATES", max_updates)
    monkeypatch.setattr("streamwatch.domain.spans.MAX_STREAM_UPDATES", max_updates)
    pieces = history(random)
    again = [*pieces, *order.sample(pieces, len(pieces) // 2)]
    order.choice((order.shuffle, lambda items: items.sort(key=_time)))(again)
    analytics = MemoryAnalytics(CAP)
    for batch in batches(again, order):
        analytics.project(batch)
    check(analytics, "1337", pieces)


def _time(piece: Piece) -> datetime:
    match piece:
        case StreamEvent():
            return piece.timestamp
        case StreamSnapshot():
            return piece.captured_at
        case _:
            return piece.at


def state_of(analytics: MemoryAnalytics) -> StreamerState:
    return analytics.states(["1337"])["1337"]


def test_a_state_has_the_events_of_recent_streams_only() -> None:
    analytics = MemoryAnalytics(CAP)
    for number in range(100):
        start = 10_000 * number
        analytics.project(
            as_input(online(f"s{number}", start), snapshot(f"s{number}", start + 60, started=start))
        )
        analytics.project(as_input(offline(None, start + 3600)))
    state = state_of(analytics)
    assert list(state.recent) == ["s98", "s99"]
    assert len(state.events) == 6
    assert state.since == at(980_000)
    assert state.statistics.stats.totals.streams == 100


def test_sessions_of_videos_are_not_in_the_state() -> None:
    analytics = MemoryAnalytics(CAP)
    analytics.project(as_input(online("s9", 900_000), offline("s9", 900_100)))
    analytics.project(as_input(*(video(f"v{n}", 10_000 * n, 10_000 * n + 3600) for n in range(50))))
    state = state_of(analytics)
    assert list(state.recent) == ["s9"]
    assert len(state.events) == 2
    assert state.statistics.stats.totals.streams == 51


def test_an_offline_of_an_older_stream_does_not_move_an_online_that_a_poll_found() -> None:
    """Such offlines are not in the state: the offline of "s1" is there only while it is new. Only
    two offlines of the poll's own stream prove that it returned."""
    found = estimate(online("s3", 2003, started=2000))
    pieces: list[Piece] = [
        found,
        online("s2", 1000),
        snapshot("s4", 2600, started=2001),
        offline("s3", 2002),
        offline("s1", 1500),
        found,
    ]
    analytics = MemoryAnalytics(CAP)
    for number, piece in enumerate(pieces, start=1):
        analytics.project(as_input(piece))
        check(analytics, "1337", pieces[:number])


def test_a_state_does_not_grow_with_the_updates_while_no_stream_is_on() -> None:
    analytics = MemoryAnalytics(CAP)
    pieces: list[Piece] = [online("s1", 0), update("A", 5), offline("s1", 10)]
    pieces += [update(f"At {n}", 60 * n) for n in range(1, 5001)]
    for some in batched(pieces, 100):
        analytics.project(as_input(*some))
        assert len(state_of(analytics).events) < PRUNE_ABOVE_UPDATES + 100
    next_stream: list[Piece] = [online("s2", 400_000), offline("s2", 400_100)]
    for piece in next_stream:
        analytics.project(as_input(piece))
    check(analytics, "1337", [*pieces, *next_stream])


def test_a_state_does_not_grow_with_the_updates_of_a_stream() -> None:
    """The first ones count, the others are as good as not sent: polls show their values."""
    analytics = MemoryAnalytics(CAP)
    pieces: list[Piece] = [online("s1", 0)]
    pieces += [update(f"At {n}", 60 * n, category=(CHESS, GO)[n % 2]) for n in range(1, 5001)]
    pieces += [snapshot("s1", 300 * n, n, category=GO) for n in range(1001)]
    pieces.sort(key=_time)
    for some in batched(pieces, 100):
        analytics.project(as_input(*some))
        assert len(state_of(analytics).events) < PRUNE_ABOVE_UPDATES + 100
    end = offline("s1", 300_100)
    analytics.project(as_input(end))
    check(analytics, "1337", [*pieces, end])
    session = analytics.session("s1")
    assert session is not None
    assert len(session.updates) == MAX_STREAM_UPDATES
    assert session.title == "At 300000"


def test_a_later_end_counts_updates_that_the_state_has_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streamwatch.analytics.state.PRUNE_ABOVE_UPDATES", 1)
    found = estimate(offline("s1", 100))
    pieces: list[Piece] = [
        online("s1", 0),
        found,
        *(update(f"At {n}", n) for n in (110, 120, 130)),
        replace(offline("s1", 140), replaces=found.id),
    ]
    analytics = MemoryAnalytics(CAP)
    for number, piece in enumerate(pieces, start=1):
        analytics.project(as_input(piece))
        check(analytics, "1337", pieces[:number])
    session = analytics.session("s1")
    assert session is not None
    assert [item.at for item in session.updates] == [at(110), at(120), at(130)]


class _NeverSaves(MemoryAnalytics):
    def save(self, updates: Sequence[Update]) -> set[str]:
        del updates
        return set()


def test_conflicts_without_end_are_an_error() -> None:
    with pytest.raises(AnalyticsError, match="user 1337"):
        _NeverSaves(CAP).project(as_input(online("s1", 0)))
