"""Reads the file in which version 0.1 stored the analytics of one machine: events and samples, one
JSON document a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson

from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import Kind, ProjectionInput, SessionEvent
from streamwatch.domain.times import parse_time

FILE_NAME = "analytics.jsonl"
IMPORTED_SUFFIX = ".imported"


def write(path: Path, entries: ProjectionInput) -> None:
    """Append a line to the file."""
    with path.open("ab") as file:
        document = {"facts": entries.events, "samples": entries.samples}
        file.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))


def read(path: Path) -> Iterator[tuple[int, ProjectionInput | None]]:
    """The lines of the file, each with the number of bytes up to its end; None for a line that is
    damaged."""
    with path.open("rb") as file:
        yield from _lines(file)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, ProjectionInput | None]]:
    end = 0
    for line in file:
        end += len(line)
        try:
            document = orjson.loads(line)
            entries = ProjectionInput(
                tuple(map(_event, document["facts"])), tuple(map(_sample, document["samples"]))
            )
        except (ValueError, KeyError, TypeError):
            yield end, None
        else:
            yield end, entries


def _event(document: dict[str, Any]) -> SessionEvent:
    times = ("at", "started_at", "estimated_at")
    parsed = {name: parse_time(document[name]) for name in times if document.get(name)}
    return SessionEvent(**{**document, **parsed, "kind": Kind(document["kind"])})


def _sample(document: dict[str, Any]) -> StreamSnapshot:
    parsed = {name: parse_time(document[name]) for name in ("captured_at", "started_at")}
    return StreamSnapshot(**{**document, **parsed, "tags": tuple(document["tags"])})
