"""What a process keeps of its answers is never older than what anybody was told is stored."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from streamwatch.domain.documents import Json
from streamwatch.domain.models import Stream, User
from streamwatch.domain.observations import SeenLive, WentOffline, WentOnline
from streamwatch.services.ingestion.recorder import ObservationRecorder, RecordedChange
from streamwatch.simulator.past import offline, online
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.redis import RedisStorage, keys, tidings
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import START, change, event, status, store, streamer
from tests.servers import redis_server
from tests.waiting import wait_for

ROUNDS = 1500


@pytest.fixture
def other(redis_url: str) -> Iterator[RedisStorage]:
    """The storage of another process."""
    storage = RedisStorage(Connection.to(redis_url))
    yield storage
    storage.close()


def keeps(storage: RedisStorage) -> bool:
    """Whether answers are kept by now, and not asked for each time."""
    return storage._tidings.stamp([keys.STATUS]) is not None


def asks(storage: RedisStorage, client: Any) -> bool:
    """Whether Redis is asked for a status."""
    before = commands(client, "evalsha")
    storage.status_json("ann")
    return commands(client, "evalsha") > before


def test_what_has_not_changed_is_asked_for_once(storage: RedisStorage, client: Any) -> None:
    store(storage, change(status()))
    wait_for(lambda: keeps(storage))
    storage.status_json("ann")
    assert not asks(storage, client)
    store(storage, change(status(version=2)))
    assert asks(storage, client)
    assert not asks(storage, client)


def test_every_process_answers_what_another_has_stored(
    storage: RedisStorage, other: RedisStorage
) -> None:
    wait_for(lambda: keeps(other))
    other.status_json("ann")
    for version in range(1, ROUNDS):
        store(
            storage, change(status(version=version, viewers=version), event(f"e{version}", version))
        )
        viewers = b'"viewer_count":%d,' % version
        assert (other.status_json("ann") or b"").count(viewers) == 1
        assert other.live_json().array.count(viewers) == 1
        assert other.events_json(1).array.count(b'"e%d"' % version) == 1
        assert other.events_of_streamer_json("ann", 1).array.count(b'"e%d"' % version) == 1


def test_signs_of_life_hide_no_change(
    storage: RedisStorage, other: RedisStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis may answer a writer before a connection that it owes an answer, too."""
    monkeypatch.setattr(tidings, "LOOK_SECONDS", 0.0002)
    wait_for(lambda: keeps(other))
    for version in range(1, 2 * ROUNDS):
        store(storage, change(status(version=version, viewers=version)))
        viewers = b'"viewer_count":%d,' % version
        assert (other.status_json("ann") or b"").count(viewers) == 1


@dataclass
class Spoken:
    """A Redis that says what a test has it say, and the one connection to it."""

    _sock: socket.socket

    def connection_of_its_own(self) -> "Spoken":
        return self

    def connect(self) -> None: ...

    def send_command(self, *_: str) -> None: ...

    def read_response(self) -> None: ...

    def disconnect(self) -> None: ...


def test_while_one_of_several_signs_of_life_is_owed_nothing_counts_as_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tidings, "LOOK_SECONDS", 0.1)
    ours, theirs = socket.socketpair()
    spoken: Any = Spoken(ours)
    told = tidings.Tidings(spoken, "prefix")
    asked = b""

    def is_heard() -> bool:
        return told.stamp(["key"]) is not None

    def is_heard_once_answered() -> bool:
        with suppress(BlockingIOError):
            theirs.sendall(b"+PONG\r\n" * theirs.recv(1000).count(b"PING"))
        return is_heard()

    with ours, theirs:
        theirs.settimeout(10)
        wait_for(is_heard)
        while asked.count(b"PING") < 2:
            asked += theirs.recv(1)
        theirs.sendall(b"+PONG\r\n")
        assert not is_heard()
        theirs.sendall(b"+PONG\r\n")
        theirs.setblocking(False)
        wait_for(is_heard_once_answered)
        told.close()


