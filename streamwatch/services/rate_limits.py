"""Rate limits by client, counted over all web processes."""

import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from time import monotonic

from streamwatch.services.errors import LimitReached
from streamwatch.storage.base import Coordination, StorageUnavailable
from streamwatch.twitch.base import MAX_IDS_PER_CALL, TwitchBusy

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60

LOOKUPS_OF_ADDRESSES = 4
LOOKUPS_OF_KEYS = 2
"""All clients without a key together may use the limits of four clients, all clients with a key
those of two. With the default limit and at most two calls a lookup, that leaves 80 of Twitch's 800
calls a minute for the worker."""

LOGIN_ATTEMPTS = 10
"""Login attempts that a client may make in a minute."""

WRONG_KEYS = 10
"""Wrong keys that a client may send in a minute."""

SYNC_SECONDS = 1.0
EXACT_FROM = 0.8
"""The requests of a client are added to the shared count once a second; from this part of the limit
on with each request, so that the limit is exact."""

_MAX_CLIENTS = 10_000
_BUSY_SECONDS = 2.0


@dataclass(slots=True)
class _Window:
    """The requests of a client in its present window, as this process knows them."""

    shared: int = 0
    """The shared count, as of `synced_at`."""
    unsynced: int = 0
    """Requests that are not part of the shared count so far."""
    synced_at: float = -math.inf
    ends_at: float = -math.inf


class RateLimits:
    """Counts requests by client. A limit of 0 means no limit.

    While the storage is unavailable, every request is allowed: none reaches the storage, or Twitch
    through the storage.
    """

    def __init__(
        self,
        coordination: Coordination,
        requests: int,
        lookups: int,
        lookups_at_once: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`requests` and `lookups` are allowed to a client in a minute; `lookups_at_once` to all
        clients of this process at the same time."""
        self._coordination = coordination
        self._requests = requests
        self._lookups = lookups
        self._free = BoundedSemaphore(lookups_at_once)
        self._clock = clock
        self._lock = Lock()
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def request(self, client: str) -> None:
        """Count a request of `client`. Raises LimitReached."""
        if not self._requests:
            return
        times = self._unsynced(client)
        if not times:
            return
        name = f"requests:{client}"
        try:
            count = self._coordination.increment_window(name, WINDOW_SECONDS, times)
        except StorageUnavailable as error:
            log.warning("Requests are not counted now: %s", error)
            return
        with self._lock:
            window = self._windows.setdefault(client, _Window())
            window.shared = count.count
            window.synced_at = self._clock()
            window.ends_at = window.synced_at + count.seconds_left
        if count.count > self._requests:
            raise LimitReached(self._requests, "requests", math.ceil(count.seconds_left))

    def _unsynced(self, client: str) -> int:
        """Count a request in this process. Returns the number of requests to add to the shared
        count now, including this one; 0 if the shared count can wait."""
        with self._lock:
            now = self._clock()
            window = self._windows.get(client)
            if window is None or now >= window.ends_at:
                window = self._windows[client] = _Window()
                while len(self._windows) > _MAX_CLIENTS:
                    self._windows.popitem(last=False)
            self._windows.move_to_end(client)
            window.unsynced += 1
            is_due = now - window.synced_at >= SYNC_SECONDS
            if not is_due and window.shared + window.unsynced <= EXACT_FROM * self._requests:
                return 0
            times, window.unsynced = window.unsynced, 0
            return times

    def login(self, client: str) -> None:
        """Count a login attempt of `client`. Raises LimitReached beyond LOGIN_ATTEMPTS a minute."""
        self._spend(f"logins:{client}", LOGIN_ATTEMPTS, "login attempts")

    def wrong_key(self, client: str) -> None:
        """Count a wrong key of `client`. Raises LimitReached beyond WRONG_KEYS a minute."""
        self._spend(f"wrong-keys:{client}", WRONG_KEYS, "wrong keys")

    @contextmanager
    def lookup(self, client: str, logins: int = 1) -> Iterator[None]:
        """Charge `client` for the calls of Twitch that look up `logins` logins within this context.
        More calls than the limit are charged as the limit, or they could never be made.

        Raises LimitReached; and TwitchBusy, at once, while so many lookups are running that one
        more would take a thread that answers webhooks.
        """
        calls = min(max(1, math.ceil(logins / MAX_IDS_PER_CALL)), self._lookups)
        self._spend(f"lookups:{client}", self._lookups, "lookups at Twitch", calls)
        kind, factor = "addresses", LOOKUPS_OF_ADDRESSES
        if client.startswith("key:"):
            kind, factor = "keys", LOOKUPS_OF_KEYS
        self._spend(
            f"lookups of {kind}", factor * self._lookups, "lookups at Twitch by all clients", calls
        )
        if not self._free.acquire(blocking=False):
            raise TwitchBusy("Too many lookups at Twitch are running.", _BUSY_SECONDS)
        try:
            yield
        finally:
            self._free.release()

    def _spend(self, name: str, allowed: int, what: str, times: int = 1) -> None:
        if not allowed:
            return
        try:
            window = self._coordination.increment_window(name, WINDOW_SECONDS, times)
        except StorageUnavailable as error:
            log.warning("Requests are not counted now: %s", error)
            return
        if window.count > allowed:
            raise LimitReached(allowed, what, math.ceil(window.seconds_left))
