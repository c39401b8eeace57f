"""Merges the samples of many streams into one list, the newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain, dropwhile

from streamwatch.analytics.redis import keys
from streamwatch.analytics.redis.repository import RedisRepository
from streamwatch.analytics.redis.samples import from_ms
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.positions import Position


@dataclass(frozen=True, slots=True)
class _OpenStream:
    """The samples of a stream that are still to come: the newest of them and the rest."""

    newest: StreamSnapshot
    rest: Iterator[StreamSnapshot]

    def __lt__(self, other: "_OpenStream") -> bool:
        """Heapq takes the least first: the stream with the newest sample."""
        return self.newest.position > other.newest.position


class _Merge:
    """The open streams. A stream is opened when its last sample is due."""

    def __init__(self) -> None:
        self._streams: list[_OpenStream] = []

    def open(self, samples: Iterator[StreamSnapshot]) -> None:
        newest = next(samples, None)
        if newest is not None:
            heappush(self._streams, _OpenStream(newest, samples))

    def take(self, until: Position | None = None) -> Iterator[StreamSnapshot]:
        """The samples before `until` in the list, or all."""
        while self._streams and (until is None or self._streams[0].newest.position > until):
            stream = heappop(self._streams)
            yield stream.newest
            self.open(stream.rest)


def newest_samples(
    repository: RedisRepository, user_id: str | None, after: Position | None = None
) -> Iterator[StreamSnapshot]:
    """All samples, of one streamer or of all, the newest first; with `after`, those that come later
    in this order."""
    merge, begun = _Merge(), set[str]()
    index = keys.SAMPLED if user_id is None else keys.sampled_of(user_id)
    streams = repository.sampled_streams(index, after.at if after else None)
    if after is not None:
        # Listed before the streams that `after` is in the midst of: one that gets a sample between
        # the two is in both.
        older = next(streams, [])
        begun.update(repository.sampled_at(user_id, after.at))
        for _, samples in repository.samples_of(begun):
            merge.open(dropwhile(lambda sample: sample.position >= after, samples))
        streams = chain([older], streams)
    reached: Position | None = None
    for entries in streams:
        ends = {
            name: Position(from_ms(int(time)), name) for time, name in entries if name not in begun
        }
        for stream_id, samples in repository.samples_of(ends):
            # A stream that got samples since the read began continues where the read is now.
            reached = min(reached or ends[stream_id], ends[stream_id])
            yield from merge.take(reached)
            merge.open(_from(reached, samples))
    yield from merge.take()


def _from(position: Position, samples: Iterator[StreamSnapshot]) -> Iterator[StreamSnapshot]:
    """Those of the samples, the newest first, that do not come before `position` in the list."""
    return dropwhile(lambda sample: sample.position > position, samples)
