"""A change as the keys and arguments of `commit.lua`, which names them."""

from typing import Any

from streamwatch.domain.models import Change, EventType, StreamStatus
from streamwatch.storage.base import SEEN_SECONDS, FeedRecord, Lease
from streamwatch.storage.redis import keys, values
from streamwatch.storage.redis.connection import Arguments

_TYPES = tuple(EventType)
_FIRST_TYPE = 11
"""The place of the first type's history among the keys."""


def commit_arguments(change: Change, lease: Lease | None, events_kept: int) -> Arguments:
    status = change.status
    return (
        [
            keys.seen(change.message_id or ""),
            keys.lease(lease.name if lease else ""),
            keys.removed(status.user_id),
            keys.STATUS,
            keys.LIVE,
            keys.AWAITING,
            keys.LOGINS,
            keys.FEED,
            keys.EVENTS,
            keys.events_of_streamer(status.user_id),
            *map(keys.events_of_type, _TYPES),
        ],
        [
            SEEN_SECONDS if change.message_id is not None else "",
            values.lease_value(lease) if lease else "",
            status.user_id,
            str(change.base_version),
            values.status_value(status),
            _viewers(status),
            _awaiting_since(status),
            status.login,
            "1" if change.login_is_news else "",
            change.previous_login or "",
            events_kept,
            _record(change),
            *_events(change),
        ],
    )


def _viewers(status: StreamStatus) -> int | str:
    return (status.stream.viewer_count or 0) if status.stream else ""


def _awaiting_since(status: StreamStatus) -> int | str:
    if status.stream is None or status.stream.has_details:
        return ""
    return values.microseconds(status.last_updated)


def _record(change: Change) -> bytes | str:
    if not change.events and change.snapshot is None:
        return ""
    return values.record_value(FeedRecord(change.status.user_id, change.events, change.snapshot))


def _events(change: Change) -> list[Any]:
    return [
        argument
        for event in change.events
        for argument in (
            values.microseconds(event.timestamp),
            values.event_value(event),
            _FIRST_TYPE + _TYPES.index(event.event_type),
        )
    ]
