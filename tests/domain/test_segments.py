from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.analytics.testing.build import (
    CAP,
    CHESS,
    GO,
    Piece,
    at,
    expected_sessions,
    history,
    offline,
    online,
    snapshot,
    update,
)
from streamwatch.domain.models import EventType, StreamEvent, StreamSnapshot
from streamwatch.domain.segments import MAX_POINTS, Gap, Segment, gaps, segments, thin
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import Sums
from streamwatch.domain.updates import HELIX_LAG


def of(*pieces: Piece) -> list[Segment]:
    [session] = expected_sessions(pieces).values()
    samples = [piece for piece in pieces if isinstance(piece, StreamSnapshot)]
    return segments(session, samples, CAP)


def added(parts: list[Segment]) -> Sums:
    return sum((part.sums for part in parts), Sums())


def gaps_of(*pieces: Piece) -> list[Gap]:
    [session] = expected_sessions(pieces).values()
    samples = [piece for piece in pieces if isinstance(piece, StreamSnapshot)]
    return gaps(session, samples, CAP)


def test_gaps_are_where_no_sample_counts_for_as_long_as_one_does_at_most() -> None:
    cap = int(CAP.total_seconds())
    found = gaps_of(
        online("s1", 0),
        snapshot("s1", 3 * cap, 10),
        snapshot("s1", 4 * cap, 10),
        snapshot("s1", 6 * cap - 1, 10),  # less than a cap is missing
        snapshot("s1", 9 * cap, 10),
        offline("s1", 12 * cap),
    )
    assert found == [
        Gap(at(0), at(3 * cap)),
        Gap(at(7 * cap - 1), at(9 * cap)),
        Gap(at(10 * cap), at(12 * cap)),
    ]


def test_a_session_without_samples_is_one_gap() -> None:
    assert gaps_of(online("s1", 0), offline("s1", 86_400)) == [Gap(at(0), at(86_400))]


def test_expired_samples_leave_no_gap() -> None:
    pieces = (online("s1", 0), snapshot("s1", 60, 10), snapshot("s1", 86_400, 10))
    [session] = expected_sessions(pieces).values()
    assert gaps(session, [], CAP) == []
    assert gaps(session, [snapshot("s1", 86_400, 10)], CAP) == []


def test_a_segment_begins_at_the_sample_that_first_shows_another_category_or_title() -> None:
    parts = of(
        online("s1", 0),
        snapshot("s1", 60, 10, category=CHESS, title="A"),
        snapshot("s1", 120, 20, category=CHESS, title="A"),
        snapshot("s1", 180, 30, category=GO, title="A"),
        snapshot("s1", 240, 40, category=GO, title="B"),
        offline("s1", 300),
    )
    assert [(part.started_at, part.ended_at) for part in parts] == [
        (at(0), at(60)),
        (at(60), at(180)),
        (at(180), at(240)),
        (at(240), at(300)),
    ]
    assert [(part.category_name, part.title) for part in parts] == [
        (None, None),
        ("Chess", "A"),
        ("Go", "A"),
        ("Go", "B"),
    ]
    assert [part.sums.average for part in parts] == [None, 15, 30, 40]


def test_the_last_segment_of_an_ongoing_session_has_no_end() -> None:
    [part] = of(
        online("s1", 0), snapshot("s1", 0, 10, title="A"), snapshot("s1", 60, 20, title="A")
    )
    assert (part.started_at, part.ended_at) == (at(0), None)


def test_a_session_without_samples_is_one_segment_without_names() -> None:
    [part] = of(online("s1", 0), offline("s1", 60))
    assert part == Segment(at(0), at(60), None, None, None, Sums())


def test_a_session_whose_samples_have_expired_is_one_segment_with_its_last_names() -> None:
    pieces = (online("s1", 0), snapshot("s1", 0, 10, title="A"), offline("s1", 60))
    [session] = expected_sessions(pieces).values()
    [part] = segments(session, [], CAP)
    assert (part.title, part.sums) == ("A", session.sample_totals.sums)


def test_sums_of_expired_samples_belong_to_the_first_segment() -> None:
    samples = [snapshot("s1", 60 * number, 10 + number) for number in range(5)]
    [session] = expected_sessions([online("s1", 0), *samples, offline("s1", 300)]).values()
    parts = segments(session, samples[3:], CAP)
    assert (parts[0].title, parts[0].sums.viewer_ms) == (None, (10 + 11 + 12) * 60_000)
    assert added(parts).viewer_ms == session.sample_totals.sums.viewer_ms


def shown_at(
    time: datetime, updates: Sequence[StreamEvent], samples: Sequence[StreamSnapshot]
) -> tuple[str | None, str | None]:
    """Category id and title at a time, by the last update and the last sample."""
    update = max((u for u in updates if u.timestamp <= time), key=_update_order, default=None)
    sample = max((s for s in samples if s.captured_at <= time), key=_captured_at, default=None)
    if update and (sample is None or sample.captured_at - update.timestamp < HELIX_LAG):
        return update.data["category_id"], update.data["title"]
    return (sample.category_id, sample.title) if sample else (None, None)


