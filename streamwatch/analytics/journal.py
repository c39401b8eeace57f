"""What was projected, a JSON document a line, in a file that processes of one machine share."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import Kind, ProjectionInput, SessionEvent
from streamwatch.domain.times import parse_time


class Journal:
    """Lines are only ever added. A line without its end was being written when its process was
    killed: nothing was acknowledged by it, so it is not read, and the next line takes its place.

    A place is the number of bytes before it. Every verb may raise AnalyticsUnavailable.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def ping(self) -> None:
        """Raise AnalyticsUnavailable unless it can be read and written."""
        with self._opened():
            pass

    def append(self, observed: ProjectionInput, place: int) -> None:
        """Keep it for good: it is on the disk when this returns. `place` is any that is known."""
        line = orjson.dumps({"facts": observed.events, "samples": observed.samples}) + b"\n"
        with self._opened() as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            file.truncate(place + len(_whole_lines(file, place)))
            file.seek(0, os.SEEK_END)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def after(self, place: int) -> tuple[int, ProjectionInput]:
        """What was written after `place`, as one, and the place after it."""
        with self._opened() as file:
            lines = _whole_lines(file, place)
        facts: list[SessionEvent] = []
        samples: list[StreamSnapshot] = []
        for line in lines.splitlines():
            document = orjson.loads(line)
            facts += map(_fact, document["facts"])
            samples += map(_sample, document["samples"])
        return place + len(lines), ProjectionInput(tuple(facts), tuple(samples))

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """The file, made if it is not there, for a moment: any thread may ask, and any process."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            with self._file.open("r+b") as file:
                yield file
        except OSError as error:
            raise AnalyticsUnavailable(f"The journal cannot be used: {error.strerror}") from error


def _whole_lines(file: IO[bytes], place: int) -> bytes:
    file.seek(place)
    text = file.read()
    return text[: text.rfind(b"\n") + 1]


def _fact(document: dict[str, Any]) -> SessionEvent:
    started_at = document.pop("started_at")
    estimated_at = document.pop("estimated_at", None)
    return SessionEvent(
        estimated_at=parse_time(estimated_at) if estimated_at else None,
        kind=Kind(document.pop("kind")),
        at=parse_time(document.pop("at")),
        started_at=parse_time(started_at) if started_at else None,
        **document,
    )


def _sample(document: dict[str, Any]) -> StreamSnapshot:
    return StreamSnapshot(
        captured_at=parse_time(document.pop("captured_at")),
        started_at=parse_time(document.pop("started_at")),
        tags=tuple(document.pop("tags")),
        **document,
    )
