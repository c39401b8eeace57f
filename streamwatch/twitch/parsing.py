"""Converts Helix responses to domain models. Raises ValueError for a malformed response.

An item of a list that is malformed is left out and logged, so that it does not spoil the others. If
no item of a list is readable, the response is malformed.

https://dev.twitch.tv/docs/api/reference/
"""

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import orjson

from streamwatch.domain.eventsub import LOGIN, MalformedMessage, subscription_from
from streamwatch.domain.models import Stream, Subscription, User, Video
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.sessions import MAX_VIEWERS
from streamwatch.domain.times import parse_start
from streamwatch.twitch.base import Conduit, LiveStreams, Shard
from streamwatch.twitch.calls import Response

log = logging.getLogger(__name__)

Document = dict[str, Any]
"""A JSON object."""

T = TypeVar("T")

_Shape = Mapping[str, type]

_USER: _Shape = dict.fromkeys(("id", "login", "display_name"), str)

_STREAM: _Shape = {
    **dict.fromkeys(("id", "user_id", "user_login", "user_name", "game_id", "game_name"), str),
    **dict.fromkeys(("type", "title", "started_at", "language", "thumbnail_url"), str),
    "viewer_count": int,
}

_TEXTS = ("type", "title", "game_id", "game_name", "language", "thumbnail_url")

_ID = re.compile(r"[A-Za-z0-9_:.-]{1,64}", re.ASCII)
_MAX_NAME_LENGTH = 256
_MAX_TEXT_LENGTH = 1024
_MAX_TAGS = 100
_MAX_CURSOR_LENGTH = 4096

_VIDEO: _Shape = dict.fromkeys(("id", "created_at", "duration", "title", "language", "url"), str)

_DURATION = re.compile(r"(?=\d)(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?", re.ASCII)
_URL = re.compile(r"https?://[^\s\"'<>\\]{1,500}", re.ASCII)

_COSTS: _Shape = dict.fromkeys(("total_cost", "max_total_cost"), int)


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """One page of the listing. `cursor` is for requesting the next page; None on the last."""

    subscriptions: list[Subscription]
    total_cost: int
    max_total_cost: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ShardPage:
    """One page of a conduit's shards; `cursor` as in `SubscriptionPage`."""

    shards: list[Shard]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class VideoPage:
    """One page of a user's videos; `cursor` as in `SubscriptionPage`."""

    videos: list[Video]
    cursor: str | None


def users(response: Response) -> list[User]:
    return _readable_items(_document(response), _user)


def live_streams(response: Response, asked: Collection[str]) -> LiveStreams:
    """The newest stream of each user of `asked`. A malformed stream is that of a user who is not
    known then; if it names no user, it may be that of anyone who has no other."""
    seen: dict[str, SeenLive] = {}
    unreadable: set[str] = set()
    faults: list[str] = []
    for item in _items(_document(response)):
        try:
            live = _seen_live(item, response.asked_at)
        except ValueError as fault:
            faults.append(str(fault))
            unreadable |= _users_of(item, asked)
            continue
        other = seen.get(live.user_id)
        if live.user_id in asked and (
            other is None or live.stream.started_at > other.stream.started_at
        ):
            seen[live.user_id] = live
    _log_faults(faults)
    unreadable -= seen.keys()
    if unreadable and len(unreadable) == len(asked):
        raise ValueError("no stream is readable")
    return LiveStreams(tuple(seen.values()), frozenset(unreadable))


def video_page(response: Response) -> VideoPage:
    """The archived videos of the page. Malformed ones are left out, even if all are: a missing
    video means nothing."""
    document = _document(response)
    videos: list[Video] = []
    faults: list[str] = []
    for item in _items(document):
        try:
            videos.append(_video(item, response.asked_at))
        except ValueError as fault:
            faults.append(str(fault))
    _log_faults(faults)
    return VideoPage(videos, _cursor(document))


def subscription(response: Response) -> Subscription:
    """The created subscription."""
    items = [_subscription(item) for item in _items(_document(response))]
    if not items:
        raise ValueError("no subscription")
    return items[0]


def subscription_page(response: Response) -> SubscriptionPage:
    document = _document(response)
    _check(document, _COSTS)
    return SubscriptionPage(
        _readable_items(document, _subscription),
        document["total_cost"],
        document["max_total_cost"],
        _cursor(document),
    )


def conduits(response: Response) -> list[Conduit]:
    """All conduits. None is left out: for a missing one another would be created."""
    return [_conduit(item) for item in _items(_document(response))]


def created_conduit(response: Response) -> Conduit:
    items = conduits(response)
    if not items:
        raise ValueError("no conduit")
    return items[0]


def shard_page(response: Response) -> ShardPage:
    document = _document(response)
    return ShardPage([_shard(item) for item in _items(document)], _cursor(document))


def shard_errors(response: Response) -> list[str]:
    """The error codes in a response to Update Conduit Shards: its 202 can hold failures."""
    errors = _document(response).get("errors") or []
    if not isinstance(errors, list):
        raise ValueError("errors is not a list")  # noqa: TRY004  one error for every malformed field
    codes = [error.get("code") if isinstance(error, dict) else error for error in errors]
    return [code[:64] if isinstance(code, str) and code.isprintable() else "?" for code in codes]


def _cursor(document: Document) -> str | None:
    pagination = document.get("pagination") or {}
    _check(pagination, {})
    cursor = pagination.get("cursor") or None
    if cursor is not None:
        _check_text(cursor, "cursor", _MAX_CURSOR_LENGTH)
    return cursor