def test_an_answer_that_is_read_while_something_is_stored_is_not_kept(
    storage: RedisStorage, other: RedisStorage
) -> None:
    """Readers and a writer at once: whoever was told of a version finds it, or a later one."""
    wait_for(lambda: keeps(other))
    told, wrong, done = 0, [], threading.Event()

    def read() -> None:
        while not done.is_set():
            least = told
            shown = other.status_json("ann")
            viewers = int(shown.partition(b'"viewer_count":')[2].partition(b",")[0]) if shown else 0
            if viewers < least:
                wrong.append((viewers, least))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for version in range(1, ROUNDS):
        store(storage, change(status(version=version, viewers=version)))
        told = version
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_a_streamer_who_is_removed_or_renamed_is_so_everywhere(
    storage: RedisStorage, other: RedisStorage
) -> None:
    wait_for(lambda: keeps(other))
    storage.add_streamers([streamer()])
    store(storage, change(status()))
    assert other.status_json("ann")
    assert other.live_json().count == 1
    storage.remove_streamer("1")
    assert other.status_json("ann") is None
    assert other.live_json().count == 0


def test_what_was_made_of_a_topic_is_made_again_once_it_has_changed(
    storage: RedisStorage, other: RedisStorage
) -> None:
    made: list[int] = []

    def make() -> Json:
        made.append(len(made))
        return Json(b"%d" % len(made))

    def kept() -> Json:
        return other.coordination.kept("figures", ("top", 5), make)

    wait_for(lambda: keeps(other))
    assert [kept(), kept()] == [b"1", b"1"]
    assert other.coordination.kept("figures", ("top", 6), make) == b"2"
    storage.coordination.changed("figures")
    assert [kept(), kept()] == [b"3", b"3"]
    storage.coordination.changed("weather")
    assert kept() == b"3"


def test_a_lost_connection_tells_nothing_and_is_made_anew(
    storage: RedisStorage, client: Any
) -> None:
    store(storage, change(status()))
    wait_for(lambda: keeps(storage))
    storage.status_json("ann")
    [tracking] = [one for one in client.client_list() if "t" in one["flags"]]
    client.client_kill_filter(_id=tracking["id"])
    client.hdel(keys.STATUS, "1")
    assert storage.status_json("ann") is None
    wait_for(lambda: keeps(storage))


def test_what_changes_while_nobody_tells_is_not_overlooked(
    storage: RedisStorage, client: Any
) -> None:
    store(storage, change(status()))
    wait_for(lambda: keeps(storage))
    [tracking] = [one for one in client.client_list() if "t" in one["flags"]]
    client.client_kill_filter(_id=tracking["id"])
    assert storage.status_json("ann")
    client.hdel(keys.STATUS, "1")
    wait_for(lambda: keeps(storage))
    assert storage.status_json("ann") is None


def test_a_redis_that_does_not_tell_is_asked_each_time(
    client: Any, redis_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidings, "LOOK_SECONDS", 0.02)
    client.acl_setuser("plain", enabled=True, nopass=True, keys="*", commands=["+@all", "-client"])
    caplog.set_level("INFO", tidings.__name__)
    plain = RedisStorage(Connection.to(redis_url.replace("redis://", "redis://plain:x@")))
    try:
        for version in range(1, 30):
            store(plain, change(status(version=version, viewers=version)))
            shown = plain.status_json("ann") or b""
            assert shown.count(b'"viewer_count":%d,' % version) == 1
        known = client.info("stats")["total_connections_received"]
        wait_for(lambda: client.info("stats")["total_connections_received"] > known + 3)
        assert len(caplog.messages) == 1
    finally:
        plain.close()
        client.acl_deluser("plain")


def test_an_emptied_redis_is_told(storage: RedisStorage, client: Any) -> None:
    store(storage, change(status()))
    wait_for(lambda: keeps(storage))
    assert storage.status_json("ann")
    client.flushall()
    assert storage.status_json("ann") is None


