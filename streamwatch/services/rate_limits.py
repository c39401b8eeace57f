"""How much one client may ask for, so that nobody takes what is there for all."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from streamwatch.services.errors import LimitReached
from streamwatch.storage.base import Coordination, StorageUnavailable
from streamwatch.twitch.base import TwitchBusy

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60

LOOKUPS_OF_ALL = 4
"""All clients together may look up as much as so many of them: with the default, at most two calls
each, that leaves Twitch's 800 calls a minute for the refresh too."""

_BUSY_SECONDS = 2.0


class RateLimits:
    """Counts by client, over all web processes together; a limit of 0 is none.

    While the storage cannot count, everything passes: what the limits protect, the storage and
    through it Twitch, gets nothing to do then either.
    """

    def __init__(
        self, coordination: Coordination, requests: int, lookups: int, lookups_at_once: int
    ) -> None:
        """`requests` and `lookups` are what a client may ask for in a minute; `lookups_at_once`
        how many lookups this process does at once for all."""
        self._coordination = coordination
        self._requests = requests
        self._lookups = lookups
        self._free = BoundedSemaphore(lookups_at_once)

    def request(self, client: str) -> None:
        """`client` asks for something. Raises LimitReached."""
        self._spend(f"requests:{client}", self._requests)

    @contextmanager
    def lookup(self, client: str, calls: int = 1) -> Iterator[None]:
        """Around something for which `client` lets Twitch be asked about so many times.

        Raises LimitReached; and TwitchBusy, at once, where so many do it now that further ones
        would take the threads that answer webhooks.
        """
        self._spend(f"lookups:{client}", self._lookups, calls)
        self._spend("lookups", LOOKUPS_OF_ALL * self._lookups, calls)
        if not self._free.acquire(blocking=False):
            raise TwitchBusy("Twitch is being asked as much as it can be at once.", _BUSY_SECONDS)
        try:
            yield
        finally:
            self._free.release()

    def _spend(self, name: str, allowed: int, times: int = 1) -> None:
        if not allowed:
            return
        try:
            uses = self._coordination.increment_window(name, WINDOW_SECONDS, times)
        except StorageUnavailable as error:
            log.warning("Requests are not counted now: %s", error)
            return
        if uses.count > allowed:
            raise LimitReached(allowed, math.ceil(uses.seconds_left))
