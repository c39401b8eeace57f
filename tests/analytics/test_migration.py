"""What version 0.1.0 stored is converted.

Streams of two streamers, one of them renamed and live, one with a missed offline; the samples of
`ann`'s first two streams had expired.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fakeredis
import pymongo
import pytest
from pymongo.database import Database

from streamwatch.analytics import journal as journal_file
from streamwatch.analytics.base import AnalyticsError, AnalyticsStore
from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.redis import RedisAnalytics
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.testing.build import (
    CAP,
    Piece,
    as_input,
    at,
    by_id,
    expected_sessions,
    offline,
    online,
    snapshot,
)
from streamwatch.domain.statistics import HOUR_MS
from streamwatch.domain.totals import totals
from tests.analytics import first_version

Document = dict[str, Any]


@pytest.fixture
def database(mongodb_url: str, mongodb_database: str) -> Iterator[Database[Document]]:
    """A database as version 0.1.0 left it."""
    with pymongo.MongoClient[Document](mongodb_url, tz_aware=True) as client:
        database = client[mongodb_database]
        first_version.restore(database)
        yield database


@pytest.fixture
def analytics(mongodb_url: str, database: Database[Document]) -> Iterator[MongoAnalytics]:
    analytics = MongoAnalytics(mongodb_url, database.name, CAP)
    analytics.prepare()
    yield analytics
    analytics.close()


def check(analytics: AnalyticsStore) -> None:
    """The statistics are those that version 0.1.0 showed."""
    ann, bob, carol = (analytics.find(login) for login in ("ann_new", "bob", "carol"))
    assert ann is not None
    assert bob is not None
    assert carol is not None
    assert (ann.totals.streams, ann.totals.ended_streams, ann.totals.airtime_ms) == (
        7,
        6,
        16_260_000,
    )
    assert (ann.totals.sums.samples, ann.totals.sums.max_viewers) == (49, 482)
    assert (ann.totals.sums.viewer_ms, ann.totals.sums.observed_ms) == (4_196_160_000, 15_840_000)
    assert ann.totals.last_stream_at == at(600_000)
    assert (bob.totals.streams, bob.totals.ended_streams, bob.totals.airtime_ms) == (
        8,
        7,
        16_500_000,
    )
    assert (bob.totals.sums.samples, bob.totals.sums.viewer_ms) == (49, 3_671_940_000)
    assert carol.totals.streams == 0
    assert (ann.identity.first_seen_at, ann.identity.latest_name.at) == (at(2), at(600_060))
    assert analytics.find("ann") is None
    assert [item.category_name for item in analytics.categories("ann")] == ["Go", "Chess"]
    assert totals(analytics.each_session("ann")) == ann.totals
    missed = analytics.session("bob-missed")
    assert missed is not None
    assert missed.ended_at == at(600_300)


def check_it_goes_on(analytics: AnalyticsStore) -> None:
    before = analytics.find("ann_new")
    assert before
    analytics.project(
        as_input(snapshot("ann-live", 600_660, 77, started=600_000, user_id="ann", login="ann_new"))
    )
    analytics.project(as_input(offline(None, 600_960, user_id="ann", login="ann_new")))
    analytics.project(as_input(online("ann-next", 900_000, user_id="ann", login="ann_new")))
    after = analytics.find("ann_new")
    assert after
    assert (after.totals.streams, after.totals.ended_streams) == (8, 7)
    watched = after.totals.sums.viewer_ms - before.totals.sums.viewer_ms
    assert watched == 77 * HOUR_MS // 4


@pytest.mark.xdist_group("mongo")
def test_mongodb_is_converted_with_the_same_statistics(
    analytics: MongoAnalytics, database: Database[Document]
) -> None:
    calls: list[tuple[int, int]] = []
    done = analytics.migrate(lambda number, total: calls.append((number, total)))
    check(analytics)
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert done == [
        "MongoDB: converted the sessions and statistics of 3 streamers",
        "MongoDB: dropped the unused collections streamers, streamer_months, tickets",
    ]
    assert set(database.list_collection_names()) == {
        "stream_events",
        "stream_sessions",
        "stream_snapshots",
        "streamer_stats",
    }
    for name in ("stream_sessions", "streamer_stats"):
        assert all("version" in document for document in database[name].find())
    assert set(database["stream_events"].index_information()) == {"_id_", "broadcaster_id_1"}
    assert len(analytics.samples("ann-2")) == 8
    assert analytics.samples("ann-0") == []
    check_it_goes_on(analytics)


@pytest.mark.xdist_group("mongo")
def test_mongodb_is_converted_once(analytics: MongoAnalytics) -> None:
    analytics.migrate()
    assert analytics.migrate() == []
    check(analytics)


@pytest.mark.xdist_group("mongo")
def test_an_interrupted_conversion_of_mongodb_is_completed(analytics: MongoAnalytics) -> None:
    def interrupt(number: int, _total: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analytics.migrate(interrupt)
    check(analytics)
    assert "of 1 streamers" in analytics.migrate()[0]
    check(analytics)


@pytest.mark.xdist_group("mongo")
def test_a_streamer_who_cannot_be_converted_stops_no_other(
    analytics: MongoAnalytics, database: Database[Document], caplog: pytest.LogCaptureFixture
) -> None:
    [event] = database["stream_events"].find({"stream_id": "ann-2", "kind": "online"})
    stats = database["streamer_stats"].find_one({"_id": "carol"})
    assert stats is not None
    database["streamer_stats"].insert_one({**stats, "_id": "aaa"})
    database["stream_events"].insert_one({**event, "_id": "copy", "broadcaster_id": "aaa"})
    for _ in range(2):
        caplog.clear()
        analytics.migrate()
        assert "user aaa could not be converted: Stream ann-2 is one of another" in caplog.text
        check(analytics)
    old = database["streamer_stats"].find({"version": {"$exists": False}})
    assert [document["_id"] for document in old] == ["aaa"]


@pytest.mark.xdist_group("mongo")
def test_mongodb_goes_on_before_it_is_converted(analytics: MongoAnalytics) -> None:
    check(analytics)
    check_it_goes_on(analytics)
    analytics.migrate()
    stats = analytics.find("ann_new")
    assert stats
    assert stats.totals.streams == 8


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    file = tmp_path / "analytics.jsonl"
    file.write_bytes(first_version.journal())
    return file


def test_the_journal_is_imported_once(journal: Path) -> None:
    server = fakeredis.FakeServer()

    def make_client() -> fakeredis.FakeRedis:
        return fakeredis.FakeRedis(server=server, protocol=2)

    analytics = RedisAnalytics(Connection(make_client), CAP, journal=journal)
    calls: list[tuple[int, int]] = []
    done = analytics.migrate(lambda number, total: calls.append((number, total)))
    check(analytics)
    assert done == [f"Redis: imported 98 samples; {journal} is now analytics.jsonl.imported"]
    assert calls[-1][0] == calls[-1][1]
    assert analytics.migrate() == []
    check_it_goes_on(analytics)


def test_damaged_lines_of_the_journal_are_left_out_and_reported(journal: Path) -> None:
    server = fakeredis.FakeServer()
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], b"\x00\x00\n", *lines[3:], b'{"facts": [']))
    analytics = RedisAnalytics(
        Connection(lambda: fakeredis.FakeRedis(server=server, protocol=2)), CAP, journal=journal
    )
    done = analytics.migrate()
    check(analytics)
    assert done[1:] == ["2 damaged lines of analytics.jsonl.imported were left out"]


class CountingConnection(Connection):
    """Counts the calls of Redis, each script as one."""

    calls = 0

    @contextmanager
    def answering(self) -> Iterator[None]:
        self.calls += 1
        with super().answering():
            yield


def test_an_interrupted_import_of_the_journal_is_repeated_with_few_calls(tmp_path: Path) -> None:
    """The first lines then are about streams that many others follow: read line by line, each would
    read the whole history of the streamer."""
    file = tmp_path / journal_file.FILE_NAME
    streams = [_stream(number) for number in range(50)]
    pieces = [piece for stream in streams for piece in stream]
    for piece in pieces:
        journal_file.write(file, as_input(piece))
    server = fakeredis.FakeServer()
    connection = CountingConnection(lambda: fakeredis.FakeRedis(server=server, protocol=2))
    analytics = RedisAnalytics(connection, CAP, journal=file)
    analytics.migrate()
    file.with_name(f"{file.name}{journal_file.IMPORTED_SUFFIX}").rename(file)

    connection.calls = 0
    analytics.migrate()
    assert connection.calls < 5 * len(pieces)
    assert by_id(analytics.each_session("1337")) == expected_sessions(pieces)


def _stream(number: int) -> list[Piece]:
    start, stream_id = 100_000 * number, f"s{number}"
    samples = [snapshot(stream_id, start + 300 * n, 5, started=start) for n in range(4)]
    return [online(stream_id, start), *samples, offline(None, start + 3600)]


def test_the_lines_before_one_that_cannot_be_imported_are_stored(tmp_path: Path) -> None:
    file = tmp_path / journal_file.FILE_NAME
    for user_id in ("1", "2"):
        journal_file.write(file, as_input(online("s1", 0, user_id=user_id, login=user_id)))
    server = fakeredis.FakeServer()
    analytics = RedisAnalytics(
        Connection(lambda: fakeredis.FakeRedis(server=server, protocol=2)), CAP, journal=file
    )
    with pytest.raises(AnalyticsError, match=r"Line 2 of .*Stream s1 is one of another streamer"):
        analytics.migrate()
    assert analytics.user_ids() == ["1"]
    assert file.exists()
