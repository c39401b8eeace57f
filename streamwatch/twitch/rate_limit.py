"""Helix's rate limit: a bucket of points that refills steadily and is full at `Ratelimit-Reset`.

https://dev.twitch.tv/docs/api/guide/#twitch-rate-limits
"""

from collections.abc import Callable
from datetime import UTC, datetime

from streamwatch.twitch.base import RateLimitState
from streamwatch.twitch.calls import Response

RESERVE = 20
"""Calls are delayed once less than 1/RESERVE of the bucket remains."""

MAX_DELAY = 2.0
"""The longest delay of one call, in seconds."""

MIN_RESET = 1.0
"""The shortest wait after a 429, in seconds: for a 429 without a reset time, and for a clock that
is ahead of Twitch's."""

MAX_RESET = 600.0
"""The longest time to a reset that is accepted, in seconds: Twitch fills a bucket in a minute."""

_LAST_TIME = 2**32


class RateLimit:
    """The bucket as the last response described it. Threads may share it: the state is replaced as
    a whole."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.state: RateLimitState | None = None

    def update(self, response: Response) -> None:
        """Read the bucket's state from the headers of a response, if all are present."""
        limit = response.number("Ratelimit-Limit")
        remaining = response.number("Ratelimit-Remaining")
        resets_at = _reset(response)
        if limit is not None and remaining is not None and resets_at is not None:
            self.state = RateLimitState(limit, remaining, resets_at)

    def delay(self) -> float:
        """Seconds to wait before the next call, so that the remaining points last until the
        reset."""
        state = self.state
        if state is None or state.remaining * RESERVE > state.limit:
            return 0.0
        left = (state.resets_at - self._clock()).total_seconds()
        return min(max(left, 0.0) / (state.remaining + 1), MAX_DELAY)

    def until_reset(self, response: Response) -> float:
        """Seconds from now until the bucket that a 429 reported as empty is full."""
        resets_at = _reset(response)
        if resets_at is None:
            return MIN_RESET
        seconds = (resets_at - self._clock()).total_seconds()
        return min(max(seconds, MIN_RESET), MAX_RESET)


def _reset(response: Response) -> datetime | None:
    seconds = response.number("Ratelimit-Reset")
    if seconds is None or seconds >= _LAST_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)
