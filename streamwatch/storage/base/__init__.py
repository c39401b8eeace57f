"""The storage port: the data that all processes share.

That is the monitored streamers, their statuses, the history of events, the feed, and the data by
which the processes coordinate. The port has no rules (those are in `domain.transitions`).

A backend subclasses `Storage`, `Feed` and `Coordination`, and passes the contract tests in
`streamwatch.storage.testing`. Each method is one atomic operation, safe for several threads and
processes. A backend whose server does not answer raises `StorageUnavailable` within 2 seconds, and
never raises a driver's own errors.
"""

from streamwatch.storage.base.coordination import ChangeListener, Coordination, NeverConnected
from streamwatch.storage.base.errors import (
    StorageError,
    StorageUnavailable,
    UnreadableRecord,
    UnsupportedStorage,
)
from streamwatch.storage.base.feed import Feed
from streamwatch.storage.base.storage import Storage
from streamwatch.storage.base.types import (
    HEARTBEAT_SECONDS,
    MAX_TRIES,
    REMOVED_SECONDS,
    SEEN_SECONDS,
    STREAMER_TOPICS,
    Committed,
    DeadLetter,
    FeedEntry,
    FeedRecord,
    JobRun,
    Lease,
    Lookup,
    ReaderState,
    StorageReport,
    Tail,
    Topic,
    WindowCount,
    changed_topics,
)

__all__ = [
    "HEARTBEAT_SECONDS",
    "MAX_TRIES",
    "REMOVED_SECONDS",
    "SEEN_SECONDS",
    "STREAMER_TOPICS",
    "ChangeListener",
    "Committed",
    "Coordination",
    "DeadLetter",
    "Feed",
    "FeedEntry",
    "FeedRecord",
    "JobRun",
    "Lease",
    "Lookup",
    "NeverConnected",
    "ReaderState",
    "Storage",
    "StorageError",
    "StorageReport",
    "StorageUnavailable",
    "Tail",
    "Topic",
    "UnreadableRecord",
    "UnsupportedStorage",
    "WindowCount",
    "changed_topics",
]
