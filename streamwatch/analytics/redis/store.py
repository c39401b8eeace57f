"""The analytics in Redis: what the port promises, on the keys of `keys`."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from streamwatch.analytics import journal
from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.analytics.projection import Projection
from streamwatch.analytics.reads import ComputedReads
from streamwatch.analytics.redis import keys
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.redis.repository import RedisRepository
from streamwatch.analytics.redis.sample_pages import newest_samples
from streamwatch.analytics.redis.samples import from_ms, to_ms
from streamwatch.analytics.state import Statistics
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.positions import Position
from streamwatch.domain.progress import Progress
from streamwatch.domain.session_events import ProjectionInput
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.times import utc_now
from streamwatch.embedded_socket import socket_url
from streamwatch.settings import EMBEDDED, Settings, SettingsError

_SCAN_COUNT = 1000

_IMPORT_BYTES = 4_000_000
"""How much of the journal is projected at once. A repeated import reads the whole history of each
streamer in every batch, so batches are large, but small enough for the memory of a small machine:
a line of one sample has about 600 bytes, so a batch has about 7,000 lines."""


class RedisAnalytics(RedisRepository, ComputedReads):
    """Connects when it is first used, in each process anew."""

    def __init__(
        self,
        connection: Connection,
        sample_cap: timedelta,
        retention: timedelta | None = None,
        clock: Callable[[], datetime] = utc_now,
        journal: Path | None = None,
    ) -> None:
        """`journal` is the file of version 0.1 to import, if it exists."""
        super().__init__(connection, retention, clock)
        self._journal = journal
        self._projection = Projection(self, sample_cap)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """In the embedded Valkey where that is the storage, else in the Redis of REDIS_URL. Raises
        SettingsError if that URL cannot be used."""
        is_embedded = EMBEDDED in (settings.storage_type, settings.analytics_type)
        url = socket_url(settings.data_dir) if is_embedded else settings.redis_url
        try:
            connection = Connection.to(url)
        except ValueError as error:
            raise SettingsError([f"REDIS_URL: the value cannot be used ({error})"]) from None
        return cls(
            connection,
            settings.sample_cap,
            settings.snapshot_retention,
            journal=settings.data_dir / journal.FILE_NAME if is_embedded else None,
        )

    def ping(self) -> None:
        self._connection.call("PING")

    def prepare(self) -> None:
        """Let the samples of all streams expire as the retention says."""
        cursor = 0
        while True:
            cursor, found = self._connection.call(
                "ZSCAN", keys.SAMPLED, cursor, "COUNT", _SCAN_COUNT
            )
            self._connection.call_all(
                [
                    self.expiry(keys.samples(name.decode()), from_ms(int(last)))
                    for name, last in found
                ]
            )
            if not int(cursor):
                return

    def migrate(self, progress: Progress = lambda _done, _total: None) -> list[str]:
        if self._journal is None or not self._journal.is_file():
            return []
        size, samples, damaged = self._journal.stat().st_size, 0, 0
        progress(0, size)
        for lines in journal.read_batches(self._journal, _IMPORT_BYTES):
            readable = [(line.number, line.entries) for line in lines if line.entries is not None]
            damaged += len(lines) - len(readable)
            self._import(readable)
            samples += sum(len(entries.samples) for _, entries in readable)
            progress(lines[-1].end, size)
        imported = self._journal.with_name(self._journal.name + journal.IMPORTED_SUFFIX)
        with suppress(FileNotFoundError):  # another process was faster
            self._journal.rename(imported)
        done = [f"Redis: imported {samples} samples; {self._journal} is now {imported.name}"]
        if damaged:
            done.append(f"{damaged} damaged lines of {imported.name} were left out")
        return done

    def _import(self, lines: Sequence[tuple[int, ProjectionInput]]) -> None:
        """Project numbered lines of the journal together, or one by one if that fails: then those
        before the line that fails are stored. Raises AnalyticsError with the number of that line.
        """
        try:
            self.project(ProjectionInput.merge(entries for _, entries in lines))
        except AnalyticsUnavailable:
            raise
        except AnalyticsError as error:
            if len(lines) == 1:
                text = f"Line {lines[0][0]} of {self._journal} cannot be imported: {error}"
                raise AnalyticsError(text) from error
            for line in lines:
                self._import([line])

    def close(self) -> None:
        self._connection.close()

    def project(self, new: ProjectionInput) -> None:
        self._projection.project(new)

    def recalculate(self, user_id: str) -> None:
        self._projection.recalculate(user_id)

    # Reads

    def session(self, stream_id: str) -> StreamSession | None:
        return next(self.sessions_by_id([stream_id]), None)

    def sessions_of_streams(self, stream_ids: Collection[str]) -> list[StreamSession]:
        return list(self.sessions_by_id(stream_ids))

    def categories(self, user_id: str) -> list[CategorySums]:
        found = self.statistics([user_id])
        return [category for item in found for category in item.total.categories]

    def user_ids(self) -> list[str]:
        return sorted(item.decode() for item in self._connection.call("HKEYS", keys.STATS))

    def observed_under(self, login: str) -> Iterable[Statistics]:
        return self.statistics(self._connection.call("SMEMBERS", keys.login(login)))

    def sessions_on_since(self, since: datetime) -> Iterator[StreamSession]:
        found = self._connection.call("ZRANGEBYSCORE", keys.ENDS, to_ms(since), "+inf")
        return self.sessions_by_id(found)

    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        return self.stored_samples([stream_id])[stream_id][::-1]

    def each_snapshot(
        self, user_id: str | None, after: Position | None = None
    ) -> Iterator[StreamSnapshot]:
        return newest_samples(self, user_id, after)
