"""Counters that all processes share."""

import logging
from collections import Counter
from collections.abc import Mapping
from threading import Lock, Timer

from streamwatch.storage.base import Coordination, StorageUnavailable

log = logging.getLogger(__name__)

MESSAGES = "messages"
"""EventSub messages that arrived, by webhook or WebSocket, by outcome."""

HELIX = "helix"
"""Requests to Twitch, by "METHOD PATH STATUS"."""

NOTIFICATIONS = "notifications"
"""Finished deliveries of notifications, by "KIND OUTCOME"."""

JOBS = "jobs"
"""Runs of jobs: "NAME runs", "NAME failures" and "NAME milliseconds"."""


class SharedCounters:
    """Counters of one kind. Counts in this process, and adds the counts to the shared counters
    after `seconds`, so that no caller waits for a round trip. A process that is killed loses the
    counts of its last `seconds`."""

    def __init__(self, coordination: Coordination, kind: str, seconds: float = 1.0) -> None:
        self._coordination = coordination
        self._kind = kind
        self._seconds = seconds
        self._lock = Lock()
        self._unflushed: Counter[str] = Counter()
        self._timer: Timer | None = None

    def count(self, name: str, times: int = 1) -> None:
        """Increment the counter `name` by `times`."""
        with self._lock:
            self._unflushed[name] += times
            if self._timer is None:
                # Not a daemon thread, so that a process that exits waits for it.
                self._timer = Timer(self._seconds, self.flush)
                self._timer.start()

    def flush(self) -> None:
        """Add the counts to the shared counters. If the storage is unavailable, they are added with
        the next flush."""
        with self._lock:
            counts, self._unflushed = self._unflushed, Counter()
            self._timer = None
        try:
            self._coordination.add_counts(with_kind(self._kind, counts))
        except StorageUnavailable as error:
            log.warning("The counts of %s will be added later: %s", self._kind, error)
            with self._lock:
                self._unflushed += counts

    def close(self) -> None:
        """Flush now if there are counts to add, also those of a flush that failed."""
        with self._lock:
            timer, has_counts = self._timer, bool(self._unflushed)
        if timer is not None:
            timer.cancel()
        if has_counts:
            self.flush()

    def shared(self) -> dict[str, int]:
        """The counters of this kind over all processes, as of the last flush of each."""
        return of_kind(self._kind, self._coordination.counts())


def with_kind(kind: str, counts: Mapping[str, int]) -> dict[str, int]:
    """`counts` by their names among the shared counters: "KIND:NAME"."""
    return {f"{kind}:{name}": number for name, number in counts.items()}


def of_kind(kind: str, counts: Mapping[str, int]) -> dict[str, int]:
    """The counters of one kind among the shared counters, by name without the kind."""
    prefix = f"{kind}:"
    return {
        name.removeprefix(prefix): number
        for name, number in counts.items()
        if name.startswith(prefix)
    }
