"""The keys and arguments of `commit.lua`, which describes them."""

from collections.abc import Sequence
from typing import Any

from streamwatch.domain.models import Change, EventType, StreamStatus
from streamwatch.redis_connection import Arguments
from streamwatch.storage.base import SEEN_SECONDS, FeedRecord, Lease, changed_topics
from streamwatch.storage.redis import codec, keys
from streamwatch.storage.redis.changes import published

_HISTORIES = tuple(keys.events_of_type(event_type) for event_type in EventType)
_KEY_INDEXES = {event_type: index for index, event_type in enumerate(EventType, start=12)}
"""The index in KEYS of each event type's history."""


def commit_arguments(change: Change, lease: Lease | None, events_kept: int) -> Arguments:
    status = change.status
    event_values = [codec.event_value(event) for event in change.events]
    return (
        [
            keys.seen(change.message_id or ""),
            keys.lease(lease.name if lease else ""),
            keys.hidden_status(status.user_id),
            keys.STATUS,
            keys.LIVE,
            keys.AWAITING,
            keys.LOGINS,
            keys.FEED,
            keys.EVENTS,
            keys.events_of_streamer(status.user_id),
            keys.STREAMERS,
            *_HISTORIES,
        ],
        [
            SEEN_SECONDS if change.message_id is not None else "",
            codec.lease_value(lease) if lease else "",
            status.user_id,
            change.base_version,
            codec.status_value(status),
            _viewers(status),
            _awaiting_since(status),
            status.login,
            "1" if change.is_new_login else "",
            change.previous_login or "",
            events_kept,
            *published(changed_topics(change)),
            _record(change, event_values),
            *_events(change, event_values),
        ],
    )


def _viewers(status: StreamStatus) -> int | str:
    return (status.stream.viewer_count or 0) if status.stream else ""


def _awaiting_since(status: StreamStatus) -> int | str:
    if status.stream is None or status.stream.has_details:
        return ""
    return codec.microseconds(status.last_updated)


def _record(change: Change, event_values: Sequence[bytes]) -> bytes | str:
    record = FeedRecord.of(change)
    return codec.record_value(record, event_values) if record else ""


def _events(change: Change, event_values: Sequence[bytes]) -> list[Any]:
    positions = change.positions
    return [
        argument
        for event, value in zip(change.events, event_values, strict=True)
        for argument in (
            codec.microseconds(positions[event.id]),
            codec.history_value(event, value),
            _KEY_INDEXES[event.event_type],
            event.replaces or "",
        )
    ]
