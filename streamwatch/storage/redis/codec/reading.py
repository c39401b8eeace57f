"""Errors and times of stored values, used by all codecs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from streamwatch.storage.base import UnreadableRecord

Document = dict[str, Any]
"""A JSON object."""

Stored = ParamSpec("Stored")
Value = TypeVar("Value")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def reader(read: Callable[Stored, Value]) -> Callable[Stored, Value]:
    """Decorate a function that reads stored values, so that it raises UnreadableRecord."""

    @wraps(read)
    def checked(*stored: Stored.args, **options: Stored.kwargs) -> Value:
        try:
            return read(*stored, **options)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UnreadableRecord(f"A stored value cannot be read ({reason}).") from error

    return checked


def microseconds(time: datetime) -> int:
    """`time` as a score: microseconds since 1970, which a double represents exactly until 2255."""
    return (time - _EPOCH) // _MICROSECOND


def time_from(score: float) -> datetime:
    """The inverse of `microseconds`."""
    return _EPOCH + int(score) * _MICROSECOND


def optional_time(text: str | None) -> datetime | None:
    """A time that `format_time` wrote. Five times as fast as `parse_time`, which validates."""
    return datetime.fromisoformat(text) if text else None
