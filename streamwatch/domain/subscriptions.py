"""Which EventSub subscriptions are wanted, held against those that Twitch has. Pure.

Wanted are both event types for every monitored streamer, at our callback, signed with our secret.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from streamwatch.domain.models import EVENT_VERSION, EventType, Streamer, Subscription

_MARK_DIGITS = 8


@dataclass(frozen=True, slots=True)
class DesiredSubscription:
    """One subscription that should stand."""

    type: EventType
    user_id: str


@dataclass(frozen=True, slots=True)
class Missing:
    """One that does not stand, and those in its place that have to go first."""

    wanted: DesiredSubscription
    instead_of: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The way from what Twitch has to what is wanted. `kept` stay as they are; `unwanted` are
    strays and duplicates."""

    kept: Mapping[DesiredSubscription, Subscription]
    missing: Sequence[Missing]
    unwanted: Sequence[Subscription]


def secret_fingerprint(secret: str) -> str:
    """A name for a webhook secret. Twitch does not tell with which secret it signs, so this is kept
    instead: too short to find a good secret by."""
    mark = hmac.new(secret.encode(), b"StreamWatch's webhook secret", sha256)
    return mark.hexdigest()[:_MARK_DIGITS]


def desired_subscriptions(streamer: Streamer) -> list[DesiredSubscription]:
    """The subscriptions that a streamer should have."""
    return [DesiredSubscription(event_type, streamer.user_id) for event_type in EventType]


def plan(
    streamers: Sequence[Streamer],
    subscriptions: Iterable[Subscription],
    callback: str,
    mark: str,
    *,
    adopts: bool = True,
) -> Plan:
    """What to keep, to create and to delete, the streamers who are watched longest first.

    `mark` names our secret. With `adopts`, subscriptions of whose secret nothing is known are held
    to be signed with it.

    Ours are the subscriptions for `callback`, and those for another one whose ids we noted down
    when we created them: `WEBHOOK_URL` was another then. All others are left alone.
    """
    known = {one for streamer in streamers for one in streamer.subscription_ids.values()}
    places: defaultdict[DesiredSubscription | None, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        if subscription.callback == callback or subscription.id in known:
            places[place(subscription)].append(subscription)
    kept: dict[DesiredSubscription, Subscription] = {}
    missing: list[Missing] = []
    unwanted: list[Subscription] = []
    for streamer in sorted(streamers, key=lambda streamer: streamer.added_at):
        is_outdated = streamer.signed_with not in ((None, mark) if adopts else (mark,))
        for wanted in desired_subscriptions(streamer):
            there = places.pop(wanted, [])
            usable = [] if is_outdated else [one for one in there if _stands(one, callback)]
            if usable:
                kept[wanted] = best = min(usable, key=lambda one: _rank(one, known))
                unwanted += [other for other in there if other is not best]
            else:
                missing.append(Missing(wanted, tuple(there)))
    unwanted += [stray for strays in places.values() for stray in strays]
    return Plan(kept, missing, unwanted)


def noted(streamer: Streamer, standing: Mapping[EventType, str], mark: str | None) -> Streamer:
    """`streamer` with the ids of the subscriptions that stand, signed with the secret that `mark`
    names."""
    return replace(
        streamer,
        online_subscription_id=standing.get(EventType.ONLINE),
        offline_subscription_id=standing.get(EventType.OFFLINE),
        signed_with=mark if standing else None,
    )


def place(subscription: Subscription) -> DesiredSubscription | None:
    """What the subscription does the work of, if that is something that could be wanted."""
    if (
        subscription.type not in set(EventType)
        or subscription.version != EVENT_VERSION
        or subscription.user_id is None
    ):
        return None
    return DesiredSubscription(EventType(subscription.type), subscription.user_id)


def _stands(subscription: Subscription, callback: str) -> bool:
    return subscription.callback == callback and subscription.is_alive


def _rank(subscription: Subscription, known: set[str]) -> tuple[bool, bool, datetime, str]:
    """Of duplicates the first in this order is kept: enabled, known to us, the oldest."""
    return (
        not subscription.is_enabled,
        subscription.id not in known,
        subscription.created_at,
        subscription.id,
    )
