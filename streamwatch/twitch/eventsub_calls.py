"""The calls that manage EventSub subscriptions, conduits and shards.

https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription
https://dev.twitch.tv/docs/eventsub/handling-conduit-events/
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from streamwatch.domain.subscriptions import (
    ConduitTransport,
    DesiredSubscription,
    Transport,
    WebhookTransport,
)
from streamwatch.twitch.base import (
    ConduitLimit,
    NotFound,
    SubscriptionExists,
    SubscriptionLimit,
    TwitchDenied,
)
from streamwatch.twitch.calls import Call, ErrorsByStatus, Response, is_rate_limited

SUBSCRIPTIONS = "/eventsub/subscriptions"
CONDUITS = "/eventsub/conduits"
SHARDS = "/eventsub/conduits/shards"

_SUBSCRIBE_ERRORS: ErrorsByStatus = {
    HTTPStatus.UNAUTHORIZED: TwitchDenied,
    HTTPStatus.CONFLICT: SubscriptionExists,
    HTTPStatus.TOO_MANY_REQUESTS: SubscriptionLimit,
}
_CONDUIT_ERRORS: ErrorsByStatus = {
    HTTPStatus.UNAUTHORIZED: TwitchDenied,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.TOO_MANY_REQUESTS: ConduitLimit,
}
_ABOUT_SUBSCRIPTIONS = re.compile(r"subscription|cost", re.IGNORECASE | re.ASCII)
_ABOUT_CONDUITS = re.compile(r"conduit", re.IGNORECASE | re.ASCII)


def subscribe_call(wanted: DesiredSubscription, transport: Transport) -> Call:
    """Create EventSub Subscription."""
    return Call(
        "POST",
        SUBSCRIPTIONS,
        json={
            "type": wanted.type,
            "version": wanted.version,
            "condition": {"broadcaster_user_id": wanted.user_id},
            "transport": _transport_document(transport),
        },
        errors=_SUBSCRIBE_ERRORS,
        rate_limited=_is_subscribe_rate_limited,
    )


def list_conduits_call() -> Call:
    """Get Conduits."""
    return Call("GET", CONDUITS, errors=_CONDUIT_ERRORS)


def create_conduit_call(shard_count: int) -> Call:
    """Create Conduits."""
    return Call(
        "POST",
        CONDUITS,
        json={"shard_count": shard_count},
        errors=_CONDUIT_ERRORS,
        rate_limited=_is_conduit_rate_limited,
    )


def delete_conduit_call(conduit_id: str) -> Call:
    """Delete Conduit."""
    return Call("DELETE", CONDUITS, [("id", conduit_id)], errors=_CONDUIT_ERRORS)


def list_subscriptions_call(cursor: str | None) -> Call:
    """One page of Get EventSub Subscriptions."""
    return Call("GET", SUBSCRIPTIONS, [("after", cursor)] if cursor else [])


def list_shards_call(conduit_id: str, cursor: str | None) -> Call:
    """One page of Get Conduit Shards."""
    params = [("conduit_id", conduit_id), *([("after", cursor)] if cursor else [])]
    return Call("GET", SHARDS, params, errors=_CONDUIT_ERRORS)


def attach_shard_call(conduit_id: str, shard_id: str, session_id: str) -> Call:
    """Update Conduit Shards, for one shard on a WebSocket session."""
    transport = {"method": "websocket", "session_id": session_id}
    return Call(
        "PATCH",
        SHARDS,
        json={
            "conduit_id": conduit_id,
            "shards": [{"id": shard_id, "transport": transport}],
        },
        errors=_CONDUIT_ERRORS,
    )


def _transport_document(transport: Transport) -> Mapping[str, Any]:
    match transport:
        case WebhookTransport(callback, secret):
            return {"method": "webhook", "callback": callback, "secret": secret}
        case ConduitTransport(conduit_id):
            return {"method": "conduit", "conduit_id": conduit_id}


def _is_subscribe_rate_limited(response: Response) -> bool:
    """Whether a 429 to Create EventSub Subscription means the rate limit.

    Twitch answers 429 also if there are too many subscriptions of the type and condition, or the
    cost limit is reached (https://github.com/twitchdev/issues/issues/958). Retrying does not help
    then. It is taken for that if the message mentions subscriptions or cost, or if the bucket is
    not empty.
    """
    return _is_rate_limited_unless(_ABOUT_SUBSCRIPTIONS, response)


def _is_conduit_rate_limited(response: Response) -> bool:
    """The same for Create Conduits, whose 429 also means "too many conduits"."""
    return _is_rate_limited_unless(_ABOUT_CONDUITS, response)


def _is_rate_limited_unless(about: re.Pattern[str], response: Response) -> bool:
    if not is_rate_limited(response) or about.search(response.message()):
        return False
    return not response.number("Ratelimit-Remaining")
