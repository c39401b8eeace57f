"""The values that the methods of the storage port take and return, and their constants."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from streamwatch.domain.eventsub import REPLAY_WINDOW
from streamwatch.domain.models import (
    LONGEST_STREAM,
    Change,
    MonitoringEnd,
    NameChange,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
)

SEEN_SECONDS = int(3 * REPLAY_WINDOW.total_seconds())
"""How long a message id is stored. A message can arrive between 10 minutes before and 10 minutes
after its timestamp; later ones are refused because of the timestamp."""

REMOVED_SECONDS = int((LONGEST_STREAM + timedelta(days=1)).total_seconds())
"""How long the hidden status of a removed streamer is stored: longer than any stream, so that a
streamer who is added again has one start of a stream that is on."""

MAX_TRIES = 5
"""How often a reader of the feed processes an entry that fails with an unexpected error, before the
entry becomes a dead letter."""

HEARTBEAT_SECONDS = 30.0
"""A worker counts as dead when its last heartbeat is older. Workers send one every few seconds."""


class Topic(StrEnum):
    """The topics of published changes: see `Coordination.publish_change`."""

    LIVE = "live"
    """Statuses, and with them the list of live streamers."""
    EVENTS = "events"
    """The histories of events."""
    STREAMERS = "streamers"
    """The records of monitored streamers."""
    ANALYTICS = "analytics"
    """Sessions, samples and statistics."""


STREAMER_TOPICS = (Topic.STREAMERS, Topic.LIVE, Topic.EVENTS)
"""The topics of a changed streamer record: its login also finds the status and the events."""


def changed_topics(change: Change) -> tuple[Topic, ...]:
    """The topics that a commit of `change` changes."""
    if change.events or change.is_new_login:
        return Topic.LIVE, Topic.EVENTS
    return (Topic.LIVE,)


@dataclass(frozen=True, slots=True)
class StorageReport:
    """The server of a storage, for example "Redis 8.2.3", and warnings about settings that put the
    data at risk."""

    server: str = ""
    warnings: tuple[str, ...] = ()


class Committed(StrEnum):
    """The result of committing a change. Only STORED means that anything was written."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """The message was stored before."""
    CONFLICT = "conflict"
    """The stored version is not the one that the change is based on: read and decide again."""
    FENCED = "fenced"
    """The caller no longer holds the lease."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A cached response of Twitch about a user who is not monitored. `status` is None if no Twitch
    user has the login."""

    login: str
    status: StreamStatus | None


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """What one commit adds to the feed: at least one of the optional fields is set."""

    user_id: str
    events: tuple[StreamEvent, ...] = ()
    snapshot: StreamSnapshot | None = None
    name_change: NameChange | None = None
    monitoring_end: MonitoringEnd | None = None

    @classmethod
    def of(cls, change: Change) -> Self | None:
        """The record of a change; None if the change has nothing for the feed."""
        if change.events or change.snapshot or change.name_change or change.monitoring_end:
            user_id, name_change = change.status.user_id, change.name_change
            return cls(user_id, change.events, change.snapshot, name_change, change.monitoring_end)
        return None


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A record with its id in the feed. The backend defines the format and the order of ids.

    `tries` counts how often the entry was handed out, including this time. `record` is None if the
    stored entry cannot be read; `error` is the reason.
    """

    id: str
    record: FeedRecord | None
    tries: int = 1
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Tail:
    """The feed entries after an id. `complete` is False if entries between that id and the first of
    `entries` may have been trimmed."""

    entries: list[FeedEntry]
    complete: bool


@dataclass(frozen=True, slots=True)
class ReaderState:
    """The progress of a feed reader: `lag` entries were not handed out yet, `pending` entries were
    handed out but not acknowledged, and `set_aside` entries are dead letters."""

    name: str
    lag: int
    pending: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A feed entry that a reader could not process, with the error."""

    id: str
    reader: str
    error: str
    at: datetime
    record: FeedRecord | None


@dataclass(frozen=True, slots=True)
class Lease:
    """A lock that expires. `fence` grows with each acquisition, so that writes of an earlier holder
    can be refused."""

    name: str
    holder: str
    fence: int


@dataclass(frozen=True, slots=True)
class WindowCount:
    """A counter, and the seconds until its window ends."""

    count: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class JobRun:
    """The last run of a job. `error` is None if the run succeeded."""

    name: str
    started_at: datetime
    seconds: float
    error: str | None = None
