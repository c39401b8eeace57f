"""What became of the webhook's messages, counted for all processes together."""

import logging
from collections import Counter
from threading import Lock, Timer

from streamwatch.storage.base import Coordination, StorageUnavailable

log = logging.getLogger(__name__)

_PREFIX = "messages:"


class MessageCounts:
    """Counts in this process, and adds to the shared counters a moment later: a message waits for
    no round trip. A process that is killed loses what it counted in the last `seconds`."""

    def __init__(self, coordination: Coordination, seconds: float = 1.0) -> None:
        self._coordination = coordination
        self._seconds = seconds
        self._lock = Lock()
        self._waiting: Counter[str] = Counter()
        self._is_due = False

    def count(self, outcome: str) -> None:
        """One more message had this outcome."""
        with self._lock:
            self._waiting[_PREFIX + outcome] += 1
            if self._is_due:
                return
            self._is_due = True
        # Not a daemon: a process that ends waits for it.
        Timer(self._seconds, self.flush).start()

    def flush(self) -> None:
        """Add what was counted to the shared counters. While the storage does not answer it is
        kept for the next time."""
        with self._lock:
            counted, self._waiting = self._waiting, Counter()
            self._is_due = False
        try:
            self._coordination.add_counts(counted)
        except StorageUnavailable as error:
            log.warning("Messages are counted later: %s", error)
            with self._lock:
                self._waiting += counted

    def shared(self) -> dict[str, int]:
        """How many messages had each outcome, as of the last flush of each process."""
        return {
            name.removeprefix(_PREFIX): number
            for name, number in self._coordination.counts().items()
            if name.startswith(_PREFIX)
        }
