"""Plans which EventSub subscriptions to keep, create and delete. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from streamwatch.domain.models import Streamer, Subscription
from streamwatch.domain.subscriptions import (
    DesiredSubscription,
    Transport,
    WebhookTransport,
    desired_subscriptions,
    slot_of,
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A subscription to create. `blocking` ones must be deleted before: they occupy its slot, or
    the webhook secret has changed. `replaced` ones use another transport and are deleted after, so
    that no event is missed: see `is_needed_meanwhile`."""

    wanted: DesiredSubscription
    blocking: tuple[Subscription, ...] = ()
    replaced: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from the subscriptions that exist to those that are desired. `unchanged` are as
    desired. `unverified` exist, but do not count as active before Twitch has verified the callback:
    they are pending and in no streamer's record. Each has the subscriptions at a former callback
    that remain until then. `missing` are in the order in which to create them. `unwanted` are to be
    deleted: strays, duplicates, and optional ones that make room for required ones. `without_room`
    counts the desired optional ones for which there is no room."""

    unchanged: Mapping[DesiredSubscription, Subscription]
    unverified: Mapping[DesiredSubscription, Sequence[Subscription]]
    missing: Sequence[Missing]
    unwanted: Sequence[Subscription]
    without_room: int = 0


def is_needed_meanwhile(former: Subscription) -> bool:
    """Whether a subscription on a former transport remains until its successor is enabled. Events
    may still arrive at a former callback. From a former conduit none arrive: only a worker that is
    set to use the conduit opens its WebSocket."""
    return former.is_enabled and former.callback is not None


def plan(
    streamers: Iterable[Streamer],
    subscriptions: Iterable[Subscription],
    transport: Transport,
    *,
    room: int,
    updates: bool = False,
    adopts: bool = True,
    callbacks: Collection[str] = (),
) -> Plan:
    """What to keep, create and delete. The streamers monitored longest come first.

    `room` is the cost that Twitch's limit leaves. With `updates`, `channel.update` is wanted too.
    With `adopts`, subscriptions whose secret is unknown are assumed to be signed with ours.

    Our subscriptions are those on `transport`, and, as the settings may have changed, those on one
    of our `callbacks` and those whose ids we stored. All others are not touched.
    """
    streamers = sorted(streamers, key=lambda streamer: streamer.added_at)
    planner = _Planner(streamers, subscriptions, transport, callbacks, adopts=adopts)
    required, optional = _by_importance(streamers, updates=updates)
    planner.remove_strays({wanted for _, wanted in (*required, *optional)})
    for streamer, wanted in required:
        planner.add(streamer, wanted)
    room += planner.freed - len(planner.missing)
    for streamer, wanted in optional:
        room = planner.add_if_room(streamer, wanted, room)
    planner.make_room(room)
    planner.remove_strays(set())
    return Plan(
        planner.unchanged,
        planner.unverified,
        planner.missing,
        planner.unwanted,
        planner.without_room,
    )


class _Planner:
    """Collects the parts of a plan."""

    def __init__(
        self,
        streamers: Sequence[Streamer],
        subscriptions: Iterable[Subscription],
        transport: Transport,
        callbacks: Collection[str],
        *,
        adopts: bool,
    ) -> None:
        self.unchanged: dict[DesiredSubscription, Subscription] = {}
        self.unverified: dict[DesiredSubscription, Sequence[Subscription]] = {}
        self.missing: list[Missing] = []
        self.unwanted: list[Subscription] = []
        self.without_room = 0
        self._transport = transport
        self._accepted = {transport.fingerprint, None} if adopts else {transport.fingerprint}
        self._known = {
            subscription_id
            for streamer in streamers
            for subscription_id in streamer.subscription_ids.values()
        }
        """The ids that we stored when we created the subscriptions."""
        self._slots: defaultdict[DesiredSubscription | None, list[Subscription]] = defaultdict(list)
        for subscription in subscriptions:
            is_former = subscription.id in self._known or subscription.callback in callbacks
            if transport.carries(subscription) or is_former:
                self._slots[slot_of(subscription)].append(subscription)

    @property
    def freed(self) -> int:
        """The total cost of the subscriptions that the plan deletes so far."""
        replaced = (old for item in self.missing for old in (*item.blocking, *item.replaced))
        return sum(old.cost for old in (*self.unwanted, *replaced))

    def add(self, streamer: Streamer, wanted: DesiredSubscription) -> None:
        """Keep the best subscription in this slot and delete the others, or create one."""
        found = self._slots.pop(wanted, [])
        usable = self._usable(streamer, found)
        if usable:
            self._keep(wanted, min(usable, key=self._rank), found)
            return
        # A record has one secret fingerprint for all its subscriptions. If the secret has changed
        # too, a former subscription in the record would make the new ones look signed with the
        # former secret, so all are deleted first.
        deletes_all = self._is_outdated(streamer)
        blocking = [old for old in found if deletes_all or self._transport.carries(old)]
        replaced = [old for old in found if old not in blocking]
        self.missing.append(Missing(wanted, tuple(blocking), tuple(replaced)))

    def add_if_room(self, streamer: Streamer, wanted: DesiredSubscription, room: int) -> int:
        """Do the same as `add` if there is room. Returns the room that is left."""
        found = self._slots[wanted]
        if self._usable(streamer, found):
            self.add(streamer, wanted)
            return room
        left = room + sum(old.cost for old in found) - 1
        if left < 0:
            self.without_room += 1  # the last `remove_strays` clears its slot
            return room
        self.add(streamer, wanted)
        return left

    def make_room(self, room: int) -> None:
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
        """Delete our subscriptions that are in none of the slots `wanted`."""
        for slot in [slot for slot in self._slots if slot not in wanted]:
            self.unwanted += self._slots.pop(slot)

    def _keep(
        self, wanted: DesiredSubscription, best: Subscription, found: Iterable[Subscription]
    ) -> None:
        """Keep the best of the subscriptions that were found in a slot, and what is needed until it
        is verified."""
        others = [other for other in found if other is not best]
        if best.is_enabled or best.id in self._known:
            self.unchanged[wanted] = best
            self.unwanted += others
            return
        needed = [other for other in others if is_needed_meanwhile(other)]
        self.unverified[wanted] = needed
        self.unwanted += [other for other in others if other not in needed]

    def _is_outdated(self, streamer: Streamer) -> bool:
        """Whether the webhook secret has changed since the streamer's subscriptions were made."""
        return (
            isinstance(self._transport, WebhookTransport)
            and streamer.signed_with not in self._accepted
        )

    def _usable(self, streamer: Streamer, found: Iterable[Subscription]) -> list[Subscription]:
        if self._is_outdated(streamer):
            return []
        return [
            existing
            for existing in found
            if self._transport.carries(existing) and existing.is_alive
        ]

    def _rank(self, subscription: Subscription) -> tuple[bool, bool, datetime, str]:
        """The order in which duplicates are preferred: enabled, known to us, the oldest."""
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
