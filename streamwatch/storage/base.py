"""The port to what is shared by all processes: streamers, who is live, the history, the feed, and
what the processes tell each other. It has no rules (those are `domain.transitions`), only verbs.

A backend subclasses `Storage`, `Feed` and `Coordination`, and proves itself with the contract tests
in `streamwatch.storage.testing`. Every verb is one atomic operation and safe to call from several
threads and processes. A backend that cannot be reached raises `StorageUnavailable` within 2
seconds; a driver's own errors never come out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from streamwatch.domain.eventsub import REPLAY_WINDOW
from streamwatch.domain.models import (
    AppToken,
    Change,
    EventType,
    NameChange,
    Streamer,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
    WatchEnd,
)
from streamwatch.storage.notifications import NotificationStore


class Topic(StrEnum):
    """What the processes tell each other of: see `Coordination.publish_change`."""

    LIVE = "live"
    """Statuses, and so who is live."""
    EVENTS = "events"
    """The histories of events."""
    STREAMERS = "streamers"
    """The records of monitored streamers."""
    ANALYTICS = "analytics"
    """Sessions, samples and statistics."""


SEEN_SECONDS = int(3 * REPLAY_WINDOW.total_seconds())
"""For how long a message id is remembered. A message can come from 10 minutes before its timestamp
to 10 minutes after; what is later is refused by its timestamp."""

REMOVED_SECONDS = int(timedelta(days=1).total_seconds())
"""For how long the hidden status of a removed streamer is stored."""


HEARTBEAT_SECONDS = 30.0
"""After so long without a heartbeat a worker counts as dead. Workers send one every few seconds."""


class StorageError(Exception):
    """The storage could not do what was asked."""


class StorageUnavailable(StorageError):
    """The storage did not answer, or not in time: what was asked may have happened or not."""


class UnsupportedStorage(StorageUnavailable):
    """The server is too old, or lacks something that is needed. The message says what."""


@dataclass(frozen=True, slots=True)
class StorageReport:
    """The server behind a storage, as "Redis 8.2.3", and settings that put the data at risk."""

    server: str = ""
    warnings: tuple[str, ...] = ()


class Committed(StrEnum):
    """What came of a change. Only with STORED was anything written."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """The message was seen before."""
    CONFLICT = "conflict"
    """The status is at another version than the change was decided on: read and decide again."""
    FENCED = "fenced"
    """The lease under which it was asked for has passed to another."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A cached answer of Twitch about somebody who is not monitored. `status` is None for a login
    that no Twitch user has."""

    login: str
    status: StreamStatus | None


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """What one commit has for the readers of the feed: any of these, at least one."""

    user_id: str
    events: tuple[StreamEvent, ...] = ()
    snapshot: StreamSnapshot | None = None
    name_change: NameChange | None = None
    watch_end: WatchEnd | None = None

    @classmethod
    def of(cls, change: Change) -> Self | None:
        """The record of a change; None where it has nothing for the readers of the feed."""
        if change.events or change.snapshot or change.name_change or change.watch_end:
            user_id, name_change = change.status.user_id, change.name_change
            return cls(user_id, change.events, change.snapshot, name_change, change.watch_end)
        return None


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A record at its place in the feed. Ids are strings that a backend compares by its own rule;
    `tries` counts how often the entry was handed out, this time included. `record` is None where
    the stored entry cannot be read; `error` then says why."""

    id: str
    record: FeedRecord | None
    tries: int = 1
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Tail:
    """Entries of the feed after an id. `complete` says that this entry is kept, or was the newest
    of all: otherwise some that came after it may have been dropped."""

    entries: list[FeedEntry]
    complete: bool


