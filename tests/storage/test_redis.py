"""Tests of the Redis storage beyond the contract: keys, scripts, expiry, unreadable values."""

from datetime import UTC, datetime
from typing import Any

import pytest

from streamwatch.storage.base import FeedEntry, JobRun, StorageError
from streamwatch.storage.notifications import Attempted
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.codec import microseconds
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import (
    at,
    change,
    event,
    event_ids,
    read,
    snapshot,
    status,
    store,
    store_events,
    streamer,
)
from streamwatch.storage.testing.notifications import delivery, notification, postponed

FEED = "{streamwatch}:feed"


def test_all_keys_have_the_same_prefix_and_hash_tag(storage: RedisStorage, client: Any) -> None:
    storage.add_streamers([streamer()])
    lease = storage.coordination.acquire_lease("leader", "a", 60)
    sample = snapshot()
    storage.commit([change(status(), event("e1"), snapshot=sample, message_id="m1")], lease)
    storage.feed.add_dead_letter("reader", read(storage)[0], "no good", at(0))
    storage.remove_streamer("1")

    names = client.keys()

    assert len(names) == 11
    assert all(name.startswith(b"{streamwatch}:") for name in names)


def test_scripts_are_loaded_again_after_redis_lost_them(storage: RedisStorage, client: Any) -> None:
    store_events(storage, "e1")
    client.script_flush()

    many = [change(status(str(n), f"login{n}"), event(f"e{n}")) for n in range(2, 300)]
    store(storage, *many)
    client.script_flush()

    assert len(read(storage, count=1000)) == 299


def test_keys_of_seen_messages_and_removals_expire(storage: RedisStorage, client: Any) -> None:
    storage.add_streamers([streamer()])
    store(storage, change(status(), message_id="m1"))
    storage.remove_streamer("1")

    assert 20 * 60 < client.ttl("{streamwatch}:seen:m1") <= 30 * 60
    assert 71 * 3600 < client.ttl("{streamwatch}:removed:1") <= 72 * 3600


def test_the_live_sets_contain_only_live_streamers(storage: RedisStorage, client: Any) -> None:
    store(storage, change(status("1")), change(status("2", live=False)), change(status("3")))
    store(storage, change(status("3", version=2, live=False)))

    assert client.zrange("{streamwatch}:live", 0, -1) == [b"1"]
    assert client.zrange("{streamwatch}:awaiting", 0, -1) == [b"1"]


@pytest.mark.parametrize("fields", [{"record": "{no JSON"}, {"record": "{}"}, {"other": "x"}])
def test_an_unreadable_entry_does_not_block_other_entries(
    storage: RedisStorage, client: Any, fields: dict[str, str]
) -> None:
    store_events(storage, "e1")
    client.xadd(FEED, fields)
    store_events(storage, "e2")

    first, broken, last = read(storage)

    assert event_ids([first, last]) == ["e1", "e2"]
    assert broken.record is None
    assert broken.error is not None
    storage.feed.add_dead_letter("reader", broken, broken.error, at(0))
    storage.feed.acknowledge("reader", [first.id, last.id])
    assert storage.feed.trim() == 3
    [letter] = storage.feed.dead_letters("reader")
    assert (letter.id, letter.record, letter.error) == (broken.id, None, broken.error)


def test_a_dead_letter_contains_the_stored_record(storage: RedisStorage) -> None:
    store_events(storage, "e1")
    [entry] = read(storage)

    storage.feed.add_dead_letter("reader", FeedEntry(entry.id, None), "a bug", at(0))

    [letter] = storage.feed.dead_letters("reader")
    assert letter.record == entry.record


