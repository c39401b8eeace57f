"""What MongoDB is asked, how soon an outage is reported, and what is stored."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure

from streamwatch.analytics import open_analytics
from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.analytics.mongo import MongoAnalytics, repository
from streamwatch.analytics.mongo.connection import Connection
from streamwatch.analytics.mongo.repository import MongoRepository
from streamwatch.analytics.testing import CAP
from streamwatch.analytics.testing.build import (
    Piece,
    as_input,
    at,
    by_id,
    expected_sessions,
    offline,
    online,
    snapshot,
    together,
    update,
)
from streamwatch.domain.totals import totals
from streamwatch.settings import Settings, SettingsError
from tests.analytics.calls import (
    CALLS,
    HOUR,
    READS,
    SAMPLES,
    STREAMS,
    answers,
    check_unavailable,
    history,
)
from tests.servers import free_port, mongo_server
from tests.waiting import wait_for

Document = dict[str, Any]

pytestmark = pytest.mark.xdist_group("mongo")

DAY = timedelta(days=1)

EXAMINED = {"each_snapshot": 101, "samples": SAMPLES}
"""The most documents of a read, where that is more than 10; the driver reads 101 ahead."""

EVERYONE = {"summary", "top_categories"}
"""What reads one document a streamer, and is bounded by their number."""


@pytest.mark.parametrize(
    "url",
    [
        "mongodb+srv://user:sesame@one.example.com:27017/",
        "mongodb+srv://user:sesame@one,two/",
        "mongodb://user:sesame@one/?tls=true&ssl=false",
        "mongodb://user:sesame@one/?tls=true&tlsCAFile=/no/such/file",
    ],
)
def test_a_url_for_which_there_is_no_client_is_a_fault_of_the_settings(url: str) -> None:
    with pytest.raises(SettingsError, match="MONGODB_URL: the value cannot be used") as caught:
        MongoAnalytics.from_settings(Settings(mongodb_url=url))
    assert "sesame" not in str(caught.value)


@pytest.fixture
def analytics(mongodb_url: str, mongodb_database: str) -> Iterator[MongoAnalytics]:
    analytics = MongoAnalytics(mongodb_url, mongodb_database, CAP)
    analytics.prepare()
    yield analytics
    analytics.close()


# Indexes


@dataclass
class Filled:
    analytics: MongoAnalytics
    database: Database[Document]


@pytest.fixture(scope="module")
def filled(mongodb_url: str) -> Iterator[Filled]:
    """A streamer with a long history among others, for all tests of this module."""
    analytics = MongoAnalytics(mongodb_url, "test_filled", CAP)
    analytics.prepare()
    analytics.project(as_input(*history("user-0", STREAMS)))
    for number in range(1, 20):
        analytics.project(as_input(*history(f"user-{number}", 3)))
    with pymongo.MongoClient[Document](mongodb_url, tz_aware=True) as client:
        yield Filled(analytics, client["test_filled"])
        client.drop_database("test_filled")
    analytics.close()


def operations(database: Database[Document], action: Callable[[], object]) -> list[Document]:
    """What MongoDB did for an action, by its own profile."""
    database.command("profile", 2)
    action()
    database.command("profile", 0)
    found = list(database["system.profile"].find({"ns": {"$not": {"$regex": "system.profile$"}}}))
    database.drop_collection("system.profile")
    return [each for each in found if each["op"] in ("query", "command", "update", "getmore")]


@pytest.mark.parametrize("name", READS)
def test_a_read_uses_an_index_and_examines_only_the_documents_it_returns(
    filled: Filled, name: str
) -> None:
    for operation in operations(filled.database, lambda: READS[name](filled.analytics)):
        if name in EVERYONE:
            assert operation["ns"].endswith(".streamer_stats")
            assert operation["docsExamined"] <= 20
        elif "planSummary" in operation:  # other commands, such as ping, read no documents
            assert "COLLSCAN" not in operation["planSummary"], operation
            assert operation["docsExamined"] <= EXAMINED.get(name, 10), operation


IN_ORDER = 100 * HOUR * STREAMS


@pytest.mark.parametrize(
    "piece",
    [
        snapshot(
            f"user-0-{STREAMS - 1}",
            IN_ORDER - 100 * HOUR + 3601,
            started=IN_ORDER - 100 * HOUR,
            user_id="user-0",
        ),
        offline(None, IN_ORDER - 99 * HOUR + 2, user_id="user-0"),
        online("new", IN_ORDER, user_id="user-0"),
        snapshot("new", IN_ORDER + 60, started=IN_ORDER, user_id="user-0"),
        offline("new", IN_ORDER + 600, user_id="user-0"),
        online("new", IN_ORDER + 700, started=IN_ORDER, user_id="user-0"),
    ],
    ids=["sample", "offline", "online", "another-sample", "named-offline", "again"],
)
def test_projecting_in_order_reads_a_few_documents_of_a_long_history(
    filled: Filled, piece: Piece
) -> None:
    done = operations(filled.database, lambda: filled.analytics.project(as_input(piece)))
    assert len(done) < 20
    for operation in done:
        if operation["ns"].endswith(".$cmd") or "profile" in operation["command"]:
            continue
        assert "COLLSCAN" not in operation.get("planSummary", ""), operation
        most = 2 * SAMPLES if operation["ns"].endswith(".stream_snapshots") else 10
        assert operation.get("docsExamined", 0) <= most, operation


@pytest.mark.parametrize(
    "piece",
    [
        online("user-0-100", 100 * HOUR * 100 + 5, started=100 * HOUR * 100, user_id="user-0"),
        online("between", 100 * HOUR * 100 + 50 * HOUR, user_id="user-0"),
        offline(None, 100 * HOUR * 100 + HOUR + 1, user_id="user-0"),
    ],
    ids=["again", "online", "offline"],
)
def test_projecting_a_late_event_reads_the_streamers_events_and_sessions_by_index(
    filled: Filled, piece: Piece
) -> None:
    done = operations(filled.database, lambda: filled.analytics.project(as_input(piece)))
    most = {
        "stream_events": 4 * STREAMS,
        "stream_sessions": STREAMS + 10,
        "stream_snapshots": 2 * SAMPLES,
    }
    for operation in done:
        collection = operation["ns"].split(".")[1]
        if collection == "$cmd" or "profile" in operation["command"]:
            continue
        assert "COLLSCAN" not in operation.get("planSummary", ""), operation
        assert operation.get("docsExamined", 0) <= most.get(collection, 10), operation


# CircuitBreaker


def test_every_read_fails_within_three_seconds_while_mongodb_is_frozen() -> None:
    with mongo_server() as server:
        analytics = MongoAnalytics(server.url, "streamwatch", CAP)
        analytics.prepare()
        analytics.project(as_input(*history("user-0", 8)))
        together(*(partial(read, analytics) for read in READS.values()))
        server.freeze()
        together(*(partial(check_unavailable, read, analytics) for read in CALLS.values()))
        server.thaw()
        wait_for(partial(answers, analytics))
        together(*(partial(read, analytics) for read in READS.values()))
        analytics.close()


def test_a_missing_mongodb_is_reported_within_three_seconds() -> None:
    analytics = MongoAnalytics(f"mongodb://127.0.0.1:{free_port()}", "streamwatch", CAP)
    together(*(partial(check_unavailable, call, analytics) for call in CALLS.values()))
    analytics.close()


def test_a_mongodb_that_refuses_is_unavailable_and_not_the_records_fault(
    mongodb_url: str, mongodb_database: str
) -> None:
    url = mongodb_url.replace("mongodb://", "mongodb://someone:secret@")
    analytics = MongoAnalytics(url, mongodb_database, CAP)
    with pytest.raises(AnalyticsUnavailable) as caught:
        analytics.project(as_input(online("s1", 0)))
    assert str(caught.value) == "MongoDB refused a command: AuthenticationFailed"
    assert "secret" not in f"{caught.value!r}{analytics._connection!r}"
    analytics.close()


def test_after_a_refusal_callers_do_not_wait_for_each_other() -> None:
    connection = Connection(pymongo.MongoClient, "streamwatch")

    def read() -> None:
        with connection.reading():
            pass

    with pytest.raises(AnalyticsUnavailable), connection.reading():
        raise OperationFailure("not authorized", 13)
    with connection.reading(), ThreadPoolExecutor(1) as threads:
        threads.submit(read).result()


def test_a_record_mongodb_cannot_store_is_a_record_error(analytics: MongoAnalytics) -> None:
    wrong = replace(snapshot("s1", 0), title="\ud800")
    with pytest.raises(AnalyticsError) as caught:
        analytics.project(as_input(wrong))
    assert not isinstance(caught.value, AnalyticsUnavailable)
    assert analytics.sessions("1337", 10) == []


def test_writes_that_a_failover_may_lose_are_repeated_and_not_the_records_fault(
    analytics: MongoAnalytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Collection.bulk_write

    def write_unconfirmed(collection: Collection[Document], *args: Any, **options: Any) -> None:
        write(collection, *args, **options)
        stepped_down = {"code": 189, "errmsg": "Primary stepped down"}
        counts = {"nInserted": 1, "nMatched": 0, "nUpserted": 0}
        raise BulkWriteError({"writeErrors": [], "writeConcernErrors": [stepped_down], **counts})

    with monkeypatch.context() as failing:
        failing.setattr(Collection, "bulk_write", write_unconfirmed)
        with pytest.raises(AnalyticsUnavailable):
            analytics.project(as_input(online("s1", 0)))
    analytics.project(as_input(online("s1", 0)))
    assert [session.stream_id for session in analytics.sessions("1337", 10)] == ["s1"]


def test_a_forked_process_opens_its_own_connection(analytics: MongoAnalytics) -> None:
    analytics.project(as_input(*history("user-0", 1)))
    child = os.fork()
    if child == 0:
        os._exit(0 if analytics.summary().streamers == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert analytics.summary().streamers == 1


def test_analytics_can_be_used_again_after_they_were_closed(analytics: MongoAnalytics) -> None:
    analytics.close()
    analytics.ping()


# Retention


def retention_of(database: Database[Document]) -> int | None:
    """None where there is no index for it, which would cost CPU and space for nothing."""
    index = database["stream_snapshots"].index_information().get("captured_at_1")
    return int(index["expireAfterSeconds"]) if index else None


def test_retention_is_an_index_that_follows_the_setting(
    mongodb_url: str, mongodb_database: str, database: Database[Document]
) -> None:
    for days in (0, 30, 7, 7, 0, 365, 36_500):
        settings = Settings(
            analytics_type="mongodb",
            mongodb_url=mongodb_url,
            mongodb_database=mongodb_database,
            snapshot_retention_days=days,
        )
        analytics = open_analytics(settings)
        analytics.prepare()
        assert retention_of(database) == (min(days * 86_400, 2**31 - 1) or None)
        analytics.close()


@pytest.mark.xdist_group("mongo")
def test_old_samples_go_and_sessions_stay() -> None:
    seconds_since = (datetime.now(UTC) - at(0)).total_seconds()
    old = list(shifted(seconds_since - 3 * DAY.total_seconds()))
    new = [snapshot("s2", seconds_since, 5, started=seconds_since)]
    with mongo_server("--setParameter", "ttlMonitorSleepSecs=1") as server:
        analytics = MongoAnalytics(server.url, "streamwatch", CAP, retention=DAY)
        analytics.project(as_input(*old, *new))
        sessions = analytics.sessions("1337", 10)
        assert by_id(sessions) == expected_sessions([*old, *new])
        analytics.prepare()
        wait_for(lambda: len(analytics.snapshots(None, 100)) == 1)
        analytics.recalculate("1337")
        assert analytics.sessions("1337", 10) == sessions
        assert analytics.summary().totals.sums.samples == 6
        analytics.close()


def shifted(start: float) -> Iterator[Piece]:
    yield online("s1", start)
    for number in range(5):
        yield snapshot("s1", start + 60 * number, number, started=start)
    yield offline("s1", start + 400)


# Repair


def test_recalculation_repairs_damaged_records(
    analytics: MongoAnalytics, database: Database[Document]
) -> None:
    analytics.project(as_input(*history("user-0", 9)))
    stats, sessions = analytics.find("user-0"), list(analytics.each_session("user-0"))
    later = datetime(2100, 1, 1, tzinfo=UTC)
    database["stream_sessions"].update_many({}, {"$set": {"viewer_ms": 1, "ended_at": later}})
    database["stream_sessions"].delete_one({"_id": "user-0-7"})
    database["streamer_stats"].update_many({}, {"$set": {"airtime_ms": 1, "streams": 0}})
    analytics.recalculate("user-0")
    assert analytics.find("user-0") == stats
    assert list(analytics.each_session("user-0")) == sessions


# Several at once


def test_a_session_that_another_process_saved_meanwhile_is_computed_again(
    analytics: MongoAnalytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process has not saved the state yet, as after a crash."""
    other = partial(analytics.project, as_input(offline("s1", 60)))
    read = MongoRepository.stored_sessions
    others = iter([other])

    def stored_sessions(repository: MongoRepository, stream_ids: Any) -> Any:
        found = read(repository, stream_ids)
        for project in others:
            project()
        return found

    analytics.project(as_input(online("s1", 0)))
    monkeypatch.setattr(MongoRepository, "stored_sessions", stored_sessions)
    analytics.project(as_input(snapshot("s1", 30)))
    [session] = analytics.sessions("1337", 1)
    assert (session.ended_at, session.sample_totals.sums.samples) == (at(60), 1)


