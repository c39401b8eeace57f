"""Clocks that a test advances by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class ManualClock:
    """A clock of aware UTC times."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class ManualMonotonicClock:
    """A clock of seconds, like `time.monotonic`."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
