"""Helix's answers as the domain's models. A ValueError where one is not what Helix promises.

https://dev.twitch.tv/docs/api/reference/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from streamwatch.domain.documents import Document, stream_from, user_from
from streamwatch.domain.eventsub import MalformedMessage, subscription_from
from streamwatch.domain.models import Subscription, User
from streamwatch.domain.observations import SeenLive
from streamwatch.twitch.calls import Response

T = TypeVar("T")

_Shape = Mapping[str, type]

_USER: _Shape = dict.fromkeys(("id", "login", "display_name"), str)

_STREAM: _Shape = {
    **dict.fromkeys(("id", "user_id", "user_login", "user_name", "game_id", "game_name"), str),
    **dict.fromkeys(("type", "title", "started_at", "language", "thumbnail_url"), str),
    "viewer_count": int,
}

_COSTS: _Shape = dict.fromkeys(("total_cost", "max_total_cost"), int)


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """One page of the listing; `cursor` asks for the next one, None on the last."""

    subscriptions: list[Subscription]
    total_cost: int
    max_total_cost: int
    cursor: str | None


def users(answer: Response) -> list[User]:
    return _items(_document(answer), _user)


def seen_live(answer: Response) -> list[SeenLive]:
    return _items(_document(answer), lambda item: _seen_live(item, answer.asked_at))


def subscription(answer: Response) -> Subscription:
    """The one that was created."""
    items = _items(_document(answer), _subscription)
    if not items:
        raise ValueError("no subscription")
    return items[0]


def subscription_page(answer: Response) -> SubscriptionPage:
    document = _document(answer)
    _check(document, _COSTS)
    pagination = document.get("pagination") or {}
    _check(pagination, {})
    cursor = pagination.get("cursor") or None
    if not isinstance(cursor, str | None):
        raise ValueError("cursor is not a string")  # noqa: TRY004  one error for every broken promise
    return SubscriptionPage(
        _items(document, _subscription),
        document["total_cost"],
        document["max_total_cost"],
        cursor,
    )


def _document(answer: Response) -> Document:
    document = answer.document()
    if document is None:
        raise ValueError("not a JSON object")
    return document


def _items(document: Document, parse: Callable[[Document], T]) -> list[T]:
    items = document.get("data")
    if not isinstance(items, list):
        raise ValueError("no list of data")  # noqa: TRY004  one error for every broken promise
    return [parse(item) for item in items]


def _user(item: Document) -> User:
    _check(item, _USER)
    return user_from(item)


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


def _subscription(item: Document) -> Subscription:
    _check(item, {})
    try:
        return subscription_from(item)
    except MalformedMessage as error:
        raise ValueError(str(error)) from None


def _check(item: Any, shape: _Shape) -> None:
    if not isinstance(item, dict):
        raise ValueError("not an object")  # noqa: TRY004  one error for every broken promise
    for name, kind in shape.items():
        if type(item.get(name)) is not kind:  # a bool is no count of viewers
            raise ValueError(f"{name} is missing or of another type")
