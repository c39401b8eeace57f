"""API keys: what a key may do, and the limit on wrong ones."""

import hmac
from collections import OrderedDict
from collections.abc import Callable, Collection
from enum import StrEnum
from threading import Lock
from time import monotonic

from streamwatch.services.errors import LimitReached
from streamwatch.services.rate_limits import WINDOW_SECONDS, WRONG_KEYS, RateLimits

_MAX_BLOCKED = 10_000


class Access(StrEnum):
    """What a key may do."""

    READ = "read"
    """GET and HEAD, neither the admin paths nor notifications."""
    FULL = "full"


class ApiKeys:
    """The keys of API_KEY and API_READ_KEY.

    A client that sent too many wrong keys is blocked for a minute. Its keys are not compared then:
    otherwise it would learn from the answer which key is right. Wrong keys are counted over all
    processes; the block is per process, so that a valid key costs no call to the storage.
    """

    def __init__(
        self,
        full: Collection[str],
        read: Collection[str],
        rate_limits: RateLimits,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._full = full
        self._read = read
        self._rate_limits = rate_limits
        self._clock = clock
        self._lock = Lock()
        self._blocked: OrderedDict[str, float] = OrderedDict()

    def check(self, key: str, client: str) -> Access | None:
        """What `key`, sent by `client`, may do; None if it is not a valid key.

        Raises LimitReached for a client that sent too many wrong keys.
        """
        with self._lock:
            seconds_left = self._blocked.get(client, 0.0) - self._clock()
        if seconds_left > 0:
            raise LimitReached(WRONG_KEYS, "wrong keys", seconds_left)
        if is_key(key, self._full):
            return Access.FULL
        if is_key(key, self._read):
            return Access.READ
        try:
            self._rate_limits.wrong_key(client)
        except LimitReached as error:
            self._block(client, error.retry_after)
            raise
        return None

    def _block(self, client: str, seconds: float) -> None:
        with self._lock:
            self._blocked[client] = self._clock() + min(seconds, WINDOW_SECONDS)
            while len(self._blocked) > _MAX_BLOCKED:
                self._blocked.popitem(last=False)


def is_key(given: str, keys: Collection[str]) -> bool:
    """Whether `given` is one of `keys`. Compares in constant time."""
    encoded = given.encode("utf-8", "replace")
    results = [hmac.compare_digest(key.encode(), encoded) for key in keys]
    return any(results)
