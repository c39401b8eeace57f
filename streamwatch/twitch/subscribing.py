"""Create EventSub Subscription: its call, and what its 429 means.

https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription
"""

import re
from http import HTTPStatus

from streamwatch.domain.models import EVENT_VERSION
from streamwatch.twitch.base import (
    Subscribe,
    SubscriptionExists,
    SubscriptionLimit,
    TwitchDenied,
)
from streamwatch.twitch.calls import Call, Refusals, Response, is_rate_limited

SUBSCRIPTIONS = "/eventsub/subscriptions"

_REFUSALS: Refusals = {
    HTTPStatus.UNAUTHORIZED: TwitchDenied,
    HTTPStatus.CONFLICT: SubscriptionExists,
    HTTPStatus.TOO_MANY_REQUESTS: SubscriptionLimit,
}
_ABOUT_SUBSCRIPTIONS = re.compile(r"subscription|cost", re.IGNORECASE | re.ASCII)


def subscribe_call(wanted: Subscribe) -> Call:
    return Call(
        "POST",
        SUBSCRIPTIONS,
        json={
            "type": wanted.type,
            "version": EVENT_VERSION,
            "condition": {"broadcaster_user_id": wanted.user_id},
            "transport": {
                "method": "webhook",
                "callback": wanted.callback,
                "secret": wanted.secret,
            },
        },
        refusals=_REFUSALS,
        rate_limited=_is_rate_limited,
    )


def _is_rate_limited(answer: Response) -> bool:
    """Whether a 429 to Create EventSub Subscription means the rate limit.

    Twitch answers 429 also where there are too many subscriptions of the type and condition, or
    the cost limit is reached (https://github.com/twitchdev/issues/issues/958). It is taken for
    that where Twitch speaks of subscriptions or cost, or where the bucket is not empty: waiting
    would not help.
    """
    if not is_rate_limited(answer) or _ABOUT_SUBSCRIPTIONS.search(answer.message()):
        return False
    return not answer.number("Ratelimit-Remaining")
