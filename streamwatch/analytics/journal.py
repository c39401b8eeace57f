"""Reads the file in which version 0.1 stored the analytics of one machine: events and samples, one
JSON document a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.session_events import ProjectionInput, SessionEvent

FILE_NAME = "analytics.jsonl"
IMPORTED_SUFFIX = ".imported"


@dataclass(frozen=True, slots=True)
class _Line:
    facts: tuple[SessionEvent, ...]
    samples: tuple[StreamSnapshot, ...]


def write(path: Path, entries: ProjectionInput) -> None:
    """Append a line to the file."""
    with path.open("ab") as file:
        file.write(msgspec.json.encode(_Line(entries.events, entries.samples)) + b"\n")


def read(path: Path) -> Iterator[tuple[int, ProjectionInput | None]]:
    """The lines of the file, each with the number of bytes up to its end; None for a line that is
    damaged."""
    end = 0
    with path.open("rb") as file:
        for text in file:
            end += len(text)
            try:
                line = msgspec.json.decode(text, type=_Line)
            except ValueError:
                yield end, None
            else:
                yield end, ProjectionInput(line.facts, line.samples)
