"""Plans which EventSub subscriptions to keep, create and delete. Pure.

Every monitored streamer needs `stream.online` and `stream.offline`. `channel.update` is optional:
it is subscribed to as far as Twitch's cost limit leaves room.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from streamwatch.domain.models import EVENT_VERSIONS, EventType, Streamer, Subscription

REQUIRED_TYPES = (EventType.ONLINE, EventType.OFFLINE)
CHANNEL_UPDATE = EventType.UPDATE

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


@dataclass(frozen=True, slots=True)
class Missing:
    """A subscription to create. `blocking` ones occupy its slot and must be deleted before;
    `replaced` ones use another transport and are deleted after, so that no event is missed."""

    wanted: DesiredSubscription
    blocking: tuple[Subscription, ...] = ()
    replaced: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from what Twitch has to what is desired. `unchanged` are as desired; `missing` are
    in the order in which to create them; `unwanted` are strays, duplicates, and optional ones that
    give way to required ones; `without_room` counts the optional ones that have no room."""

    unchanged: Mapping[DesiredSubscription, Subscription]
    missing: Sequence[Missing]
    unwanted: Sequence[Subscription]
    without_room: int = 0


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
    optional = [DesiredSubscription(CHANNEL_UPDATE, streamer.user_id)] if updates else []
    return [*required_subscriptions(streamer), *optional]


def plan(
    streamers: Iterable[Streamer],
    subscriptions: Iterable[Subscription],
    transport: Transport,
    *,
    room: int,
    updates: bool = False,
    adopts: bool = True,
) -> Plan:
    """What to keep, create and delete; the streamers monitored longest come first.

    `room` is the cost that Twitch's limit leaves. With `updates`, `channel.update` is wanted too.
    With `adopts`, subscriptions whose secret is unknown are assumed to be signed with ours.

    Ours are the subscriptions on `transport`, and those on another one whose ids we stored when we
    created them: the settings have changed since. All others are left alone.
    """
    streamers = sorted(streamers, key=lambda streamer: streamer.added_at)
    planner = _Planner(streamers, subscriptions, transport, adopts=adopts)
    required, optional = _by_importance(streamers, updates=updates)
    planner.remove_strays({wanted for _, wanted in (*required, *optional)})
    for streamer, wanted in required:
        planner.add(streamer, wanted)
    room += planner.freed - len(planner.missing)
    for streamer, wanted in optional:
        room = planner.add_if_room(streamer, wanted, room)
    planner.give_way(room)
    planner.remove_strays(set())
    return Plan(planner.unchanged, planner.missing, planner.unwanted, planner.without_room)


def with_subscriptions(
    streamer: Streamer, active: Mapping[str, str], fingerprint: str | None
) -> Streamer:
    """`streamer` with the ids of the active subscriptions by type, signed with the secret that
    `fingerprint` identifies."""
    return replace(
        streamer,
        online_subscription_id=active.get(EventType.ONLINE),
        offline_subscription_id=active.get(EventType.OFFLINE),
        update_subscription_id=active.get(CHANNEL_UPDATE),
        signed_with=fingerprint if active else None,
    )


def without_subscription(streamer: Streamer, subscription_id: str) -> Streamer:
    """`streamer` without the subscription that has ended; unchanged if it is not theirs."""
    left = {
        event_type: known
        for event_type, known in streamer.subscription_ids.items()
        if known != subscription_id
    }
    if len(left) == len(streamer.subscription_ids):
        return streamer
    return with_subscriptions(streamer, left, streamer.signed_with)


def slot_of(subscription: Subscription) -> DesiredSubscription | None:
    """The desired subscription whose place this one takes; None if it is of no use to us."""
    if (
        EVENT_VERSIONS.get(subscription.type) != subscription.version
        or subscription.user_id is None
    ):
        return None
    return DesiredSubscription(subscription.type, subscription.user_id)


