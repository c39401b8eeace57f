"""A dictionary whose entries expire."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Expiring(Generic[Value]):
    """Values by key, each deleted after its own number of seconds by `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._values: dict[str, tuple[float, Value]] = {}
        self._deadlines: list[tuple[float, str]] = []

    def put(self, key: str, value: Value, seconds: float) -> None:
        self._delete_expired()
        deadline = self._clock() + seconds
        self._values[key] = (deadline, value)
        heappush(self._deadlines, (deadline, key))

    def replace(self, key: str, value: Value) -> None:
        """Replace a value that has not expired. It expires when the old one would have."""
        deadline, _ = self._values[key]
        self._values[key] = (deadline, value)

    def get(self, key: str) -> Value | None:
        self._delete_expired()
        return self._values[key][1] if key in self._values else None

    def drop(self, key: str) -> None:
        self._values.pop(key, None)

    def __contains__(self, key: str) -> bool:
        self._delete_expired()
        return key in self._values

    def _delete_expired(self) -> None:
        now = self._clock()
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, key = heappop(self._deadlines)
            if key in self._values and self._values[key][0] == deadline:  # not put again since
                del self._values[key]
