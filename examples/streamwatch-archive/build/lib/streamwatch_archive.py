"""STORAGE_TYPE=archive: Redis, and every event for ever in a file, one JSON document a line."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from streamwatch.domain.models import Change
from streamwatch.settings import Settings
from streamwatch.storage.base import Committed, Lease
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.codec import event_value
from streamwatch.storage.redis.connection import Connection


class ArchiveStorage(RedisStorage):
    """What Redis forgets after EVENTS_KEPT, the archive keeps. It is written after the commit and
    may miss what was committed just before a crash: it is no part of the promise to Twitch."""

    def __init__(self, connection: Connection, events_kept: int, archive: Path) -> None:
        super().__init__(connection, events_kept)
        self._archive = archive

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """`STREAMWATCH_ARCHIVE` names the file. Nothing is connected to or opened yet."""
        archive = Path(os.environ.get("STREAMWATCH_ARCHIVE", "events.jsonl"))
        return cls(Connection.to(settings.redis_url), settings.events_kept, archive)

    def commit(self, changes: Sequence[Change], lease: Lease | None = None) -> list[Committed]:
        results = super().commit(changes, lease)
        lines = [
            event_value(event) + b"\n"
            for change, result in zip(changes, results, strict=True)
            if result is Committed.STORED
            for event in change.events
        ]
        if lines:
            with self._archive.open("ab") as file:
                file.write(b"".join(lines))  # in one piece, so that lines of processes do not mix
        return results
