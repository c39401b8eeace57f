"""Data that version 0.1.0 stored in Redis can be read after an upgrade.

`written_by_0_1_0.json` has the type and value of each key that version 0.1.0 wrote.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamwatch.domain.models import (
    EventType,
    Source,
    Stream,
    Streamer,
    StreamEvent,
    StreamStatus,
    Timeline,
    TimelineEntry,
)
from streamwatch.storage.base import FeedRecord, JobRun, Lease, Lookup
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.testing.build import START, at, change, event, snapshot, status, store

WRITTEN = json.loads(Path(__file__).with_name("written_by_0_1_0.json").read_text())

ONLINE = StreamEvent(
    id="m1",
    event_type=EventType.ONLINE,
    broadcaster_id="1",
    broadcaster_login="ann",
    broadcaster_name="Ann",
    timestamp=at(1.5),
    data={"id": "s1", "type": "live", "started_at": "2026-06-01T12:00:00Z"},
    source=Source.EVENTSUB,
)
STREAM = Stream(
    "s1",
    START,
    "live",
    viewer_count=7,
    game_id="9",
    game_name="Pokémon",
    title="A ♥ title",
    language="en",
    tags=("cosy", "Español"),
    thumbnail_url="https://t/{width}",
)


@pytest.fixture(autouse=True)
def _written(client: Any) -> None:
    for name, (kind, value) in WRITTEN.items():
        match kind:
            case "string":
                client.set(name, value)
            case "hash":
                client.hset(name, mapping=value)
            case "zset":
                client.zadd(name, dict(value))
            case "stream":
                for entry_id, fields in value:
                    client.xadd(name, fields, id=entry_id)


def test_streamers_are_read(storage: RedisStorage) -> None:
    assert storage.streamers() == [
        Streamer("3", "cat", "Cat", at(2.5)),
        Streamer("1", "ann", "Ann ♥", START, "on1", "off1", "abc"),
    ]


def test_a_status_with_its_timeline_is_read(storage: RedisStorage) -> None:
    second = replace(ONLINE, id="m2", timestamp=at(2))

    assert storage.status("1") == StreamStatus(
        user_id="1",
        login="ann",
        display_name="Ann",
        stream=STREAM,
        last_updated=at(400),
        last_event_type=EventType.ONLINE,
        version=3,
        timeline=Timeline(
            entries=(
                TimelineEntry(at(1.5), EventType.ONLINE, "m1", "s1", START, "live"),
                TimelineEntry(at(2), EventType.ONLINE, "m2", "s1", START, "live", second),
            )
        ),
        seen_at=at(400),
    )


def test_live_streamers_are_read(storage: RedisStorage) -> None:
    assert [found.user_id for found in storage.live()] == ["1", "3"]
    assert storage.awaiting_details() == {"3": at(6)}


def test_the_history_is_read(storage: RedisStorage) -> None:
    assert [found.id for found in storage.events(10)] == ["m4", "m3", "m1"]
    assert storage.events(10)[-1] == ONLINE
    assert [found.id for found in storage.events_of_type(EventType.OFFLINE, 10)] == ["m3"]
    assert [found.id for found in storage.events_of_streamer("bob", 10)] == ["m3"]


def test_the_feed_and_dead_letters_are_read(storage: RedisStorage) -> None:
    first, second, *_ = storage.feed.read("analytics", "new", 10, reclaim_seconds=60)

    assert first.record == FeedRecord("1", (ONLINE,))
    assert second.record == FeedRecord("1", (), snapshot("1", 400, 7))
    [dead] = storage.feed.dead_letters("analytics")
    assert (dead.error, dead.at, dead.record) == ("no good", at(9), first.record)


def test_lookups_are_read(storage: RedisStorage) -> None:
    assert storage.lookup("dan") == Lookup("dan", status("9", "dan", live=False))
    assert storage.lookup("nobody") == Lookup("nobody", None)


def test_coordination_data_is_read(storage: RedisStorage) -> None:
    coordination = storage.coordination
    failed = JobRun("refresh", at(1.5), 0.25, "TwitchBusy: no")
    token = coordination.app_token()

    assert coordination.job_runs() == {"refresh": failed}
    assert coordination.last_heartbeat() == at(3)
    assert coordination.counts() == {"messages:accepted": 3}
    assert coordination.published_metrics("helix-budget")["remaining"] == 799
    assert token is not None
    assert token.value == "token"
    assert coordination.lease("leader") == Lease("leader", "host:1:ab", 1)


def test_a_status_is_changed_based_on_its_stored_version(storage: RedisStorage) -> None:
    store(storage, change(status(version=4, live=False), event("m5", 500)))

    assert [found.id for found in storage.events(1)] == ["m5"]
