"""A clock that is corrected by Twitch's."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from streamwatch.domain.times import utc_now

log = logging.getLogger(__name__)

TOLERANCE = timedelta(seconds=2)
"""A smaller difference is not corrected: a Date header has whole seconds, and answers take time."""

MAX_OFFSET = timedelta(days=1)
"""A larger difference is ignored: over TLS, a clock that is further off reaches no server."""

_STEP = timedelta(seconds=2)
"""If the clock and the monotonic clock move apart by more than this, the clock was set. NTP slews
both alike."""

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux the monotonic clock stops during a suspend."""

WARN_BEYOND = timedelta(seconds=30)
"""The difference beyond which the operator is warned."""


class CorrectedClock:
    """The time of `clock` plus the offset of Twitch's clock, as far as it is known.

    Twitch's answers have a Date header, which gives the offset to about a second. The first answer
    sets the offset; one that contradicts the offset must be confirmed by the next, since a single
    server of Twitch's may have a wrong clock. An EventSub message is never from the future, which
    gives a lower bound. Each process has its own offset, 0 before its first answer or message, and
    again after the machine's clock was set. Safe for threads.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """`monotonic` returns seconds that are never set. By default it is the machine's clock
        since boot, or follows a `clock` that is not the machine's."""
        self._clock = clock
        self._monotonic = monotonic or _monotonic_for(clock)
        self._set_at = (clock(), self._monotonic())
        self._lock = Lock()
        self._offset = timedelta(0)
        self._unconfirmed: timedelta | None = None
        self._has_answer = False
        self._is_warned = False

    def __call__(self) -> datetime:
        return self._clock() + self.offset

    @property
    def offset(self) -> timedelta:
        """Twitch's time minus the time of this machine."""
        if self._offset:
            with self._lock:
                if self._was_set():
                    self._offset = timedelta(0)
                    self._has_answer = self._is_warned = False
        return self._offset

    def _was_set(self) -> bool:
        """Whether the machine's clock was set since the offset was found."""
        wall, monotonic = self._set_at
        passed = timedelta(seconds=self._monotonic() - monotonic)
        return abs(self._clock() - wall - passed) > _STEP

    @property
    def is_far(self) -> bool:
        """Whether the offset is large enough to warn of."""
        return abs(self.offset) > WARN_BEYOND

    def observe_answer(self, date: datetime, seconds: float) -> None:
        """Correct the clock by the Date header of an answer that arrived now, `seconds` after its
        request was sent."""
        # The header is cut to whole seconds, and was written some time within the request.
        error = timedelta(seconds=0.5) + timedelta(seconds=seconds / 2)
        with self._lock:
            offset = date - self._clock() + error
            within = TOLERANCE + timedelta(seconds=seconds / 2)
            if abs(offset) > MAX_OFFSET:
                return
            if abs(offset) <= within:
                offset = timedelta(0)  # our clock confirms it
            is_changed = abs(offset - self._offset) > within
            if is_changed and self._is_confirmed(offset, within):
                self._set(offset)
            self._unconfirmed = offset if abs(offset - self._offset) > within else None
            self._has_answer = True

    def _is_confirmed(self, offset: timedelta, within: timedelta) -> bool:
        if not offset or not self._has_answer:
            return True
        return self._unconfirmed is not None and abs(offset - self._unconfirmed) <= within

    def observe_message(self, sent_at: datetime) -> None:
        """Correct the clock by the timestamp of an authentic message that arrived now."""
        with self._lock:
            offset = sent_at - self._clock()
            if offset > self._offset + TOLERANCE:
                self._set(offset)

    def _set(self, offset: timedelta) -> None:
        self._offset = offset
        self._set_at = (self._clock(), self._monotonic())
        is_far = abs(offset) > WARN_BEYOND
        if is_far and not self._is_warned:
            log.warning(
                "The clock of this machine is %.0f s %s Twitch's; times are corrected. "
                "Synchronize it, for instance with NTP",
                abs(offset).total_seconds(),
                "behind" if offset > timedelta(0) else "ahead of",
            )
        self._is_warned = is_far


def _monotonic_for(clock: Callable[[], datetime]) -> Callable[[], float]:
    if clock is utc_now:
        return _seconds_since_boot
    return lambda: clock().timestamp()


def _seconds_since_boot() -> float:
    return time.clock_gettime(_SINCE_BOOT)
