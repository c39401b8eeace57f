"""The samples of one stream as one compact value: a line of JSON for each, in order of time.

A line has all fields of a sample, or only its time and viewers where all others are those of the
line before. So samples are added by appending lines, and a sample takes about 25 bytes.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.statistics import milliseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORT = 2
"""The number of fields of a line with time and viewers only."""

_MAX_GAP_MS = 3_600_000
"""After a longer gap a line has all fields: the lines before may have expired."""


def encode(samples: Iterable[StreamSnapshot], last: StreamSnapshot | None) -> bytes:
    """The lines of `samples`, in order of time, after that of `last`."""
    lines = []
    for sample in samples:
        at = to_ms(sample.captured_at)
        line: list[Any] = [at, sample.viewer_count]
        details = _details(sample)
        if last is None or details != _details(last) or at - to_ms(last.captured_at) > _MAX_GAP_MS:
            line += details
        lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        last = sample
    return b"".join(lines)


def decode_newest_first(stream_id: str, value: bytes) -> Iterator[StreamSnapshot]:
    """The samples of a value, the newest first; each is decoded when it is asked for."""
    lines = orjson.loads(b"[" + value.rstrip().replace(b"\n", b",") + b"]")
    details: dict[int, list[Any]] = {}
    known: list[Any] = []
    for index, line in enumerate(lines):
        known = line[_SHORT:] or known
        details[index] = known
    for index in range(len(lines) - 1, -1, -1):
        if details[index]:
            at, viewers = lines[index][:_SHORT]
            yield _sample(stream_id, at, viewers, details[index])


def to_ms(time: datetime) -> int:
    return milliseconds(time - _EPOCH)


def from_ms(value: int) -> datetime:
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)


def _details(sample: StreamSnapshot) -> list[Any]:
    return [
        sample.broadcaster_id,
        sample.broadcaster_login,
        sample.broadcaster_name,
        to_ms(sample.started_at),
        sample.category_id,
        sample.category_name,
        sample.title,
        sample.language,
        list(sample.tags),
    ]


def _sample(stream_id: str, at: int, viewers: int, details: list[Any]) -> StreamSnapshot:
    user_id, login, name, started_at, category_id, category_name, title, language, tags = details
    return StreamSnapshot(
        stream_id=stream_id,
        broadcaster_id=user_id,
        broadcaster_login=login,
        broadcaster_name=name,
        captured_at=from_ms(at),
        started_at=from_ms(started_at),
        viewer_count=viewers,
        category_id=category_id,
        category_name=category_name,
        title=title,
        language=language,
        tags=tuple(tags),
    )
