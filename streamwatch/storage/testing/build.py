"""Fixtures, builders and helpers of the contract tests. Times are in seconds after START."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import pytest

from streamwatch.domain.models import (
    Change,
    EventType,
    Source,
    Stream,
    Streamer,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
)
from streamwatch.storage.base import Committed, FeedEntry, FeedRecord, Storage

Result = TypeVar("Result")

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
READER = "reader"


class OpenStorage(Protocol):
    def __call__(self, events_kept: int = 1000) -> Storage: ...


class ContractBase:
    """The fixtures that all contract classes share."""

    @pytest.fixture
    def open_storage(self) -> OpenStorage:
        raise NotImplementedError("override `open_storage` with your backend")

    @pytest.fixture
    def storage(self, open_storage: OpenStorage) -> Storage:
        return open_storage()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def streamer(user_id: str = "1", login: str = "ann", *, added: float = 0) -> Streamer:
    return Streamer(user_id, login, login.title(), at(added))


def event(
    event_id: str,
    seconds: float = 0,
    user_id: str = "1",
    event_type: EventType = EventType.ONLINE,
    **data: Any,
) -> StreamEvent:
    return StreamEvent(
        id=event_id,
        event_type=event_type,
        broadcaster_id=user_id,
        broadcaster_login="ann",
        broadcaster_name="Ann",
        timestamp=at(seconds),
        data={"id": "s1", **data},
        source=Source.EVENTSUB,
    )


def status(
    user_id: str = "1",
    login: str = "ann",
    *,
    version: int = 1,
    live: bool = True,
    viewers: int | None = None,
    updated: float = 0,
) -> StreamStatus:
    return StreamStatus(
        user_id=user_id,
        login=login,
        display_name=login.title(),
        stream=Stream(f"s{user_id}", START, viewer_count=viewers) if live else None,
        last_updated=at(updated),
        version=version,
    )


def change(after: StreamStatus, *events: StreamEvent, **more: Any) -> Change:
    """The change that replaces the previous version of a status with `after`."""
    return Change(
        status=after,
        base_version=after.version - 1,
        previous_login=more.pop("previous_login", None),
        events=events,
        **more,
    )


def snapshot(user_id: str = "1", seconds: float = 0, viewers: int = 5) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=f"s{user_id}",
        broadcaster_id=user_id,
        broadcaster_login="ann",
        broadcaster_name="Ann",
        captured_at=at(seconds),
        started_at=START,
        viewer_count=viewers,
        category_id="9",
        category_name="Pokémon",
        title="A ♥ title",
        language="en",
        tags=("cosy", "Español"),
    )


def store(storage: Storage, *changes: Change) -> None:
    """Commit the changes, and assert that all of them are STORED."""
    assert storage.commit(changes) == [Committed.STORED] * len(changes)


def store_events(storage: Storage, *ids: str, user_id: str = "1") -> None:
    """Commit an event for each id, each one second after the previous, as the next status."""
    known = storage.status(user_id)
    version = known.version if known else 0
    for seconds, event_id in enumerate(ids):
        version += 1
        after = status(user_id, f"login{user_id}", version=version)
        store(storage, change(after, event(event_id, seconds, user_id)))


def read(
    storage: Storage,
    reader: str = READER,
    consumer: str = "a",
    *,
    count: int = 100,
    after: float = 60,
) -> list[FeedEntry]:
    return storage.feed.read(reader, consumer, count, reclaim_seconds=after)


def event_ids(entries: list[FeedEntry]) -> list[str]:
    """The ids of all events in these feed entries."""
    return [event.id for entry in entries for event in (entry.record or FeedRecord("")).events]


def run_concurrently(calls: int, call: Callable[[int], Result]) -> list[Result]:
    """Call `call` with 0 to `calls` - 1, each in its own thread; returns the results in order."""
    with ThreadPoolExecutor(calls) as threads:
        return list(threads.map(call, range(calls)))


def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until `condition()` is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition was not true within {seconds} s"
        time.sleep(0.01)
