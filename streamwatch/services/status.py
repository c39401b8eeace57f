"""The live status of a streamer: from the storage, or from Twitch for a login that is not known."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from streamwatch.domain.models import StreamStatus, User
from streamwatch.services.errors import UnknownUser
from streamwatch.storage.base import Lookup, Storage
from streamwatch.twitch.base import Twitch

LookupGuard = Callable[[], AbstractContextManager[None]]
"""Makes the context in which Twitch is called, for example one that counts the call."""


class StatusSource(StrEnum):
    """Where a status comes from."""

    STORAGE = "storage"
    TWITCH_API = "twitch_api"
    """Twitch was asked for this login; the answer is cached for a while."""


@dataclass(frozen=True, slots=True)
class SourcedStatus:
    """A status and where it comes from."""

    status: StreamStatus
    source: StatusSource


class Statuses:
    """Reads statuses."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        lookup_ttl_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._twitch = twitch
        self._lookup_ttl_seconds = lookup_ttl_seconds
        self._clock = clock

    def known(self, login: str) -> StreamStatus | None:
        """The stored status of the user with this login (any case)."""
        return self._storage.find_status(login.lower())

    def find(self, login: str, guard: LookupGuard = nullcontext) -> SourcedStatus:
        """The status of the user with this login (any case), monitored or not. Twitch is called
        within `guard()`.

        Raises UnknownUser where Twitch has no such user, and TwitchError where Twitch had to be
        called and did not answer.
        """
        known = self.known(login)
        if known is not None:
            return SourcedStatus(known, StatusSource.STORAGE)
        return SourcedStatus(self._of_twitch(login.lower(), guard), StatusSource.TWITCH_API)

    def _of_twitch(self, login: str, guard: LookupGuard) -> StreamStatus:
        lookup = self._storage.lookup(login)
        if lookup is None:
            with guard():
                lookup = self._look_up(login)
        if lookup.status is None:
            raise UnknownUser(login)
        return lookup.status

    def _look_up(self, login: str) -> Lookup:
        users = self._twitch.users(logins=[login]).users
        lookup = Lookup(login, self._status_of(users[0]) if users else None)
        self._storage.save_lookup(lookup, self._lookup_ttl_seconds)
        return lookup

    def _status_of(self, user: User) -> StreamStatus:
        now = self._clock()
        seen = self._twitch.streams([user.user_id]).seen
        stream = seen[0].stream if seen else None
        return StreamStatus(user.user_id, user.login, user.display_name, stream, last_updated=now)
