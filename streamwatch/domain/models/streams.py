"""Streams, their samples, and their archived videos."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.domain.positions import Position

LONGEST_STREAM = timedelta(hours=48)
"""Twitch ends a stream after this time."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A live stream. Only `id`, `type` and `started_at` come with the event; the rest is None until
    a poll has seen the stream."""

    id: str
    started_at: datetime
    type: str = "live"
    viewer_count: int | None = None
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None
    thumbnail_url: str | None = None

    @property
    def has_details(self) -> bool:
        """Whether a poll has added what the event does not carry."""
        return self.viewer_count is not None


@dataclass(frozen=True, slots=True)
class StreamSnapshot:
    """One sample of a stream, taken by a poll."""

    stream_id: str
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    captured_at: datetime
    started_at: datetime
    viewer_count: int
    category_id: str | None
    category_name: str | None
    title: str | None
    language: str | None
    tags: tuple[str, ...]

    @property
    def position(self) -> Position:
        """The position in a list of samples."""
        return Position(self.captured_at, self.stream_id)


@dataclass(frozen=True, slots=True)
class Video:
    """The archived video of a stream, which begins with the stream. `stream_id` is None for an old
    video that does not name its stream. The video of a live stream grows: each time it is read,
    `ended_at` is later."""

    id: str
    stream_id: str | None
    started_at: datetime
    ended_at: datetime
    title: str
    language: str
    url: str