@dataclass(frozen=True, slots=True)
class ReaderState:
    """How far a reader of the feed is: `lag` entries were never handed out, `pending` ones were
    but are not acknowledged, `set_aside` are dead letters."""

    name: str
    lag: int
    pending: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A feed entry that a reader could not process, with what went wrong."""

    id: str
    reader: str
    error: str
    at: datetime
    record: FeedRecord | None


@dataclass(frozen=True, slots=True)
class Lease:
    """Leadership for a while. `fence` grows with each new holder, so that a holder who wakes up
    late is told from its successor."""

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
    """The last run of a job; `error` is None where it went well."""

    name: str
    started_at: datetime
    seconds: float
    error: str | None = None


class ChangeListener(ABC):
    """Listens for changes until it is closed: see `Coordination.listen_for_changes`."""

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether changes are being received. While False, anything may have changed unnoticed."""

    @abstractmethod
    def close(self) -> None:
        """Stop listening. May be called more than once."""


class NeverConnected(ChangeListener):
    """The listener of a storage that does not publish changes."""

    @property
    def is_connected(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Feed(ABC):
    """What was committed, in order, to any number of named readers, each at its own pace.

    A reader gets everything from the moment of its registration on, at least once: an entry that
    it was handed and did not acknowledge, because it died, is handed out again. What every reader
    has acknowledged may be trimmed, and nothing else.
    """

    @abstractmethod
    def register(self, reader: str) -> None:
        """Make `reader` known. It starts with the oldest entry that is still kept; for a reader
        that is known already, nothing changes."""

    @abstractmethod
    def read(
        self, reader: str, consumer: str, count: int, *, reclaim_seconds: float
    ) -> list[FeedEntry]:
        """The next entries for `reader`, oldest first, at most `count`; [] when there are none now.
        A reader that is not known, or no longer after a loss, is registered.

        Entries handed out longer ago than `reclaim_seconds` and never acknowledged come first:
        their consumer is taken for dead. `consumer` names who asks, unique to a process.
        """

    @abstractmethod
    def acknowledge(self, reader: str, ids: Sequence[str]) -> None:
        """Entries that `reader` has processed for good; they are not handed out again."""

    @abstractmethod
    def add_dead_letter(self, reader: str, entry: FeedEntry, error: str, at: datetime) -> None:
        """Acknowledge an entry that cannot be processed, and store it as a dead letter for an
        operator. Does nothing if the entry is acknowledged already."""

    @abstractmethod
    def dead_letters(self, reader: str) -> list[DeadLetter]:
        """The dead letters of `reader`, oldest first."""

    @abstractmethod
    def drop_dead_letters(self, reader: str, ids: Sequence[str]) -> None:
        """Delete dead letters: they have been processed after all, or given up."""

    @abstractmethod
    def trim(self, keep: int = 0) -> int:
        """Drop what every reader has acknowledged, but for the newest `keep` entries; how many
        were dropped. Without readers: none."""

    @abstractmethod
    def last_id(self) -> str | None:
        """The id of the newest entry that ever was, kept or not; None before the first."""

    @abstractmethod
    def tail(self, after: str | None, count: int) -> Tail:
        """The entries after the one with the id `after`, oldest first, at most `count`, as if there
        were no readers: nothing is handed out, and nothing held back from being dropped.

        With None, and for an id that this feed never gave out, from the oldest that is kept on.
        """

    @abstractmethod
    def length(self) -> int:
        """How many entries are kept."""

    @abstractmethod
    def readers(self) -> list[ReaderState]:
        """All registered readers, by name."""


class Coordination(ABC):
    """What the processes tell each other: who leads, which jobs ran, the shared app token."""

    @abstractmethod
    def acquire_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        """The lease, if nobody else holds it; a holder who asks again gets a new fence."""

    @abstractmethod
    def renew_lease(self, lease: Lease, seconds: float) -> bool:
        """Hold on to a lease for `seconds` from now; False if it was lost."""

    @abstractmethod
    def release_lease(self, lease: Lease) -> None:
        """Give a lease back; nothing happens if it was lost."""

    @abstractmethod
    def lease(self, name: str) -> Lease | None:
        """Who holds the lease now."""

    @abstractmethod
    def record_job(self, run: JobRun) -> None:
        """Remember the last run of a job."""

    @abstractmethod
    def job_runs(self) -> dict[str, JobRun]:
        """The last run of each job, by name."""

    @abstractmethod
    def request_job(self, name: str) -> None:
        """Ask for a job to be run before its time, by whoever leads."""

    @abstractmethod
    def take_requested_jobs(self) -> set[str]:
        """The jobs that were asked for since the last call; they count as taken."""

    @abstractmethod
    def heartbeat(self, at: datetime, seconds: float = HEARTBEAT_SECONDS) -> None:
        """A worker is alive at `at` by its clock, and counts as alive for `seconds`."""

    @abstractmethod
    def is_worker_alive(self) -> bool:
        """Whether a heartbeat came within its `seconds`, by the clock of the storage: those of
        processes on other machines may differ."""

    @abstractmethod
    def last_heartbeat(self) -> datetime | None:
        """The time of the last heartbeat, by the worker's clock: for display."""

    @abstractmethod
    def add_counts(self, counts: Mapping[str, int]) -> None:
        """Add to the counters that all processes share."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """The shared counters, by name."""

    @abstractmethod
    def publish_metrics(self, name: str, values: Mapping[str, float], seconds: float) -> None:
        """Store values for all processes for `seconds`, in place of earlier ones of that name."""

    @abstractmethod
    def published_metrics(self, name: str) -> dict[str, float]:
        """The values published under a name; {} if there are none or they have expired."""

    @abstractmethod
    def increment_window(self, name: str, seconds: float, times: int = 1) -> WindowCount:
        """Increment the counter `name` by `times`, and return it. The first increment opens a
        window of `seconds`, after which the counter starts again."""

    @abstractmethod
    def app_token(self) -> AppToken | None:
        """The shared app access token, if one is kept that has not expired."""

    @abstractmethod
    def save_app_token(self, token: AppToken) -> None:
        """Share a token until it expires."""

    @abstractmethod
    def conduit_id(self) -> str | None:
        """The id of this installation's EventSub conduit, if one was created."""

    @abstractmethod
    def save_conduit_id(self, conduit_id: str | None) -> None:
        """Remember the id of the conduit; None forgets it."""

    # Changes. A backend that does not publish them may leave these two verbs as they are.

    def publish_change(self, topic: str) -> None:  # noqa: B027  a backend may have nothing to tell
        """Tell all processes that what they read of `topic` is out of date. For what is stored
        elsewhere (analytics): the verbs of this port publish their own changes."""

    def listen_for_changes(
        self,
        on_change: Callable[[str | None], None],  # noqa: ARG002  never called by this default
    ) -> ChangeListener:
        """Call `on_change` with the topic of each change, made by this or any other process.

        A change made through this object is told before the verb that made it returns; one made
        elsewhere within milliseconds. `on_change(None)` means that anything may have changed: after
        a connection was made, and after it was lost. The calls come from several threads, also at
        the same time; `on_change` must return soon and must not raise.

        Returns at once and connects in a thread: call it in the process that needs it, not before a
        fork.
        """
        return NeverConnected()


class Storage(ABC):
    """Streamers, their status, and the history of events."""

    shared: ClassVar[bool]
    """Whether other processes see what is stored here. If not, there is one process for all."""

    feed: Feed
    coordination: Coordination
    notifications: NotificationStore

    @abstractmethod
    def ping(self) -> None:
        """Raise StorageUnavailable unless the storage can be written to."""

    def check(self) -> StorageReport:
        """Examine the server. Raises UnsupportedStorage, and StorageUnavailable as `ping` does."""
        self.ping()
        return StorageReport()

    # Streamers

    @abstractmethod
    def add_streamers(self, streamers: Sequence[Streamer]) -> set[str]:
        """Monitor these; the user ids of those that were not monitored before. A record that
        exists is left as it is.

        The backend sets the version: 1 or, within a day after a removal, the version after that of
        the removed record, so that a change decided on the removed record is a CONFLICT.
        """

    @abstractmethod
    def commit_streamers(self, streamers: Sequence[Streamer]) -> list[Committed]:
        """Store each of these records if the stored one is at the version before: STORED. Else, and
        if the streamer is not monitored, CONFLICT, and nothing is written of this record. The
        results are in order; the user ids differ.

        With a changed login the status and the history are found by the new one; the old login is
        free.
        """

    @abstractmethod
    def remove_streamer(self, user_id: str) -> Streamer | None:
        """Stop monitoring: the record goes, the history stays. Returns the record, or None.

        The status is hidden from all verbs but `statuses` and `commit`, for REMOVED_SECONDS or
        until the first commit after the streamer was added again. Messages that are still under way
        change the hidden status.
        """

    @abstractmethod
    def streamers(self) -> list[Streamer]:
        """All who are monitored, the newest first."""

    @abstractmethod
    def streamers_by_id(self, user_ids: Collection[str]) -> dict[str, Streamer]:
        """Those of `user_ids` who are monitored."""

    @abstractmethod
    def find_streamers(self, logins: Collection[str]) -> dict[str, Streamer]:
        """Those who are monitored, by login; `logins` are in lower case."""

    # Status

    @abstractmethod
    def status(self, user_id: str) -> StreamStatus | None:
        """What is known of this user, monitored or heard of by webhook."""

    @abstractmethod
    def find_status(self, login: str) -> StreamStatus | None:
        """The same by login, in lower case."""

    @abstractmethod
    def statuses(self, user_ids: Collection[str]) -> dict[str, StreamStatus]:
        """The known statuses by user id, to decide a change on. They include hidden ones, with
        `is_removed` set or, where the streamer was added again, `is_returning`."""

    @abstractmethod
    def live(self) -> list[StreamStatus]:
        """All who are live, most viewers first. Costs by the live, not by the known."""

    @abstractmethod
    def awaiting_details(self) -> dict[str, datetime]:
        """User ids of live streams whose details no poll has brought yet, with the times at which
        they were last heard to go on."""

    @abstractmethod
    def commit(self, changes: Sequence[Change], lease: Lease | None = None) -> list[Committed]:
        """Store each change in one piece, or not at all; what came of each, in order.

        A change is one atomic operation: the message marked as seen (for longer than EventSub's
        replay window), the status, the live set, the login, the histories and the feed. Checked,
        in this order: the message was not seen (DUPLICATE), `lease`, where given, is still held
        (FENCED), the status is at `base_version` (CONFLICT). Changes are independent of each other.

        The login leads to this streamer from now on where it is news (`Change.login_is_news`) or
        nobody else has it, and `previous_login` no longer does.
        """

    # History: newest first by the events' own times

    @abstractmethod
    def events(self, limit: int) -> list[StreamEvent]:
        """The newest events of all streamers."""

    @abstractmethod
    def events_of_type(self, event_type: EventType, limit: int) -> list[StreamEvent]:
        """The newest of one type."""

    @abstractmethod
    def events_of_streamer(self, login: str, limit: int) -> list[StreamEvent]:
        """The newest of one streamer, by the login they have now, also after they were removed;
        however many events others had."""

    # Lookups

    @abstractmethod
    def lookup(self, login: str) -> Lookup | None:
        """A cached lookup that has not expired."""

    @abstractmethod
    def save_lookup(self, lookup: Lookup, seconds: float) -> None:
        """Keep a lookup for `seconds`."""

    def close(self) -> None:  # noqa: B027  a backend without connections has nothing to close
        """Let go of connections."""


STREAMER_TOPICS = (Topic.STREAMERS, Topic.LIVE, Topic.EVENTS)
"""What a change of a streamer's record changes: logins also lead to statuses and events."""


def changed_topics(change: Change) -> tuple[Topic, ...]:
    """What a commit of `change` changes."""
    if change.events or change.login_is_news:
        return Topic.LIVE, Topic.EVENTS
    return (Topic.LIVE,)