def test_idle_consumers_without_pending_entries_are_deleted(
    storage: RedisStorage, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_events(storage, "e1", "e2")
    read(storage, consumer="has something pending", count=1)
    [entry] = read(storage, consumer="has nothing")
    storage.feed.acknowledge("reader", [entry.id])
    storage.feed.trim()
    assert len(client.xinfo_consumers(FEED, "reader")) == 2

    monkeypatch.setattr("streamwatch.storage.redis.feed.CONSUMER_GONE_SECONDS", -1)
    storage.feed.trim()

    [left] = client.xinfo_consumers(FEED, "reader")
    assert left["name"] == b"has something pending"
    assert event_ids(read(storage, after=0)) == ["e1"]


def test_an_abandoned_entry_after_many_pending_entries_is_found(
    storage: RedisStorage, client: Any
) -> None:
    store_events(storage, *(f"e{n}" for n in range(50)))
    last = read(storage, consumer="dead")[-1]
    client.xclaim(FEED, "reader", "dead", 0, [last.id], idle=100_000)

    assert event_ids(read(storage, count=1)) == ["e49"]


def test_lag_is_counted_when_redis_does_not_report_it(storage: RedisStorage, client: Any) -> None:
    store_events(storage, "e1", "e2", "e3", "e4")
    read(storage, count=1)
    client.xdel(FEED, client.xrange(FEED)[2][0])
    assert client.xinfo_groups(FEED)[0]["lag"] is None

    assert storage.feed.readers()[0].lag == 2


def test_a_reader_is_registered_again_after_data_loss(storage: RedisStorage, client: Any) -> None:
    store_events(storage, "e1")
    read(storage)
    client.flushall()

    store_events(storage, "e2")

    assert event_ids(read(storage)) == ["e2"]


def test_the_url_selects_the_database(redis_url: str, client: Any) -> None:
    storage = RedisStorage(Connection.to(f"{redis_url}/3"))
    storage.ping()
    storage.close()

    assert client.dbsize() == 0


def test_an_error_within_a_pipeline_is_raised(storage: RedisStorage, client: Any) -> None:
    client.set("{streamwatch}:counts", "no hash")

    with pytest.raises(StorageError):
        storage.coordination.add_counts({"a": 1, "b": 2})


def test_an_unreadable_run_of_a_job_does_not_hide_the_runs_of_others(
    storage: RedisStorage, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run = JobRun("refresh", datetime(2024, 7, 1, tzinfo=UTC), 0.5)
    storage.coordination.record_job(run)
    client.hset("{streamwatch}:jobs", "verify", "damaged")

    assert storage.coordination.job_runs() == {"refresh": run}
    assert "job verify" in caplog.text


def test_an_unreadable_notification_does_not_hide_others(
    storage: RedisStorage, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    known = notification()
    storage.notifications.add(known, limit=10)
    client.hset("{streamwatch}:notifications", "n2", "damaged")

    assert storage.notifications.all() == [known]
    assert "A notification is left out" in caplog.text


def test_a_late_message_does_not_extend_the_life_of_a_hidden_status(
    storage: RedisStorage, client: Any
) -> None:
    storage.add_streamers([streamer()])
    store(storage, change(status()))
    storage.remove_streamer("1")
    client.expire("{streamwatch}:hidden-status:1", 100)

    store(storage, change(status(version=2), event("e1")))

    assert 0 < client.ttl("{streamwatch}:hidden-status:1") <= 100


def test_failures_of_a_target_whose_last_one_was_not_stored_are_continued(
    storage: RedisStorage, client: Any
) -> None:
    """Before 0.2.0 was released, only the first failure was stored."""
    known = storage.notifications
    known.add(notification(), limit=10)
    known.add_deliveries([delivery("d1")])
    client.hset("{streamwatch}:notification:n1:info", "failing_since", microseconds(at(0)))

    for day, first_day in ((1, 0), (4, 4)):
        moment = at(day * 86400)
        [claimed] = known.claim("n1", moment, moment, 1, 1)
        known.save(postponed(claimed, 0), Attempted(moment, failed=True))
        assert known.queues(["n1"])["n1"].failing_since == at(first_day * 86400)
