"""Helix's rate limit, a bucket of points that fills steadily and is full at `Ratelimit-Reset`.

https://dev.twitch.tv/docs/api/guide/#twitch-rate-limits
"""

from collections.abc import Callable
from datetime import UTC, datetime

from streamwatch.twitch.base import RateLimitState
from streamwatch.twitch.calls import Response

RESERVE = 20
"""Calls are spread out once less than one part in so many of the bucket is left."""

LONGEST_PACE = 2.0
"""The longest that spreading delays one call, in seconds."""

SHORTEST_RESET = 1.0
"""Seconds to wait at least after a 429: also where it does not say until when, or our clock is
ahead of Twitch's."""

_LAST_TIME = 2**32


class RateLimit:
    """What the last answer told about the bucket. Threads may share it: the budget is replaced in
    one piece."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.budget: RateLimitState | None = None

    def note(self, answer: Response) -> None:
        """Remember what an answer tells about the bucket, if it tells all of it."""
        limit, remaining = answer.number("Ratelimit-Limit"), answer.number("Ratelimit-Remaining")
        resets_at = _reset(answer)
        if limit is not None and remaining is not None and resets_at is not None:
            self.budget = RateLimitState(limit, remaining, resets_at)

    def pace(self) -> float:
        """Seconds to wait before the next call, so that what is left lasts until the bucket is
        full."""
        budget = self.budget
        if budget is None or budget.remaining * RESERVE > budget.limit:
            return 0.0
        left = (budget.resets_at - self._clock()).total_seconds()
        return min(max(left, 0.0) / (budget.remaining + 1), LONGEST_PACE)

    def until_reset(self, answer: Response) -> float:
        """Seconds from now until the bucket that a 429 found empty is full."""
        resets_at = _reset(answer)
        if resets_at is None:
            return SHORTEST_RESET
        return max((resets_at - self._clock()).total_seconds(), SHORTEST_RESET)


def _reset(answer: Response) -> datetime | None:
    seconds = answer.number("Ratelimit-Reset")
    if seconds is None or seconds >= _LAST_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)
