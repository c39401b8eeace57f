"""The conduit of this installation: found, created, deleted. Conduits of others are never used."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.locks import distributed_lock
from streamwatch.storage.base import Coordination, StorageError
from streamwatch.twitch.base import ConduitLimit, NotFound, Shard, Twitch, TwitchError

log = logging.getLogger(__name__)

SHARD_ID = "0"
"""The only shard: one WebSocket carries all events."""

MAX_CONDUITS = 5
"""Twitch allows this many conduits for an application."""

_LOCK = "conduit"
_LOCK_SECONDS = 10.0
_LOCK_RETRY_SECONDS = 0.2

NO_CONDUIT_LEFT = (
    "Twitch allows no more conduits for this application, and none of them belongs to this"
    " StreamWatch, so streamers are only polled. List them with `streamwatch subscriptions conduits"
    " list`, and delete one that is no longer used with `streamwatch subscriptions conduits delete"
    " ID`."
)


class OwnConduit:
    """The conduit whose id the storage remembers."""

    def __init__(
        self,
        coordination: Coordination,
        twitch: Twitch,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._coordination = coordination
        self._twitch = twitch
        self._sleep = sleep

    def id(self) -> str | None:
        """The id of our conduit; None if none was created yet."""
        return self._coordination.conduit_id()

    def ensure(self) -> str:
        """The id of our conduit, which is created if there is none or Twitch has deleted it.

        Raises TwitchError, ConduitLimit if others have all conduits that Twitch allows, and
        AlreadyRunning if another process holds the lock for too long.
        """
        with self._lock():
            known = self._coordination.conduit_id()
            if known is not None:
                if known in {conduit.id for conduit in self._twitch.conduits()}:
                    return known
                log.warning("Twitch has deleted conduit %s: creating another", known)
            return self._create()

    def shards(self) -> list[Shard] | None:
        """The shards of our conduit; None if there is no conduit. Raises TwitchError."""
        conduit_id = self.id()
        if conduit_id is None:
            return None
        try:
            return self._twitch.shards(conduit_id)
        except NotFound:
            return None

    def attach(self, conduit_id: str, session_id: str) -> None:
        """Let the conduit deliver to a WebSocket session. Raises TwitchError, and NotFound if
        Twitch has deleted the conduit."""
        self._twitch.attach_shard(conduit_id, SHARD_ID, session_id)

    def delete(self) -> None:
        """Delete our conduit with its subscriptions, if there is one. Raises TwitchError."""
        conduit_id = self.id()
        if conduit_id is None:
            return
        self._delete(conduit_id)
        self._coordination.save_conduit_id(None)
        log.info("Deleted conduit %s", conduit_id)

    def _create(self) -> str:
        try:
            created = self._twitch.create_conduit(shard_count=1)
        except ConduitLimit as error:
            raise ConduitLimit(NO_CONDUIT_LEFT, error.status) from None
        try:
            self._coordination.save_conduit_id(created.id)
        except StorageError:
            # Nothing could use or delete a conduit whose id is not stored.
            self._delete_unsaved(created.id)
            raise
        log.info("Created conduit %s", created.id)
        return created.id

    def _delete_unsaved(self, conduit_id: str) -> None:
        try:
            self._delete(conduit_id)
        except TwitchError as error:
            log.warning("Conduit %s is unused and could not be deleted: %s", conduit_id, error)

    def _delete(self, conduit_id: str) -> None:
        try:
            self._twitch.delete_conduit(conduit_id)
        except NotFound:
            log.info("Conduit %s was deleted already", conduit_id)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Wait for other processes that ensure the conduit."""
        deadline = time.monotonic() + _LOCK_SECONDS
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(distributed_lock(self._coordination, _LOCK))
                    break
                except AlreadyRunning:
                    if time.monotonic() >= deadline:
                        raise
                self._sleep(_LOCK_RETRY_SECONDS)
            yield
