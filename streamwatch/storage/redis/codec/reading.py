"""What all readers and writers of stored values share: errors and times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from streamwatch.storage.base import StorageError

Document = dict[str, Any]
"""A JSON object."""

Stored = ParamSpec("Stored")
Value = TypeVar("Value")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UnreadableRecord(StorageError):
    """A stored value is not in a form that this version of StreamWatch can read."""


def reader(read: Callable[Stored, Value]) -> Callable[Stored, Value]:
    """Decorate a function that reads stored values: it raises UnreadableRecord for what it cannot
    read."""

    @wraps(read)
    def checked(*stored: Stored.args, **options: Stored.kwargs) -> Value:
        try:
            return read(*stored, **options)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UnreadableRecord(f"What is stored cannot be read ({reason}).") from error

    return checked


def microseconds(time: datetime) -> int:
    """`time` as a score: microseconds since 1970, which a double holds exactly until 2255."""
    return (time - _EPOCH) // _MICROSECOND


def time_from(score: float) -> datetime:
    """The time that `microseconds` made a score of."""
    return _EPOCH + int(score) * _MICROSECOND


def optional_time(text: str | None) -> datetime | None:
    """A time that `format_time` wrote. Not checked like an input: this is five times as fast."""
    return datetime.fromisoformat(text) if text else None
