"""Reads the file in which version 0.1 stored the analytics of one machine: events and samples, one
JSON document a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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


class JournalLine(NamedTuple):
    """A line of the file: its number, from 1, the number of bytes up to its end, and its entries,
    None if it is damaged."""

    number: int
    end: int
    entries: ProjectionInput | None


def read(path: Path) -> Iterator[JournalLine]:
    """The lines of the file."""
    end = 0
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            end += len(text)
            try:
                line = msgspec.json.decode(text, type=_Line)
            except ValueError:
                yield JournalLine(number, end, None)
            else:
                yield JournalLine(number, end, ProjectionInput(line.facts, line.samples))


def read_batches(path: Path, size: int) -> Iterator[list[JournalLine]]:
    """The lines of the file, in lists of about `size` bytes."""
    batch: list[JournalLine] = []
    start = 0
    for line in read(path):
        batch.append(line)
        if line.end - start >= size:
            yield batch
            batch, start = [], line.end
    if batch:
        yield batch
