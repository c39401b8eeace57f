"""Helix's rate limit: https://dev.twitch.tv/docs/api/guide/#twitch-rate-limits"""

import math
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from streamwatch.simulator.web import Refused


class Bucket:
    """A bucket of `points` that refills evenly within a minute. Every call takes one point.
    `points` may be set at any time."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.points = 800
        self._clock = clock
        self._lock = threading.Lock()
        self._taken = 0.0
        self._as_of = clock()

    def take(self) -> dict[str, str]:
        """Take a point or refuse the call; returns the headers with the remaining points."""
        with self._lock:
            now = self._clock()
            refilled = (now - self._as_of).total_seconds() * self.points / 60
            self._taken, self._as_of = max(0.0, self._taken - refilled), now
            if self._taken + 1 > self.points:
                raise Refused(429, "", self._headers(now))
            self._taken += 1
            return self._headers(now)

    def empty_bucket_error(self, reset_in: float) -> Refused:
        """The refusal while the bucket is empty; it is full again in `reset_in` seconds."""
        full_at = self._clock() + timedelta(seconds=reset_in)
        return Refused(429, "", _headers(self.points, 0, full_at))

    def _headers(self, now: datetime) -> dict[str, str]:
        full_at = now + timedelta(minutes=self._taken / self.points)
        return _headers(self.points, int(self.points - self._taken), full_at)


def _headers(limit: int, remaining: int, full_at: datetime) -> dict[str, str]:
    return {
        "Ratelimit-Limit": str(limit),
        "Ratelimit-Remaining": str(remaining),
        "Ratelimit-Reset": str(math.ceil(full_at.timestamp())),
    }
