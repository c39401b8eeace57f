"""The viewers of the last hour and the hours watched today, cached by each process for seconds:
every view of the live page needs them."""

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, time, timedelta, tzinfo

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.statistics import HOUR_MS

CURVE_SPAN = timedelta(hours=1)
CURVE_POINTS = 40

_OVERLAP = timedelta(minutes=2)
"""How far back the samples are read again: some are projected a little later than newer ones."""

_CURVES_CACHED = timedelta(seconds=5)
_WATCHED_CACHED = timedelta(seconds=30)
_MAX_MIDNIGHTS = 64


class Viewership:
    """Reads viewers from the analytics. Its methods may raise AnalyticsUnavailable."""

    def __init__(self, analytics: AnalyticsStore, clock: Callable[[], datetime]) -> None:
        self._analytics = analytics
        self._clock = clock
        self._lock = threading.Lock()
        self._viewers: dict[str, dict[datetime, int]] = defaultdict(dict)
        self._read_at: datetime | None = None
        self._newest: datetime | None = None
        self._watched: dict[datetime, tuple[datetime, float]] = {}

    def curves(self) -> dict[str, list[int]]:
        """The viewers of each stream within the last hour, oldest first, by stream id. At most
        CURVE_POINTS of them, the newest among them."""
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= _CURVES_CACHED:
                self._read_new(now)
            return {stream_id: _thinned(samples) for stream_id, samples in self._viewers.items()}

    def hours_watched_today(self, zone: tzinfo) -> float:
        """The hours watched of all streams since midnight in `zone`."""
        now = self._clock()
        midnight = datetime.combine(now.astimezone(zone), time(), zone)
        asked_at, hours = self._watched.get(midnight, (None, 0.0))
        if asked_at is None or now - asked_at >= _WATCHED_CACHED:
            hours = self._analytics.watched_since(midnight) / HOUR_MS
            if len(self._watched) >= _MAX_MIDNIGHTS:
                self._watched.clear()
            self._watched[midnight] = (now, hours)
        return hours

    def _read_new(self, now: datetime) -> None:
        """Add the samples that are new, and drop those that are too old."""
        oldest = now - CURVE_SPAN
        since = max(oldest, self._newest - _OVERLAP) if self._newest else oldest
        newest = self._newest
        for sample in self._analytics.each_snapshot(None):
            if sample.captured_at < since:
                break
            self._viewers[sample.stream_id][sample.captured_at] = sample.viewer_count
            newest = max(newest or sample.captured_at, sample.captured_at)
        self._newest, self._read_at = newest, now
        for stream_id, samples in list(self._viewers.items()):
            for at in [at for at in samples if at < oldest]:
                del samples[at]
            if not samples:
                del self._viewers[stream_id]


def _thinned(samples: dict[datetime, int]) -> list[int]:
    values = [viewers for _, viewers in sorted(samples.items())]
    step = -(-len(values) // CURVE_POINTS)
    return values[::-1][:: max(step, 1)][::-1]
