"""Archived videos: which of them are of a stream that is over, and links into them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from streamwatch.domain.models import Video

OVER_AFTER = timedelta(minutes=15)
"""A video that ended more recently may still grow: its stream may be on."""


class SkipReason(StrEnum):
    """Why a video makes no session."""

    NO_STREAM_ID = "no stream id"
    LIVE = "the stream is on"
    RECENT = "ended less than 15 minutes ago"
    EMPTY = "no duration"


@dataclass(frozen=True, slots=True)
class SortedVideos:
    """The videos of streams that are over, and how many others were skipped for each reason."""

    usable: list[Video] = field(default_factory=list)
    skipped: Counter[SkipReason] = field(default_factory=Counter)


def sort_videos(videos: Iterable[Video], live_id: str | None, now: datetime) -> SortedVideos:
    """Sort a streamer's videos as of `now`. `live_id` is the stream that is on, if one is."""
    found = SortedVideos()
    for video in videos:
        reason = _skip_reason(video, live_id, now)
        if reason is None:
            found.usable.append(video)
        else:
            found.skipped[reason] += 1
    return found


def link(video: Video, at: datetime | None = None) -> str:
    """The address of the video, at a time of its stream: `…?t=1h2m3s`."""
    seconds = int((at - video.started_at).total_seconds()) if at else 0
    if seconds <= 0 or at is None or at > video.ended_at:
        return video.url
    hours, minutes = seconds // 3600, seconds // 60 % 60
    separator = "&" if "?" in video.url else "?"
    return f"{video.url}{separator}t={hours}h{minutes}m{seconds % 60}s"


def _skip_reason(video: Video, live_id: str | None, now: datetime) -> SkipReason | None:
    if video.stream_id is None:
        return SkipReason.NO_STREAM_ID
    if video.stream_id == live_id:
        return SkipReason.LIVE
    if video.ended_at > now - OVER_AFTER:
        return SkipReason.RECENT
    return None if video.ended_at > video.started_at else SkipReason.EMPTY
