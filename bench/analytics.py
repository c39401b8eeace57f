"""What the analytics cost on a database: entries a second, CPU of the projecting process and of the
server for an entry, and reads as samples grow.

    python -m bench.analytics mongodb|redis [--samples 500000]
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.processes import cpu_seconds, resident_megabytes
from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.redis import RedisAnalytics
from streamwatch.analytics.redis.connection import Connection
from streamwatch.domain.models import EventType, Source, StreamEvent, StreamSnapshot
from streamwatch.domain.session_events import ProjectionInput, projection_input
from streamwatch.domain.times import format_time
from streamwatch.domain.totals import Ranking
from streamwatch.redis_urls import client_maker
from tests.servers import mongo_server, redis_server

CAP = timedelta(minutes=10)
STREAMERS = 200
START = datetime(2026, 6, 1, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


@dataclass
class Backend:
    analytics: AnalyticsStore
    pid: int


@contextmanager
def mongodb() -> Iterator[Backend]:
    with mongo_server() as server:
        analytics = MongoAnalytics(server.url, "bench", CAP)
        analytics.prepare()
        yield Backend(analytics, server.pid)
        analytics.close()


@contextmanager
def redis() -> Iterator[Backend]:
    with redis_server() as server:
        analytics = RedisAnalytics(Connection(client_maker(server.url)), CAP)
        yield Backend(analytics, server.pid)
        analytics.close()


BACKENDS: dict[str, Callable[[], AbstractContextManager[Backend]]] = {
    "mongodb": mongodb,
    "redis": redis,
}


def event(user: int, stream: str, kind: EventType, at: datetime) -> StreamEvent:
    data = {"id": stream, "started_at": format_time(at)} if kind is EventType.ONLINE else {}
    name = f"streamer_{user}"
    message = f"{stream}-{kind}-{at.timestamp()}"
    return StreamEvent(message, kind, str(user), name, name, at, data, Source.EVENTSUB)


def sample(
    user: int, stream: str, started_at: datetime, at: datetime, number: int
) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=stream,
        broadcaster_id=str(user),
        broadcaster_login=f"streamer_{user}",
        broadcaster_name=f"streamer_{user}",
        captured_at=at,
        started_at=started_at,
        viewer_count=1_000 + 37 * number % 500,
        category_id="509658",
        category_name="Just Chatting",
        title="A title of ordinary length: what we play tonight, and with whom",
        language="en",
        tags=("English", "Cosy", "Chill", "FirstPlaythrough"),
    )


def session(user: int, number: int, start: datetime, samples: int) -> Iterator[ProjectionInput]:
    """The entries of one session, in order."""
    stream = f"{user}-{number}"
    yield projection_input([event(user, stream, EventType.ONLINE, start)], None)
    for index in range(samples):
        at = start + (5 * index + 1) * MINUTES
        yield projection_input([], sample(user, stream, start, at, index))
    yield projection_input(
        [event(user, stream, EventType.OFFLINE, start + (5 * samples + 1) * MINUTES)], None
    )


def drain(backend: Backend, sessions_before: int, samples: int, a_batch: int) -> str:
    """Project a session of each streamer after `sessions_before` others of the same month, in
    batches with `a_batch` entries of each streamer."""
    users = range(STREAMERS)
    gap = timedelta(days=28) / (sessions_before + 2)
    for number in range(sessions_before):
        backend.analytics.project(
            ProjectionInput.merge(
                [e for user in users for e in session(user, number, START + number * gap, 1)]
            )
        )
    start = START + sessions_before * gap
    by_user = [list(session(user, 10_000, start, samples)) for user in users]
    rounds = [
        ProjectionInput.merge(
            [entry for entries in by_user for entry in entries[first : first + a_batch]]
        )
        for first in range(0, len(by_user[0]), a_batch)
    ]
    count = sum(map(len, by_user))
    own, server, begun = time.process_time(), cpu_seconds([backend.pid]), time.perf_counter()
    for entries in rounds:
        backend.analytics.project(entries)
    took = time.perf_counter() - begun
    own, server = time.process_time() - own, cpu_seconds([backend.pid]) - server
    return (
        f"{sessions_before:4} sessions before, {a_batch:3} entries a streamer and batch:"
        f" {count / took:6,.0f} entries/s, CPU {own / count * 1e6:4.0f} +"
        f" {server / count * 1e6:4.0f} = {(own + server) / count * 1e6:4.0f} µs an entry"
    )


def fill(backend: Backend, samples: int) -> None:
    """Sessions of 100 samples of 20 streamers, until there are `samples`."""
    for number in range(samples // 2_000):
        start = START + number * timedelta(hours=9)
        backend.analytics.project(
            ProjectionInput.merge(
                [e for user in range(20) for e in session(user, number, start, 100)]
            )
        )


READS: dict[str, Callable[[AnalyticsStore], object]] = {
    "stats": lambda a: a.find("streamer_7"),
    "sessions": lambda a: a.sessions("7", 5),
    "one session": lambda a: (a.session("7-3"), a.samples("7-3")),
    "top": lambda a: a.top(Ranking.HOURS, 10),
    "summary": lambda a: a.summary(),
    "snapshots": lambda a: a.snapshots(None, 50),
    "snapshots of one": lambda a: a.snapshots("7", 50),
}


def reads(backends: Sequence[Backend]) -> Iterator[tuple[str, list[float]]]:
    """The median time of each read in ms, for each of these. They take turns, so that what else
    the machine does slows them alike."""
    for name, read in READS.items():
        times: list[list[float]] = [[] for _ in backends]
        for _ in range(200):
            for backend, its_times in zip(backends, times, strict=True):
                begun = time.perf_counter()
                read(backend.analytics)
                its_times.append(time.perf_counter() - begun)
        yield name, [median(its_times) * 1e3 for its_times in times]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.analytics", description=__doc__)
    parser.add_argument("backend", choices=sorted(BACKENDS))
    parser.add_argument("--samples", type=int, default=500_000)
    given = parser.parse_args()
    opened = BACKENDS[given.backend]
    for sessions_before in (2, 200):
        for a_batch in (100, 1):
            with opened() as backend:
                _say(drain(backend, sessions_before, 50, a_batch))
    with opened() as small, opened() as large:
        fill(small, 20_000)
        fill(large, given.samples)
        for name, (of_small, of_large) in reads([small, large]):
            _say(f"{name:17} {of_small:6.2f} {of_large:6.2f} ms {of_large / of_small:.2f}")
        _say(f"{resident_megabytes(large.pid):.0f} MB in the server")


if __name__ == "__main__":
    main()
