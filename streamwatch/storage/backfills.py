"""The port to the queue of backfills: checks of the archived videos of streamers.

The queue has entries with a time at which they are due. One worker at a time claims the first due
entry, does its work, and then finishes it: the entry of a worker that died is due again. The last
result of each streamer is stored beside the queue.

Every method is one atomic operation, safe for threads and processes, and raises StorageUnavailable
as those of `storage.base` do.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class BackfillStatus(StrEnum):
    """What happens to a streamer's backfill."""

    NEVER = "never"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Backfill:
    """The last backfill of a streamer.

    Of the `found` videos, `added` gave a session that was not known, `known` are of known sessions,
    and the others were `skipped`, counted by reason. `error` is why it failed or waits.
    """

    status: BackfillStatus = BackfillStatus.NEVER
    found: int = 0
    added: int = 0
    known: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


class BackfillQueue(ABC):
    """Entries that are due at a time, and the last backfill of each streamer."""

    @abstractmethod
    def plan(self, entries: Mapping[str, datetime]) -> None:
        """Add entries with the times at which they are due. A known entry gets the new time."""

    @abstractmethod
    def claim(self, now: datetime, until: datetime) -> str | None:
        """The entry that was due first, if any is due. It stays in the queue, and is due again at
        `until`."""

    @abstractmethod
    def finish(self, entry: str, until: datetime, user_id: str, backfill: Backfill) -> None:
        """Store the backfill of an entry that was claimed until `until`, and remove the entry: it
        stays if `plan` has given it another time meanwhile."""

    @abstractmethod
    def save(self, backfills: Mapping[str, Backfill]) -> None:
        """Store the backfills of these user ids."""

    @abstractmethod
    def find(self, user_ids: Collection[str]) -> dict[str, Backfill]:
        """The stored backfills of these users, by user id."""
