"""Get Streams."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from streamwatch.domain.eventsub import ID
from streamwatch.domain.models import Stream
from streamwatch.domain.observations import SeenLive, time_seen
from streamwatch.domain.session_events import MAX_VIEWERS
from streamwatch.domain.times import parse_start
from streamwatch.twitch.base import LiveStreams
from streamwatch.twitch.calls import Response
from streamwatch.twitch.parsing.documents import (
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    Document,
    Shape,
    check,
    check_text,
    document_of,
    items_of,
    log_faults,
)
from streamwatch.twitch.parsing.users import check_names

_STREAM: Shape = {
    **dict.fromkeys(("id", "user_id", "user_login", "user_name", "game_id", "game_name"), str),
    **dict.fromkeys(("type", "title", "started_at", "language", "thumbnail_url"), str),
    "viewer_count": int,
}

_TEXTS = ("type", "title", "game_id", "game_name", "language", "thumbnail_url")

_MAX_TAGS = 100


def parse_live_streams(response: Response, asked: Collection[str]) -> LiveStreams:
    """The newest stream of each user of `asked`. The users of malformed streams are `unreadable`:
    if such a stream names no user, all users without another stream are."""
    seen: dict[str, SeenLive] = {}
    unreadable: set[str] = set()
    faults: list[str] = []
    for item in items_of(document_of(response)):
        try:
            live = _seen_live(item, response)
        except ValueError as fault:
            faults.append(str(fault))
            unreadable |= _users_of(item, asked)
            continue
        other = seen.get(live.user_id)
        if live.user_id in asked and (
            other is None or live.stream.started_at > other.stream.started_at
        ):
            seen[live.user_id] = live
    log_faults(faults)
    unreadable -= seen.keys()
    if unreadable and len(unreadable) == len(asked):
        raise ValueError("no stream is readable")
    return LiveStreams(tuple(seen.values()), frozenset(unreadable))


def stream_from(item: Document, at: datetime) -> Stream:
    """A stream of Get Streams, requested at `at`. Raises ValueError if it is malformed."""
    check(item, _STREAM)
    if not ID.fullmatch(item["id"]):
        raise ValueError("a stream id is malformed")
    if not 0 <= item["viewer_count"] <= MAX_VIEWERS:
        raise ValueError("viewer_count is out of range")
    for name in _TEXTS:
        check_text(item[name], name, MAX_TEXT_LENGTH)
    tags = item.get("tags") or []
    if not isinstance(tags, list) or len(tags) > _MAX_TAGS:
        raise ValueError(f"tags is not a list of at most {_MAX_TAGS} tags")
    for tag in tags:
        check_text(tag, "a tag", MAX_NAME_LENGTH)
    return Stream(
        id=item["id"],
        started_at=parse_start(item["started_at"], at),
        type=item["type"],
        viewer_count=item["viewer_count"],
        game_id=item["game_id"],
        game_name=item["game_name"],
        title=item["title"],
        language=item["language"],
        tags=tuple(tags),
        thumbnail_url=item["thumbnail_url"],
    )


def _seen_live(item: Document, response: Response) -> SeenLive:
    stream = stream_from(item, response.asked_at)
    check_names(item["user_id"], item["user_login"], item["user_name"])
    return SeenLive(
        user_id=item["user_id"],
        login=item["user_login"].lower(),
        display_name=item["user_name"],
        stream=stream,
        at=time_seen(stream, response.asked_at, response.answered_at),
    )


def _users_of(item: Any, asked: Collection[str]) -> set[str]:
    """The users of `asked` to whom a malformed stream may belong."""
    user_id = item.get("user_id") if isinstance(item, dict) else None
    if isinstance(user_id, str):
        return {user_id} & set(asked)
    return set(asked)