@given(st.randoms(use_true_random=False))
def test_segments_follow_updates_and_samples_and_add_up_to_the_session(random: Random) -> None:
    pieces = history(random)
    updates = [p for p in pieces if isinstance(p, StreamEvent) and p.event_type is EventType.UPDATE]
    taken = {(p.stream_id, p.captured_at): p for p in pieces if isinstance(p, StreamSnapshot)}
    for session in expected_sessions(pieces).values():
        own = [sample for sample in taken.values() if sample.stream_id == session.stream_id]
        own.sort(key=_captured_at)
        parts = segments(session, own, CAP)
        assert parts[0].started_at == session.started_at
        assert parts[-1].ended_at == session.ended_at
        for part, following in pairwise(parts):
            assert part.ended_at == following.started_at
            assert (part.category_id, part.title) != (following.category_id, following.title)
        assert added(parts) == session.sample_totals.sums
        check_names(session, parts, updates, own)
        check_categories(session, parts)


def check_names(
    session: StreamSession,
    parts: list[Segment],
    updates: list[StreamEvent],
    samples: list[StreamSnapshot],
) -> None:
    """Each segment has the names of every time in it at which they could change."""
    end = session.ended_at
    times = {session.started_at}
    times |= {u.timestamp for u in updates} | {s.captured_at for s in samples}
    within = [t for t in times if session.started_at <= t and (end is None or t < end)]
    if not session.updates and all(end and s.captured_at >= end for s in samples):
        return  # the names of a sample after the end
    for time in within:
        [part] = [
            part
            for part in parts
            if part.started_at <= time and (part.ended_at is None or time < part.ended_at)
        ]
        assert (part.category_id, part.title) == shown_at(time, updates, samples)


def check_categories(session: StreamSession, parts: list[Segment]) -> None:
    """The categories of the session are the sums of its segments by category."""
    watched: Counter[str] = Counter()
    for part in parts:
        if part.category_id:
            watched[part.category_id] += part.sums.viewer_ms
    categories = session.sample_totals.categories
    assert +watched == +Counter({c.category_id: c.sums.viewer_ms for c in categories})


def _captured_at(sample: StreamSnapshot) -> datetime:
    return sample.captured_at


def _update_order(event: StreamEvent) -> tuple[datetime, str]:
    return event.timestamp, event.id


def test_a_segment_begins_at_the_exact_time_of_an_update() -> None:
    parts = of(
        online("s1", 0),
        update("A", -500),
        snapshot("s1", 60, 10, title="A"),
        update("B", 90, category=GO),
        snapshot("s1", 120, 30, category=CHESS, title="A"),  # Helix still shows the values before
        snapshot("s1", 180, 30, category=GO, title="B"),
        offline("s1", 240),
    )
    assert [(part.started_at, part.category_name, part.title) for part in parts] == [
        (at(0), "Chess", "A"),
        (at(90), "Go", "B"),
    ]
    assert [part.sums.viewer_ms for part in parts] == [10 * 30_000, (10 * 30 + 30 * 120) * 1000]


def test_a_poll_gives_the_border_of_an_update_that_was_missed() -> None:
    parts = of(
        online("s1", 0),
        update("A", 10),
        snapshot("s1", 300, title="A"),
        snapshot("s1", 600, title="B", category=GO),
    )
    assert [(part.started_at, part.title) for part in parts] == [
        (at(0), None),
        (at(10), "A"),
        (at(600), "B"),
    ]


def test_an_update_while_offline_is_what_the_next_session_starts_with() -> None:
    pieces: list[Piece] = [
        online("s1", 0),
        update("A", 10),
        offline("s1", 60),
        update("B", 100, category=GO),
        online("s2", 200),
    ]
    sessions = expected_sessions(pieces)
    titles = {key: [part.title for part in segments(s, [], CAP)] for key, s in sessions.items()}
    assert titles == {"s1": [None, "A"], "s2": ["B"]}
    assert [session.shown and session.shown.category_name for session in sessions.values()] == [
        "Chess",
        "Go",
    ]


def test_the_title_and_category_of_a_session_are_the_last_within_it() -> None:
    pieces: list[Piece] = [
        online("s1", 0),
        snapshot("s1", 60, title="A"),
        update("B", 90, category=GO),
        offline("s1", 100),
        update("C", 110),
    ]
    [session] = expected_sessions(pieces).values()
    assert session.shown
    assert (session.shown.title, session.shown.category_name) == ("B", "Go")


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2880])
def test_many_samples_are_thinned_to_a_thousand_with_the_peaks(count: int) -> None:
    random = Random(count)  # noqa: S311  test data
    samples = [snapshot("s1", 60 * n, random.randint(0, 1000)) for n in range(count)]
    if count:
        samples[count // 3] = snapshot("s1", 60 * (count // 3), 5_000)
    thinned = thin(samples)
    assert len(thinned) == min(count, MAX_POINTS)
    assert thinned == sorted(thinned, key=lambda sample: sample.captured_at)
    if count:
        assert (thinned[0], thinned[-1]) == (samples[0], samples[-1])
        assert max(sample.viewer_count for sample in thinned) == 5_000


def test_a_sample_after_the_end_adds_no_segment() -> None:
    parts = of(
        online("s1", 0),
        snapshot("s1", 0, 10, title="A"),
        offline("s1", 60),
        snapshot("s1", 90, 99, title="B"),
    )
    assert [(part.started_at, part.ended_at) for part in parts] == [(at(0), at(60))]
    assert parts[0].sums.observed_ms == timedelta(seconds=60) // timedelta(milliseconds=1)
