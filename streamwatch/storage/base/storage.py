"""The port of streamers, statuses and the history of events."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar

from streamwatch.domain.models import Change, EventType, Streamer, StreamEvent, StreamStatus
from streamwatch.domain.positions import Position
from streamwatch.storage.backfills import BackfillQueue
from streamwatch.storage.base.coordination import Coordination
from streamwatch.storage.base.feed import Feed
from streamwatch.storage.base.types import Committed, Lease, Lookup, StorageReport
from streamwatch.storage.notifications import NotificationStore


class Storage(ABC):
    """Monitored streamers, their statuses, and the history of events.

    Logins in arguments are in lower case.
    """

    shared: ClassVar[bool]
    """Whether all processes see the same data. If not, one process does all the work."""

    feed: Feed
    coordination: Coordination
    notifications: NotificationStore
    backfills: BackfillQueue

    @abstractmethod
    def ping(self) -> None:
        """Raise StorageUnavailable unless the storage can be written to."""

    def check(self) -> StorageReport:
        """Describe the server and its risky settings. Raises UnsupportedStorage, and
        StorageUnavailable as `ping` does."""
        self.ping()
        return StorageReport()

    # Streamers

    @abstractmethod
    def add_streamers(self, streamers: Sequence[Streamer]) -> set[str]:
        """Add streamers to the monitored ones, and return the user ids of those that were new. An
        existing record does not change.

        The backend sets the version: 1 or, within REMOVED_SECONDS after a removal, the version that
        follows the removed record's, so that a change based on the removed record is a CONFLICT.
        """

    @abstractmethod
    def commit_streamers(self, streamers: Sequence[Streamer]) -> list[Committed]:
        """Replace each record whose stored version is the one before the given version: STORED.
        Otherwise, and for a streamer who is not monitored: CONFLICT, and the record does not
        change. Returns the results in order. The user ids must differ.

        After a change of login the status and the history are found by the new login, and the old
        login is free.
        """

    @abstractmethod
    def remove_streamer(self, user_id: str) -> Streamer | None:
        """Delete the record of a streamer, and return it; None if the user is not monitored. The
        history remains.

        For REMOVED_SECONDS, or until the first commit after the streamer was added again, only
        `statuses` and `commit` see the status. Late messages change this hidden status.
        """

    @abstractmethod
    def streamers(self) -> list[Streamer]:
        """All monitored streamers, the newest first."""

    @abstractmethod
    def streamers_by_id(self, user_ids: Collection[str]) -> dict[str, Streamer]:
        """The monitored streamers among `user_ids`."""

    @abstractmethod
    def find_streamers(self, logins: Collection[str]) -> dict[str, Streamer]:
        """The monitored streamers with these logins, by login."""

    # Status

    @abstractmethod
    def status(self, user_id: str) -> StreamStatus | None:
        """The status of a user, monitored or not; None if there is none."""

    @abstractmethod
    def find_status(self, login: str) -> StreamStatus | None:
        """The status of the user with this login; None if there is none."""

    @abstractmethod
    def statuses(self, user_ids: Collection[str]) -> dict[str, StreamStatus]:
        """The known statuses by user id, to base changes on. A hidden status has `is_removed` set
        or, if the streamer was added again, `is_returning`."""

    @abstractmethod
    def live(self) -> list[StreamStatus]:
        """The statuses of all live streamers, most viewers first. The cost grows with the live
        streamers, not with the known ones."""

    @abstractmethod
    def awaiting_details(self) -> dict[str, datetime]:
        """The user ids of live streams whose details no poll has found yet, with each status's
        `last_updated`."""

    @abstractmethod
    def commit(self, changes: Sequence[Change], lease: Lease | None = None) -> list[Committed]:
        """Store each change completely or not at all, independently of the others. Returns the
        results in order.

        One atomic operation marks the message as seen (for longer than EventSub's replay window)
        and stores the status, the live set, the login, the events and the feed entry. It checks in
        this order that the message was not seen (else DUPLICATE), that `lease`, if given, is still
        held (else FENCED), and that the status is at `base_version` (else CONFLICT).

        Afterwards the login finds this user if it is new (`Change.is_new_login`) or no other user
        has it, and `previous_login` no longer finds this user.
        """

    # History: newest first, by `StreamEvent.position`. With `after`, only events that come later in
    # this order are returned. The cost depends on `limit`, not on `after`.

    @abstractmethod
    def events(self, limit: int, after: Position | None = None) -> list[StreamEvent]:
        """The newest events of all streamers."""

    @abstractmethod
    def events_of_type(
        self, event_type: EventType, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        """The newest events of one type."""

    @abstractmethod
    def events_of_streamer(
        self, login: str, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        """The newest events of the streamer who has this login now, monitored or not. Events of
        other streamers never displace them."""

    # Lookups

    @abstractmethod
    def lookup(self, login: str) -> Lookup | None:
        """A cached lookup that has not expired."""

    @abstractmethod
    def save_lookup(self, lookup: Lookup, seconds: float) -> None:
        """Cache a lookup for `seconds`."""

    def close(self) -> None:  # noqa: B027  a backend without connections has nothing to close
        """Close all connections."""
