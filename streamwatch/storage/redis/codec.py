"""What is kept in Redis, as bytes: JSON documents, some behind a line that scripts can compare
without decoding (JSON has no raw line feed)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

import orjson

from streamwatch.domain.documents import (
    Document,
    event_document,
    event_from,
    snapshot_document,
    snapshot_from,
    status_document,
    status_from,
    status_memory,
    stored_streamer_document,
    streamer_from,
)
from streamwatch.domain.models import (
    AppToken,
    Streamer,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
)
from streamwatch.domain.times import format_time, parse_time
from streamwatch.storage.base import DeadLetter, FeedRecord, JobRun, Lease, Lookup, StorageError

Stored = ParamSpec("Stored")
Thing = TypeVar("Thing")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UnreadableRecord(StorageError):
    """Something that is stored is not what this version of StreamWatch writes."""


def reading(read: Callable[Stored, Thing]) -> Callable[Stored, Thing]:
    """`read`, with UnreadableRecord for whatever is wrong with what it reads."""

    @wraps(read)
    def checked(*stored: Stored.args, **options: Stored.kwargs) -> Thing:
        try:
            return read(*stored, **options)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UnreadableRecord(f"What is stored cannot be read ({reason}).") from error

    return checked


def microseconds(time: datetime) -> int:
    """`time` as a score: microseconds since 1970, which a double holds exactly until 2255."""
    return (time - _EPOCH) // _MICROSECOND


def milliseconds(seconds: float) -> int:
    """How long Redis keeps something; it takes no 0."""
    return max(1, int(seconds * 1000))


def time_from(score: float) -> datetime:
    return _EPOCH + int(score) * _MICROSECOND


def streamer_value(streamer: Streamer) -> bytes:
    return streamer.login.encode() + b"\n" + orjson.dumps(stored_streamer_document(streamer))


@reading
def read_streamer(value: bytes) -> Streamer:
    return streamer_from(orjson.loads(value.split(b"\n")[1]))


def status_value(status: StreamStatus) -> bytes:
    shown = orjson.dumps(status_document(status))
    remembered = orjson.dumps(status_memory(status), option=orjson.OPT_UTC_Z)
    return b"%d\n%b\n%b" % (status.version, shown, remembered)


@reading
def read_status(value: bytes) -> StreamStatus:
    version, shown, remembered = value.split(b"\n")
    return status_from(orjson.loads(shown), orjson.loads(remembered), int(version))


def event_value(event: StreamEvent) -> bytes:
    return orjson.dumps(event_document(event))


@reading
def read_event(value: bytes) -> StreamEvent:
    return event_from(orjson.loads(value))


def record_value(
    user_id: str, event_values: Sequence[bytes], snapshot: StreamSnapshot | None
) -> bytes:
    """A record for the feed, of events that are values already."""
    return orjson.dumps(
        {
            "user_id": user_id,
            "events": [orjson.Fragment(value) for value in event_values],
            "snapshot": snapshot_document(snapshot) if snapshot else None,
        }
    )


@reading
def read_record(value: bytes) -> FeedRecord:
    document: Document = orjson.loads(value)
    snapshot = document["snapshot"]
    return FeedRecord(
        user_id=document["user_id"],
        events=tuple(event_from(event) for event in document["events"]),
        snapshot=snapshot_from(snapshot) if snapshot else None,
    )


def failure_value(error: str, at: datetime) -> bytes:
    return orjson.dumps({"error": error, "at": format_time(at)})


@reading
def read_set_aside(reader: str, entry_id: bytes, value: bytes) -> DeadLetter:
    failure, record = value.split(b"\n")
    document: Document = orjson.loads(failure)
    return DeadLetter(
        id=entry_id.decode(),
        reader=reader,
        error=document["error"],
        at=parse_time(document["at"]),
        record=_record_if_readable(record),
    )


def _record_if_readable(value: bytes) -> FeedRecord | None:
    try:
        return read_record(value)
    except UnreadableRecord:  # which may be why it was set aside
        return None


def lookup_value(lookup: Lookup) -> bytes:
    """A status, or nothing for a login that nobody has."""
    return status_value(lookup.status) if lookup.status else b""


@reading
def read_lookup(login: str, value: bytes) -> Lookup:
    return Lookup(login, read_status(value) if value else None)


def lease_value(lease: Lease) -> str:
    return f"{lease.fence}\n{lease.holder}"


@reading
def read_lease(name: str, value: bytes) -> Lease:
    fence, holder = value.decode().split("\n", 1)
    return Lease(name, holder, int(fence))


def job_value(run: JobRun) -> bytes:
    return orjson.dumps(
        {
            "started_at": format_time(run.started_at),
            "seconds": run.seconds,
            "error": run.error,
        }
    )


@reading
def read_job(name: bytes, value: bytes) -> JobRun:
    document: Document = orjson.loads(value)
    return JobRun(
        name=name.decode(),
        started_at=parse_time(document["started_at"]),
        seconds=document["seconds"],
        error=document["error"],
    )


@reading
def read_time(value: bytes) -> datetime:
    return parse_time(value.decode())


def figures_value(figures: Mapping[str, float]) -> bytes:
    return orjson.dumps(dict(figures))


@reading
def read_figures(value: bytes) -> dict[str, float]:
    return {name: float(figure) for name, figure in orjson.loads(value).items()}


def token_value(token: AppToken) -> bytes:
    return orjson.dumps({"value": token.value, "expires_at": format_time(token.expires_at)})


@reading
def read_token(value: bytes) -> AppToken:
    document: Document = orjson.loads(value)
    return AppToken(document["value"], parse_time(document["expires_at"]))
