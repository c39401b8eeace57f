"""EventSub subscriptions: which a streamer needs, how they are delivered, and their ids in the
streamer's record. Pure; `subscription_plan` compares them with those that exist.

Every monitored streamer needs `stream.online` and `stream.offline`. `channel.update` is optional:
it is subscribed to as far as Twitch's cost limit leaves room.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from streamwatch.domain.models import EVENT_VERSIONS, EventType, Streamer, Subscription

REQUIRED_TYPES = (EventType.ONLINE, EventType.OFFLINE)

_FINGERPRINT_DIGITS = 8


@dataclass(frozen=True, slots=True)
class WebhookTransport:
    """Delivery by signed HTTP requests to `callback`."""

    callback: str
    secret: str = field(repr=False)

    def carries(self, subscription: Subscription) -> bool:
        """Whether the subscription is delivered to this callback."""
        return subscription.callback == self.callback

    @property
    def fingerprint(self) -> str | None:
        """Identifies the secret without revealing it (see `secret_fingerprint`)."""
        return secret_fingerprint(self.secret)


@dataclass(frozen=True, slots=True)
class ConduitTransport:
    """Delivery through a conduit. The WebSocket is authenticated, so that nothing is signed."""

    conduit_id: str

    def carries(self, subscription: Subscription) -> bool:
        """Whether the subscription is delivered through this conduit."""
        return subscription.conduit_id == self.conduit_id

    @property
    def fingerprint(self) -> str | None:
        return None


Transport = WebhookTransport | ConduitTransport


@dataclass(frozen=True, slots=True)
class DesiredSubscription:
    """One subscription that should be active. Twitch has one slot for each type, version, user and
    transport."""

    type: str
    user_id: str

    @property
    def version(self) -> str:
        return EVENT_VERSIONS[self.type]

    @property
    def is_required(self) -> bool:
        """Whether the streamer counts as unsubscribed without it."""
        return self.type in REQUIRED_TYPES


def secret_fingerprint(secret: str) -> str:
    """Identifies a webhook secret. Twitch does not report which secret it signs with, so this is
    stored instead; it is too short to find a good secret by trying."""
    digest = hmac.new(secret.encode(), b"StreamWatch's webhook secret", sha256)
    return digest.hexdigest()[:_FINGERPRINT_DIGITS]


def required_subscriptions(streamer: Streamer) -> list[DesiredSubscription]:
    """The subscriptions without which a streamer is only polled."""
    return [DesiredSubscription(event_type, streamer.user_id) for event_type in REQUIRED_TYPES]


def desired_subscriptions(streamer: Streamer, *, updates: bool) -> list[DesiredSubscription]:
    """All subscriptions of a streamer, with `channel.update` if `updates`."""
    optional = [DesiredSubscription(EventType.UPDATE, streamer.user_id)] if updates else []
    return [*required_subscriptions(streamer), *optional]


def with_subscriptions(
    streamer: Streamer, active: Mapping[str, str], fingerprint: str | None
) -> Streamer:
    """`streamer` with the ids of the active subscriptions by type, signed with the secret that
    `fingerprint` identifies, as are those that Twitch has not verified yet."""
    return replace(
        streamer,
        online_subscription_id=active.get(EventType.ONLINE),
        offline_subscription_id=active.get(EventType.OFFLINE),
        update_subscription_id=active.get(EventType.UPDATE),
        signed_with=fingerprint,
    )


def without_subscription(streamer: Streamer, subscription_id: str) -> Streamer:
    """`streamer` without the subscription that has ended; unchanged if it is not theirs."""
    left = {
        event_type: existing
        for event_type, existing in streamer.subscription_ids.items()
        if existing != subscription_id
    }
    if len(left) == len(streamer.subscription_ids):
        return streamer
    return with_subscriptions(streamer, left, streamer.signed_with)


def slot_of(subscription: Subscription) -> DesiredSubscription | None:
    """The slot that an existing subscription occupies; None if its type or version is not one that
    we subscribe to."""
    if (
        EVENT_VERSIONS.get(subscription.type) != subscription.version
        or subscription.user_id is None
    ):
        return None
    return DesiredSubscription(subscription.type, subscription.user_id)