def test_a_session_that_was_saved_without_what_the_state_had_got_meanwhile_is_computed_again(
    analytics: MongoAnalytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that counts only while the later one is unknown: with it, nothing changes."""
    pieces: list[Piece] = [online("s1", 100), snapshot("s1", 160, started=100)]
    early, late = update("Early", 10), update("Late", 50)
    analytics.project(as_input(*pieces))
    read = MongoRepository.stored_sessions
    others = iter([partial(analytics.project, as_input(late))])

    def stored_sessions(repository: MongoRepository, stream_ids: Any) -> Any:
        for project in others:  # after the state was read
            project()
        return read(repository, stream_ids)

    monkeypatch.setattr(MongoRepository, "stored_sessions", stored_sessions)
    analytics.project(as_input(early))
    assert by_id(analytics.sessions("1337", 1)) == expected_sessions([*pieces, early, late])


STEPS = ("stream_events", "stream_snapshots", "stream_sessions", "streamer_stats")


@pytest.mark.parametrize("step", STEPS)
def test_a_batch_that_was_interrupted_is_completed_when_it_is_projected_again(
    analytics: MongoAnalytics, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    pieces: list[Piece] = [
        online("s1", 0),
        snapshot("s1", 60, 7),
        online("s2", 500),
        offline(None, 700),
        snapshot("s2", 650, 9, started=500),
    ]
    analytics.project(as_input(*pieces[:2]))
    write = repository._write

    def crash(collection: Any, writes: Any) -> int:
        if collection.name == step:
            raise KeyboardInterrupt
        return write(collection, writes)

    with monkeypatch.context() as patched:
        patched.setattr(repository, "_write", crash)
        with pytest.raises(KeyboardInterrupt):
            analytics.project(as_input(*pieces[2:]))
    analytics.project(as_input(snapshot("s1", 120, 8)))
    analytics.project(as_input(*pieces[2:]))
    assert by_id(analytics.sessions("1337", 10)) == expected_sessions(
        [*pieces, snapshot("s1", 120, 8)]
    )
    assert analytics.summary().totals == totals(analytics.sessions("1337", 10))
