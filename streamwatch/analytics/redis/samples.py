"""The samples of one stream as one compact value: a line of JSON for each, in order of time.

A line has all fields of a sample, or only its time and viewers where all others are those of the
line before. So samples are added by appending lines, and a sample takes about 25 bytes.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.json import Decoder

from streamwatch.analytics.reading import DAMAGE
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.statistics import milliseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORT = 2
"""The number of fields of a line with time and viewers only."""

_DETAILS = tuple(
    name
    for name in StreamSnapshot.__dataclass_fields__
    if name not in ("stream_id", "captured_at", "viewer_count")
)
"""The fields that a line has after those."""

_details = attrgetter(*_DETAILS)

_LINES, _LINE = Decoder(list[list[Any]]), Decoder(list[Any])

_MAX_GAP_MS = 3_600_000
"""After a longer gap a line has all fields: the lines before may have expired."""


def encode_samples(samples: Iterable[StreamSnapshot], last: StreamSnapshot | None) -> bytes:
    """The lines of `samples`, in order of time, after that of `last`."""
    lines = []
    for sample in samples:
        at = to_ms(sample.captured_at)
        line = (at, sample.viewer_count)
        details = _details(sample)
        if last is None or details != _details(last) or at - to_ms(last.captured_at) > _MAX_GAP_MS:
            line += details
        lines.append(msgspec.json.encode(line) + b"\n")
        last = sample
    return b"".join(lines)


def decode_newest_first(
    stream_id: str, value: bytes, report: Callable[[Exception], None]
) -> Iterator[StreamSnapshot]:
    """The samples of a value, the newest first; each is decoded when it is asked for. Damaged lines
    are left out, with those after them that repeat their details, and `report` is called."""
    details: list[Any] = []
    with_details: list[tuple[list[Any], list[Any]]] = []
    for line in _lines(value, report):
        details = line[_SHORT:] or (details if line else [])
        with_details.append((line, details))
    for line, details in reversed(with_details):
        if details:  # else the lines before have expired, or are damaged
            try:
                sample = _sample(stream_id, line, details)
            except DAMAGE as error:
                report(error)
            else:
                yield sample


def _lines(value: bytes, report: Callable[[Exception], None]) -> list[list[Any]]:
    """The lines of a value, an empty one in place of each that is damaged."""
    try:
        return _LINES.decode(b"[" + value.rstrip().replace(b"\n", b",") + b"]")
    except DAMAGE as error:
        report(error)
    return [*map(_line, value.rstrip().split(b"\n"))]


def _line(line: bytes) -> list[Any]:
    """A line; empty if it is damaged, which the caller has reported."""
    try:
        return _LINE.decode(line)
    except DAMAGE:
        return []


def _sample(stream_id: str, line: list[Any], details: list[Any]) -> StreamSnapshot:
    fields = dict(zip(_DETAILS, details, strict=True))
    at, viewers = line[:_SHORT]
    fields |= {"stream_id": stream_id, "captured_at": from_ms(at), "viewer_count": viewers}
    return msgspec.convert(fields, StreamSnapshot)


def to_ms(time: datetime) -> int:
    return milliseconds(time - _EPOCH)


def from_ms(value: int) -> datetime:
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)
