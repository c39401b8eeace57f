"""Archived videos: Twitch makes one of each stream, which grows while the stream is on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from streamwatch.domain.models import EventType, User
from streamwatch.domain.times import format_time
from streamwatch.simulator.web import Document
from streamwatch.simulator.world import StreamChange, World


@dataclass(slots=True)
class SimulatedVideo:
    """A video. `ended_at` is None while it grows; before `listed_at` Helix does not list it."""

    id: str
    user: User
    stream_id: str | None
    started_at: datetime
    ended_at: datetime | None
    title: str
    language: str
    listed_at: datetime
    is_muted: bool = False

    def document(self, now: datetime) -> Document:
        """The video as Helix lists it at `now`."""
        seconds = max(0, int(((self.ended_at or now) - self.started_at).total_seconds()))
        return {
            "id": self.id,
            "stream_id": self.stream_id,
            "user_id": self.user.user_id,
            "user_login": self.user.login,
            "user_name": self.user.display_name,
            "title": self.title,
            "description": "",
            "created_at": format_time(self.started_at),
            "published_at": format_time(self.started_at),
            "url": f"https://www.twitch.tv/videos/{self.id}",
            "thumbnail_url": "",
            "viewable": "public",
            "view_count": 7,
            "language": self.language,
            "type": "archive",
            "duration": _duration(seconds),
            "muted_segments": [{"duration": 30, "offset": 120}] if self.is_muted else None,
        }


class Videos:
    """The videos of all users. Any thread may call the methods; an unknown login or video raises
    KeyError."""

    def __init__(self, world: World, clock: Callable[[], datetime]) -> None:
        self.late = timedelta(0)
        """How long after the start of a stream Helix lists its video."""
        self.name_streams = True
        """Whether new videos have the id of their stream."""
        self._world = world
        self._clock = clock
        self._lock = threading.Lock()
        self._videos: dict[str, SimulatedVideo] = {}
        self._numbers = count(2_000_000_001)
        world.listeners.append(self._follow)

    def add(
        self,
        login: str,
        stream_id: str | None,
        started_at: datetime,
        length: timedelta,
        *,
        title: str = "Hello",
        is_muted: bool = False,
    ) -> SimulatedVideo:
        """Add the video of an earlier stream."""
        user, ended_at = self._world.user(login), started_at + length
        started_at = started_at.replace(microsecond=0)
        return self._add(user, stream_id, started_at, ended_at, title, "en", is_muted=is_muted)

    def delete(self, video_id: str) -> None:
        with self._lock:
            del self._videos[video_id]

    def of(self, user_id: str) -> list[SimulatedVideo]:
        """The listed videos of a user, the newest first."""
        now = self._clock()
        with self._lock:
            found = [
                video
                for video in self._videos.values()
                if video.user.user_id == user_id and video.listed_at <= now
            ]
        return sorted(found, key=lambda video: video.started_at, reverse=True)

    def _follow(self, change: StreamChange) -> None:
        """Begin a video, continue that of a stream that resumes, or end it."""
        stream, is_on = change.stream, change.type is EventType.ONLINE
        with self._lock:
            known = next(
                (
                    video
                    for video in reversed(self._videos.values())
                    if video.user.user_id == change.user.user_id
                    and video.started_at == stream.started_at
                ),
                None,
            )
            if known is not None:
                known.ended_at = None if is_on else change.at
                return
        if is_on:
            self._add(
                change.user,
                stream.id if self.name_streams else None,
                stream.started_at,
                None,
                stream.title or "",
                stream.language or "en",
                listed_at=change.at + self.late,
            )

    def _add(
        self,
        user: User,
        stream_id: str | None,
        started_at: datetime,
        ended_at: datetime | None,
        title: str,
        language: str,
        *,
        listed_at: datetime | None = None,
        is_muted: bool = False,
    ) -> SimulatedVideo:
        with self._lock:
            video = SimulatedVideo(
                str(next(self._numbers)),
                user,
                stream_id,
                started_at,
                ended_at,
                title,
                language,
                listed_at or started_at,
                is_muted,
            )
            self._videos[video.id] = video
            return video


def _duration(seconds: int) -> str:
    """As Twitch writes it: 3h8m33s, without the parts that are 0 at the front."""
    hours, minutes = seconds // 3600, seconds // 60 % 60
    text = f"{seconds % 60}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text
