"""EventSub subscriptions: the listing, and the response to a creation."""

from dataclasses import dataclass

import orjson

from streamwatch.domain.eventsub import ID, MalformedMessage, subscription_from
from streamwatch.domain.models import Subscription
from streamwatch.twitch.calls import Response
from streamwatch.twitch.parsing.documents import (
    Document,
    Shape,
    check,
    cursor_of,
    document_of,
    items_of,
    readable_items,
)

_COSTS: Shape = dict.fromkeys(("total_cost", "max_total_cost"), int)


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """One page of the listing. `cursor` is for requesting the next page; None on the last."""

    subscriptions: list[Subscription]
    total_cost: int
    max_total_cost: int
    cursor: str | None


def parse_subscription(response: Response) -> Subscription:
    """The created subscription."""
    items = [_subscription(item) for item in items_of(document_of(response))]
    if not items:
        raise ValueError("no subscription")
    return items[0]


def parse_subscription_page(response: Response) -> SubscriptionPage:
    document = document_of(response)
    check(document, _COSTS)
    return SubscriptionPage(
        readable_items(document, _subscription),
        document["total_cost"],
        document["max_total_cost"],
        cursor_of(document),
    )


def _subscription(item: Document) -> Subscription:
    check(item, {"id": str})
    if not ID.fullmatch(item["id"]):
        raise ValueError("a subscription id is malformed")
    try:
        orjson.dumps(item)  # it is shown as JSON
    except orjson.JSONEncodeError:
        raise ValueError("a subscription cannot be written as JSON") from None
    try:
        return subscription_from(item)
    except MalformedMessage as error:
        raise ValueError(str(error)) from None