def test_a_frozen_redis_has_nothing_answered_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidings, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(tidings, "LOOK_SECONDS", 0.1)
    with redis_server() as server:
        storage = RedisStorage(Connection.to(server.url))
        store(storage, change(status()))
        wait_for(lambda: keeps(storage))
        storage.status_json("ann")
        server.freeze()

        def is_told() -> bool:
            try:
                storage.status_json("ann")
            except StorageUnavailable:
                return True
            return False

        wait_for(is_told, 5)
        server.thaw()
        wait_for(lambda: not is_told())
        wait_for(lambda: keeps(storage))
        storage.close()


def test_who_asks_nothing_is_told_nothing(
    storage: RedisStorage, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody reads would pile up in Redis."""
    monkeypatch.setattr(tidings, "UNUSED_SECONDS", 0.3)
    monkeypatch.setattr(tidings, "LOOK_SECONDS", 0.1)
    wait_for(lambda: keeps(storage))
    assert client.info("clients")["tracking_clients"] == 1
    wait_for(lambda: client.info("clients")["tracking_clients"] == 0)
    wait_for(lambda: keeps(storage))


def test_what_is_kept_is_bounded(storage: RedisStorage) -> None:
    wait_for(lambda: keeps(storage))
    for number in range(100):
        storage.coordination.kept("figures", (number,), lambda: Json(b"x" * 200_000))
    assert storage._kept._bytes <= 4 * 2**20
    assert len(storage._kept._answers) == 20


# Statuses as they were lately


def goes(storage: RedisStorage, user: User, turn: int) -> RecordedChange:
    """`user` goes on or off, as a message tells that this process has got."""
    at = START + timedelta(minutes=turn)
    stream = Stream(f"s{turn // 2}", at)
    went = (
        WentOffline(offline(user, stream.id, at))
        if turn % 2
        else WentOnline(online(user, stream), stream)
    )
    [observed] = ObservationRecorder(storage).record([went])
    return observed


def test_a_message_costs_one_round_trip_where_this_process_stored_the_last(
    storage: RedisStorage, client: Any
) -> None:
    wait_for(lambda: keeps(storage))
    user = User("1", "ann", "Ann")
    for turn in (0, 1):
        goes(storage, user, turn)
    scripts, reads = commands(client, "evalsha"), commands(client, "hget")
    for turn in (2, 3, 4):
        goes(storage, user, turn)
    assert commands(client, "evalsha") == scripts + 3
    assert commands(client, "hget") == reads + 3  # the script's own


def test_processes_that_take_turns_know_of_each_other(
    storage: RedisStorage, other: RedisStorage
) -> None:
    wait_for(lambda: keeps(storage) and keeps(other))
    user = User("1", "ann", "Ann")
    for turn in range(0, 40, 2):
        for process, number in ((storage, turn), (other, turn + 1)):
            observed = goes(process, user, number)
            assert observed.change
            assert observed.change.base_version == number
            assert len(observed.change.events) == 1
    assert other.events_of_streamer_json("ann", 100).count == 40


def test_what_a_poll_has_changed_meanwhile_is_found_out(
    storage: RedisStorage, other: RedisStorage
) -> None:
    """A poll that brings no event is not told of: the commit finds the status changed."""
    wait_for(lambda: keeps(storage))
    user = User("1", "ann", "Ann")
    goes(storage, user, 0)
    stream = Stream("s0", START, viewer_count=77)
    ObservationRecorder(other).record(
        [SeenLive("1", "ann", "Ann", stream, START + timedelta(minutes=9))]
    )
    observed = goes(storage, user, 11)
    assert observed.before
    assert observed.before.stream == stream
    assert observed.change
    assert observed.change.base_version == 2


def test_a_streamer_who_came_back_is_another(storage: RedisStorage, other: RedisStorage) -> None:
    wait_for(lambda: keeps(storage))
    user = User("1", "ann", "Ann")
    storage.add_streamers([streamer()])
    goes(storage, user, 0)
    other.remove_streamer("1")
    other.add_streamers([streamer()])
    observed = goes(storage, user, 2)
    assert observed.before is None


def test_who_observes_nothing_asks_for_nothing(storage: RedisStorage) -> None:
    assert ObservationRecorder(storage).record([]) == []
    assert storage.recent_statuses([]) == {}


def commands(client: Any, name: str) -> int:
    """How many commands of a name Redis has run."""
    return int(client.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0))
