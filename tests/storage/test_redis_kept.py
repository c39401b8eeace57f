"""What a process keeps of its answers is never older than what anybody was told is stored."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from streamwatch.domain.documents import Json
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.redis import RedisStorage, keys, tidings
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import change, event, status, store, streamer
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
    calls = client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
    storage.status_json("ann")
    return bool(client.info("commandstats")["cmdstat_evalsha"]["calls"] > calls)


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