class _Planner:
    """Collects the parts of a plan."""

    def __init__(
        self,
        streamers: Sequence[Streamer],
        subscriptions: Iterable[Subscription],
        transport: Transport,
        *,
        adopts: bool,
    ) -> None:
        self.unchanged: dict[DesiredSubscription, Subscription] = {}
        self.missing: list[Missing] = []
        self.unwanted: list[Subscription] = []
        self.without_room = 0
        self._transport = transport
        self._accepted = {transport.fingerprint, None} if adopts else {transport.fingerprint}
        self._known = {one for streamer in streamers for one in streamer.subscription_ids.values()}
        self._slots: defaultdict[DesiredSubscription | None, list[Subscription]] = defaultdict(list)
        for subscription in subscriptions:
            if transport.carries(subscription) or subscription.id in self._known:
                self._slots[slot_of(subscription)].append(subscription)

    @property
    def freed(self) -> int:
        """The cost of what is deleted so far."""
        replaced = (old for item in self.missing for old in (*item.blocking, *item.replaced))
        return sum(old.cost for old in (*self.unwanted, *replaced))

    def add(self, streamer: Streamer, wanted: DesiredSubscription) -> None:
        """Keep the best subscription in this slot and delete the others, or create one."""
        found = self._slots.pop(wanted, [])
        usable = self._usable(streamer, found)
        if usable:
            self.unchanged[wanted] = best = min(usable, key=self._rank)
            self.unwanted += [other for other in found if other is not best]
            return
        carried = [one for one in found if self._transport.carries(one)]
        elsewhere = [one for one in found if one not in carried]
        self.missing.append(Missing(wanted, tuple(carried), tuple(elsewhere)))

    def add_if_room(self, streamer: Streamer, wanted: DesiredSubscription, room: int) -> int:
        """The same as far as `room` allows; the room that is left."""
        found = self._slots[wanted]
        if self._usable(streamer, found):
            self.add(streamer, wanted)
            return room
        left = room + sum(old.cost for old in found) - 1
        if left < 0:
            self.without_room += 1  # its slot is cleared with the strays
            return room
        self.add(streamer, wanted)
        return left

    def give_way(self, room: int) -> None:
        """Delete existing optional subscriptions, of the newest streamers first, until `room` is
        not negative."""
        for wanted, subscription in reversed(list(self.unchanged.items())):
            if room >= 0:
                return
            if not wanted.is_required and subscription.cost:
                self.unwanted.append(self.unchanged.pop(wanted))
                self.without_room += 1
                room += subscription.cost

    def remove_strays(self, wanted: AbstractSet[DesiredSubscription]) -> None:
        """Delete what is ours and in no slot that is `wanted`."""
        for slot in [slot for slot in self._slots if slot not in wanted]:
            self.unwanted += self._slots.pop(slot)

    def _usable(self, streamer: Streamer, found: Iterable[Subscription]) -> list[Subscription]:
        is_outdated = (
            isinstance(self._transport, WebhookTransport)
            and streamer.signed_with not in self._accepted
        )
        if is_outdated:
            return []
        return [one for one in found if self._transport.carries(one) and one.is_alive]

    def _rank(self, subscription: Subscription) -> tuple[bool, bool, datetime, str]:
        """Duplicates are preferred in this order: enabled, known to us, the oldest."""
        return (
            not subscription.is_enabled,
            subscription.id not in self._known,
            subscription.created_at,
            subscription.id,
        )


def _by_importance(
    streamers: Sequence[Streamer], *, updates: bool
) -> tuple[list[tuple[Streamer, DesiredSubscription]], list[tuple[Streamer, DesiredSubscription]]]:
    """The required subscriptions of all streamers, and the optional ones."""
    pairs = [
        (streamer, wanted)
        for streamer in streamers
        for wanted in desired_subscriptions(streamer, updates=updates)
    ]
    return (
        [pair for pair in pairs if pair[1].is_required],
        [pair for pair in pairs if not pair[1].is_required],
    )
