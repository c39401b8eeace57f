"""What a channel shows during a stream: title, category and language.

An update is exact: the channel shows its values from its time on. A sample shows the values from
its own time on, but for `HELIX_LAG` after an update Helix may still show older ones: the update's
values count then. So what is shown at a time follows from the last update and the last sample
before it, in whatever order they arrived.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from streamwatch.domain.models import ChannelInfo, StreamSnapshot
from streamwatch.domain.updates import HELIX_LAG

_MS = timedelta(milliseconds=1)


class ChannelUpdate(NamedTuple):
    """Values that Twitch pushed, and the time of the message."""

    at: datetime
    info: ChannelInfo


class ShownInfo(NamedTuple):
    """The values that a channel shows; None for a value that is not known."""

    title: str | None
    category_id: str | None
    category_name: str | None
    language: str | None


class Channel:
    """Finds what a channel showed at a time. `updates` are in the order of their times."""

    def __init__(self, updates: Sequence[ChannelUpdate]) -> None:
        self._updates = updates
        self._times = [update.at for update in updates]

    def at_sample(self, sample: StreamSnapshot) -> ShownInfo:
        """What the channel showed when the sample was taken."""
        number = bisect_right(self._times, sample.captured_at)
        if number and sample.captured_at - self._times[number - 1] < HELIX_LAG:
            return ShownInfo(*self._updates[number - 1].info)
        return ShownInfo(sample.title, sample.category_id, sample.category_name, sample.language)

    def during(
        self, sample: StreamSnapshot, length_ms: int
    ) -> Iterator[tuple[datetime, ShownInfo, int]]:
        """Split the `length_ms` milliseconds from a sample on at each update. Yields the start of
        each part, what was shown in it, and its length in milliseconds."""
        at, shown = sample.captured_at, self.at_sample(sample)
        end = at + timedelta(milliseconds=length_ms)
        first, last = bisect_right(self._times, at), bisect_right(self._times, end)
        for update in self._updates[first:last]:
            if update.at > at:
                yield at, shown, (update.at - at) // _MS
            at, shown = update.at, ShownInfo(*update.info)
        if end > at:
            yield at, shown, (end - at) // _MS