def _document(response: Response) -> Document:
    document = response.document()
    if document is None:
        raise ValueError("not a JSON object")
    return document


def _items(document: Document) -> list[Any]:
    items = document.get("data")
    if not isinstance(items, list):
        raise ValueError("no list of data")  # noqa: TRY004  one error for every malformed field
    return items


def _readable_items(document: Document, parse: Callable[[Document], T]) -> list[T]:
    """The items that `parse` can read."""
    items = _items(document)
    readable: list[T] = []
    faults: list[str] = []
    for item in items:
        try:
            readable.append(parse(item))
        except ValueError as fault:
            faults.append(str(fault))
    if faults and not readable:
        raise ValueError(faults[0])
    _log_faults(faults)
    return readable


def _log_faults(faults: Sequence[str]) -> None:
    if faults:
        log.warning("Left out %d malformed items of a response: %s", len(faults), faults[0])


def _user(item: Document) -> User:
    _check(item, _USER)
    image_url = item.get("profile_image_url")
    if not isinstance(image_url, str | None):
        raise ValueError("profile_image_url is not a string")  # noqa: TRY004  one error for every broken promise
    _check_names(item["id"], item["login"], item["display_name"])
    is_usable = image_url is not None and _URL.fullmatch(image_url)
    return User(
        item["id"], item["login"].lower(), item["display_name"], image_url if is_usable else None
    )


def _check_names(user_id: str, login: str, display_name: str) -> None:
    """Refuse names that could not be stored or shown."""
    if not _ID.fullmatch(user_id):
        raise ValueError("a user id is malformed")
    if not LOGIN.fullmatch(login):
        raise ValueError("a login is malformed")
    if not 0 < len(display_name) <= _MAX_NAME_LENGTH or not display_name.isprintable():
        raise ValueError("a display name is malformed")


def _seen_live(item: Document, at: datetime) -> SeenLive:
    stream = stream_from(item, at)
    _check_names(item["user_id"], item["user_login"], item["user_name"])
    return SeenLive(
        user_id=item["user_id"],
        login=item["user_login"].lower(),
        display_name=item["user_name"],
        stream=stream,
        at=at,
    )


def _video(item: Document, at: datetime) -> Video:
    """A video of Get Videos, requested at `at`."""
    _check(item, _VIDEO)
    stream_id, duration = item.get("stream_id") or None, _DURATION.fullmatch(item["duration"])
    for each in (item["id"], stream_id):
        if each is not None and not (isinstance(each, str) and _ID.fullmatch(each)):
            raise ValueError("an id is malformed")
    if duration is None or not _URL.fullmatch(item["url"]):
        raise ValueError("duration or url is malformed")
    if item.get("type", "archive") != "archive":
        raise ValueError("the video is not an archived stream")
    for name in ("title", "language"):
        _check_text(item[name], name, _MAX_TEXT_LENGTH)
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


def stream_from(item: Document, at: datetime) -> Stream:
    """A stream of Get Streams, requested at `at`. Raises ValueError if it is malformed."""
    _check(item, _STREAM)
    if not _ID.fullmatch(item["id"]):
        raise ValueError("a stream id is malformed")
    if not 0 <= item["viewer_count"] <= MAX_VIEWERS:
        raise ValueError("viewer_count is out of range")
    for name in _TEXTS:
        _check_text(item[name], name, _MAX_TEXT_LENGTH)
    tags = item.get("tags") or []
    if not isinstance(tags, list) or len(tags) > _MAX_TAGS:
        raise ValueError("tags is not a list of a usual length")
    for tag in tags:
        _check_text(tag, "a tag", _MAX_NAME_LENGTH)
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


def _users_of(item: Any, asked: Collection[str]) -> set[str]:
    """Which of `asked` a malformed stream can be that of."""
    user_id = item.get("user_id") if isinstance(item, dict) else None
    if isinstance(user_id, str):
        return {user_id} & set(asked)
    return set(asked)


def _subscription(item: Document) -> Subscription:
    _check(item, {"id": str})
    if not _ID.fullmatch(item["id"]):
        raise ValueError("a subscription id is malformed")
    try:
        orjson.dumps(item)  # it is shown as JSON
    except orjson.JSONEncodeError:
        raise ValueError("a subscription cannot be written as JSON") from None
    try:
        return subscription_from(item)
    except MalformedMessage as error:
        raise ValueError(str(error)) from None


def _conduit(item: Document) -> Conduit:
    _check(item, {"id": str, "shard_count": int})
    if not _ID.fullmatch(item["id"]):
        raise ValueError("a conduit id is malformed")
    return Conduit(item["id"], item["shard_count"])


def _shard(item: Document) -> Shard:
    _check(item, {"id": str, "status": str})
    for name in ("id", "status"):
        _check_text(item[name], name, _MAX_NAME_LENGTH)
    return Shard(item["id"], item["status"])


def _check(item: Any, shape: _Shape) -> None:
    if not isinstance(item, dict):
        raise ValueError("not an object")  # noqa: TRY004  one error for every malformed field
    for name, kind in shape.items():
        if type(item.get(name)) is not kind:  # a bool is an int, but not a number of viewers
            raise ValueError(f"{name} is missing or of another type")


def _check_text(value: Any, name: str, longest: int) -> None:
    """Refuse what is no text of a usual length, or cannot be stored: a lone surrogate or NUL."""
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise ValueError(f"{name} is not a string of a usual length")
    value.encode()
