"""Converts Helix responses to domain models. Raises ValueError for a malformed response.

https://dev.twitch.tv/docs/api/reference/
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from streamwatch.domain.eventsub import LOGIN, MalformedMessage, subscription_from
from streamwatch.domain.models import Stream, Subscription, User
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.times import parse_time
from streamwatch.twitch.base import Conduit, Shard
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

_ID = re.compile(r"[A-Za-z0-9_:.-]{1,64}", re.ASCII)
_MAX_NAME_LENGTH = 256

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


def users(response: Response) -> list[User]:
    """The users in the response. One with a malformed id, login or name is left out: it could not
    be stored."""
    found = _items(_document(response), _user)
    usable = [user for user in found if _is_usable(user)]
    if len(usable) < len(found):
        log.warning("Ignored %d malformed users in a response", len(found) - len(usable))
    return usable


def seen_live(response: Response) -> list[SeenLive]:
    return _items(_document(response), lambda item: _seen_live(item, response.asked_at))


def subscription(response: Response) -> Subscription:
    """The created subscription."""
    items = _items(_document(response), _subscription)
    if not items:
        raise ValueError("no subscription")
    return items[0]


def subscription_page(response: Response) -> SubscriptionPage:
    document = _document(response)
    _check(document, _COSTS)
    return SubscriptionPage(
        _items(document, _subscription),
        document["total_cost"],
        document["max_total_cost"],
        _cursor(document),
    )


def conduits(response: Response) -> list[Conduit]:
    return _items(_document(response), _conduit)


def created_conduit(response: Response) -> Conduit:
    items = conduits(response)
    if not items:
        raise ValueError("no conduit")
    return items[0]


def shard_page(response: Response) -> ShardPage:
    document = _document(response)
    return ShardPage(_items(document, _shard), _cursor(document))


def shard_errors(response: Response) -> list[str]:
    """The error codes in a response to Update Conduit Shards: its 202 can hold failures."""
    errors = _document(response).get("errors") or []
    if not isinstance(errors, list):
        raise ValueError("errors is not a list")  # noqa: TRY004  one error for every malformed field
    return [str(error.get("code") if isinstance(error, dict) else error)[:64] for error in errors]


def _cursor(document: Document) -> str | None:
    pagination = document.get("pagination") or {}
    _check(pagination, {})
    cursor = pagination.get("cursor") or None
    if not isinstance(cursor, str | None):
        raise ValueError("cursor is not a string")  # noqa: TRY004  one error for every malformed field
    return cursor


def _document(response: Response) -> Document:
    document = response.document()
    if document is None:
        raise ValueError("not a JSON object")
    return document


def _items(document: Document, parse: Callable[[Document], T]) -> list[T]:
    items = document.get("data")
    if not isinstance(items, list):
        raise ValueError("no list of data")  # noqa: TRY004  one error for every malformed field
    return [parse(item) for item in items]


def _user(item: Document) -> User:
    _check(item, _USER)
    if not isinstance(item.get("profile_image_url"), str | None):
        raise ValueError("profile_image_url is not a string")  # noqa: TRY004  one error for every broken promise
    return User(item["id"], item["login"].lower(), item["display_name"])


def _is_usable(user: User) -> bool:
    return (
        bool(_ID.fullmatch(user.user_id))
        and bool(LOGIN.fullmatch(user.login))
        and 0 < len(user.display_name) <= _MAX_NAME_LENGTH
        and user.display_name.isprintable()
    )


def _seen_live(item: Document, at: datetime) -> SeenLive:
    _check(item, _STREAM)
    tags = item.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError("tags is not a list of strings")
    return SeenLive(
        user_id=item["user_id"],
        login=item["user_login"].lower(),
        display_name=item["user_name"],
        stream=stream_from({**item, "tags": tags}),
        at=at,
    )


def stream_from(item: Document) -> Stream:
    """A stream of Get Streams. Raises KeyError or ValueError if a field is missing or invalid."""
    return Stream(
        id=item["id"],
        started_at=parse_time(item["started_at"]),
        type=item["type"],
        viewer_count=item["viewer_count"],
        game_id=item["game_id"],
        game_name=item["game_name"],
        title=item["title"],
        language=item["language"],
        tags=None if item["tags"] is None else tuple(item["tags"]),
        thumbnail_url=item["thumbnail_url"],
    )


def _subscription(item: Document) -> Subscription:
    _check(item, {})
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
    return Shard(item["id"], item["status"])


def _check(item: Any, shape: _Shape) -> None:
    if not isinstance(item, dict):
        raise ValueError("not an object")  # noqa: TRY004  one error for every malformed field
    for name, kind in shape.items():
        if type(item.get(name)) is not kind:  # a bool is an int, but not a number of viewers
            raise ValueError(f"{name} is missing or of another type")
