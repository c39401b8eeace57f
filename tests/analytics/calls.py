"""Calls of every method of the analytics, and a history that they read."""

import time
from collections.abc import Callable, Iterator

import pytest

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.analytics.testing.build import Piece, as_input, at, offline, online, snapshot
from streamwatch.domain.totals import Ranking

HOUR = 3600
STREAMS, SAMPLES = 200, 12

Call = Callable[[AnalyticsStore], object]

READS: dict[str, Call] = {
    "find": lambda a: a.find("user-0"),
    "sessions": lambda a: a.sessions("user-0", 10),
    "each_session": lambda a: list(a.each_session("user-0", at(100 * HOUR * (STREAMS - 5)))),
    "totals": lambda a: a.totals("user-0", at(100 * HOUR * (STREAMS - 5)), at(1e9)),
    "categories": lambda a: a.categories("user-0"),
    "summary": lambda a: a.summary(),
    "top": lambda a: [a.top(ranking, 5) for ranking in Ranking],
    "top_categories": lambda a: a.top_categories(5),
    "snapshots": lambda a: a.snapshots(None, 10),
    "snapshots_of_one": lambda a: a.snapshots("user-0", 10),
    "user_ids": lambda a: a.user_ids(),
    "each_snapshot": lambda a: next(a.each_snapshot(None)),
    "session": lambda a: a.session("user-0-7"),
    "sessions_of_streams": lambda a: a.sessions_of_streams(["user-0-7", "user-0-9"]),
    "samples": lambda a: a.samples("user-0-7"),
    "watched_since": lambda a: a.watched_since(at(100 * HOUR * (STREAMS - 5))),
    "ping": lambda a: a.ping(),
}

CALLS = READS | {
    "prepare": lambda a: a.prepare(),
    "project": lambda a: a.project(as_input(online("s1", 0))),
    "recalculate": lambda a: a.recalculate("user-0"),
}


def history(user_id: str, streams: int) -> Iterator[Piece]:
    """A stream every 100 hours, with `stream.offline` messages without a stream id."""
    for number in range(streams):
        start, stream_id = 100 * HOUR * number, f"{user_id}-{number}"
        yield online(stream_id, start + 2, started=start, user_id=user_id, login=user_id)
        for sample in range(SAMPLES):
            time = start + 300 * sample
            yield snapshot(stream_id, time, 5, started=start, user_id=user_id, login=user_id)
        yield offline(None, start + HOUR, user_id=user_id, login=user_id)


def check_unavailable(call: Call, analytics: AnalyticsStore) -> None:
    start = time.monotonic()
    with pytest.raises(AnalyticsUnavailable):
        call(analytics)
    assert time.monotonic() - start < 3


def answers(analytics: AnalyticsStore) -> bool:
    try:
        analytics.ping()
    except AnalyticsUnavailable:
        return False
    return True
