"""The live status of any streamer: ours where we have it, else Twitch's word, kept for a while."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from streamwatch.domain.documents import TWITCH_API, Json, JsonList, status_document, to_json
from streamwatch.domain.models import StreamStatus, User
from streamwatch.services.errors import UnknownUser
from streamwatch.storage.base import Lookup, Storage
from streamwatch.twitch.base import Twitch

Asking = Callable[[], AbstractContextManager[None]]


class Statuses:
    """Who is live."""

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

    def live(self) -> list[StreamStatus]:
        """All who are live, most viewers first."""
        return self._storage.live()

    def known(self, login: str) -> StreamStatus | None:
        """The status of the user with this login (any case), if it is ours to know."""
        return self._storage.find_status(login.lower())

    def live_json(self) -> JsonList:
        """The same as the API shows it."""
        return self._storage.live_json()

    def of_json(self, login: str, asking: Asking = nullcontext) -> Json:
        """The status of the user with this login (any case), monitored or not, as the API shows it.
        `asking` makes what is put around asking Twitch, if that has to be.

        Raises UnknownUser where Twitch has no such user, and TwitchError where Twitch had to be
        asked and did not answer.
        """
        login = login.lower()
        kept = self._storage.status_json(login)
        return kept or to_json(status_document(self._of_twitch(login, asking), TWITCH_API))

    def _of_twitch(self, login: str, asking: Asking) -> StreamStatus:
        lookup = self._storage.lookup(login)
        if lookup is None:
            with asking():
                lookup = self._look_up(login)
        if lookup.status is None:
            raise UnknownUser(login)
        return lookup.status

    def _look_up(self, login: str) -> Lookup:
        users = self._twitch.users(logins=[login])
        lookup = Lookup(login, self._ask(users[0]) if users else None)
        self._storage.save_lookup(lookup, self._lookup_ttl_seconds)
        return lookup

    def _ask(self, user: User) -> StreamStatus:
        now = self._clock()
        streams = self._twitch.streams([user.user_id])
        stream = streams[0].stream if streams else None
        return StreamStatus(user.user_id, user.login, user.display_name, stream, last_updated=now)
