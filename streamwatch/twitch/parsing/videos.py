"""Get Videos."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from streamwatch.domain.eventsub import ID
from streamwatch.domain.models import Video
from streamwatch.domain.times import parse_start
from streamwatch.twitch.calls import Response
from streamwatch.twitch.parsing.documents import (
    MAX_TEXT_LENGTH,
    URL,
    Document,
    Shape,
    check,
    check_text,
    cursor_of,
    document_of,
    readable_items,
)

_VIDEO: Shape = dict.fromkeys(("id", "created_at", "duration", "title", "language", "url"), str)

_DURATION = re.compile(r"(?=\d)(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class VideoPage:
    """One page of a user's videos; `cursor` is None on the last page."""

    videos: list[Video]
    cursor: str | None


def parse_video_page(response: Response) -> VideoPage:
    """The archived videos of the page. Malformed ones are left out, even if all are: a missing
    video means nothing."""
    document = document_of(response)
    parse = partial(_video, at=response.asked_at)
    videos = readable_items(document, parse, may_all_be_malformed=True)
    return VideoPage(videos, cursor_of(document))


def _video(item: Document, at: datetime) -> Video:
    """A video of Get Videos, requested at `at`."""
    check(item, _VIDEO)
    stream_id, duration = item.get("stream_id") or None, _DURATION.fullmatch(item["duration"])
    for each in (item["id"], stream_id):
        if each is not None and not (isinstance(each, str) and ID.fullmatch(each)):
            raise ValueError("an id is malformed")
    if duration is None or not URL.fullmatch(item["url"]):
        raise ValueError("duration or url is malformed")
    if item.get("type", "archive") != "archive":
        raise ValueError("the video is not an archived stream")
    for name in ("title", "language"):
        check_text(item[name], name, MAX_TEXT_LENGTH)
    hours, minutes, seconds = (int(part or 0) for part in duration.groups())
    started_at = parse_start(item["created_at"], at)
    return Video(
        id=item["id"],
        stream_id=stream_id,
        started_at=started_at,
        ended_at=started_at + timedelta(hours=hours, minutes=minutes, seconds=seconds),
        title=item["title"],
        language=item["language"],
        url=item["url"],
    )
