"""What happened, counted for all processes together."""

import logging
from collections import Counter
from collections.abc import Mapping
from threading import Lock, Timer

from streamwatch.storage.base import Coordination, StorageUnavailable

log = logging.getLogger(__name__)

MESSAGES = "messages"
"""The webhook's messages, by what became of them."""

HELIX = "helix"
"""Requests to Twitch, by "METHOD PATH STATUS"."""

NOTIFICATIONS = "notifications"
"""Finished deliveries of notifications, by "KIND OUTCOME"."""

JOBS = "jobs"
"""Runs of jobs: "NAME runs", "NAME failures" and "NAME milliseconds"."""


class SharedCounters:
    """Counts one kind of thing in this process, and adds to the shared counters a moment later:
    nobody waits for a round trip. A process that is killed loses what it counted in the last
    `seconds`."""

    def __init__(self, coordination: Coordination, kind: str, seconds: float = 1.0) -> None:
        self._coordination = coordination
        self._kind = kind
        self._seconds = seconds
        self._lock = Lock()
        self._waiting: Counter[str] = Counter()
        self._timer: Timer | None = None

    def count(self, name: str) -> None:
        """One more of `name`."""
        with self._lock:
            self._waiting[name] += 1
            if self._timer is None:
                # Not a daemon: a process that ends waits for it.
                self._timer = Timer(self._seconds, self.flush)
                self._timer.start()

    def flush(self) -> None:
        """Add what was counted to the shared counters. While the storage does not answer it is
        kept for the next time."""
        with self._lock:
            counted, self._waiting = self._waiting, Counter()
            self._timer = None
        try:
            self._coordination.add_counts(named(self._kind, counted))
        except StorageUnavailable as error:
            log.warning("Counts of %s are added later: %s", self._kind, error)
            with self._lock:
                self._waiting += counted

    def close(self) -> None:
        """Add what is left, now."""
        with self._lock:
            timer = self._timer
        if timer is not None:
            timer.cancel()
            self.flush()

    def shared(self) -> dict[str, int]:
        """The counters of all processes, as of the last flush of each."""
        return of_kind(self._kind, self._coordination.counts())


def named(kind: str, counts: Mapping[str, int]) -> dict[str, int]:
    """`counts` under their names among the shared counters."""
    return {f"{kind}:{name}": number for name, number in counts.items()}


def of_kind(kind: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Those of one kind, of all the shared counters."""
    prefix = f"{kind}:"
    return {
        name.removeprefix(prefix): number
        for name, number in counts.items()
        if name.startswith(prefix)
    }
