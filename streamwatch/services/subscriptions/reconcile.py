"""The EventSub subscriptions of this installation: reconciled with the monitored streamers, listed,
deleted."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import count

from streamwatch.domain.models import Streamer, Subscription
from streamwatch.domain.subscriptions import (
    DesiredSubscription,
    Missing,
    Plan,
    Transport,
    desired_subscriptions,
    plan,
    slot_of,
)
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.locks import distributed_lock
from streamwatch.services.monitoring.published_metrics import (
    publish_subscriptions,
    subscription_metrics,
)
from streamwatch.services.subscriptions.eventsub_state import eventsub_state
from streamwatch.services.subscriptions.execute import ReconciliationExecutor
from streamwatch.services.subscriptions.records import save_ids
from streamwatch.services.subscriptions.result import Outcome, Reconciliation, summarize
from streamwatch.services.subscriptions.transport import Method, TransportProvider
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import (
    Shard,
    SubscriptionExists,
    SubscriptionLimit,
    SubscriptionListing,
    Twitch,
    TwitchError,
)

log = logging.getLogger(__name__)

RECONCILE = "reconcile"
"""The job that reconciles the subscriptions."""

TURN_SECONDS = 20.0
"""How long one reconciliation may take after the listing. Thousands of subscriptions must neither
delay the worker's other jobs for minutes, nor an operator's request beyond a proxy's timeout."""

Progress = Callable[[int, int], None]
"""Called after each step with the number of completed steps and their total."""

_SAME_LIMIT = 3
"""Twitch allows this many subscriptions of one type and condition, on any transport:
https://dev.twitch.tv/docs/eventsub/manage-subscriptions/#subscription-limits"""


def _no_progress(_done: int, _total: int) -> None:
    """Default for `progress`: does nothing."""


@dataclass(frozen=True, slots=True)
class ListedConduit:
    """Our conduit and its shards."""

    id: str
    shards: list[Shard]


@dataclass(frozen=True, slots=True)
class Listed:
    """All subscriptions of the application: `ours` use our callback or conduit.
    `updates_without_room` streamers have no subscription to `channel.update` for lack of room."""

    ours: list[Subscription]
    others: list[Subscription]
    webhook_url: str | None
    transport: Method
    conduit: ListedConduit | None
    total_cost: int
    max_total_cost: int
    updates_without_room: int


class Subscriptions:
    """The subscriptions of all monitored streamers.

    While a new webhook secret replaces an older one, messages signed with the older one are still
    accepted, so that none is lost before all subscriptions are created anew. `adopts` says whether
    an unknown subscription may be signed with the present secret. `updates` says whether
    `channel.update` is subscribed to.
    """

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        transports: TransportProvider,
        *,
        adopts: bool = True,
        updates: bool = False,
    ) -> None:
        self._storage = storage
        self._twitch = twitch
        self._transports = transports
        self._adopts = adopts
        self._updates = updates

    @property
    def method(self) -> Method:
        """How events arrive."""
        return self._transports.method

    @property
    def is_enabled(self) -> bool:
        """Whether subscriptions are created at all."""
        return self.method is not Method.NONE

    def reconcile(
        self, progress: Progress = _no_progress, seconds: float = TURN_SECONDS
    ) -> Reconciliation:
        """Create missing subscriptions, replace dead ones, delete strays and duplicates, and save
        the ids. What does not fit into `seconds` is left to the next turn, which is requested.

        Raises TwitchError if Twitch did not list all subscriptions, which changes nothing, and
        AlreadyRunning.
        """
        with distributed_lock(self._storage.coordination, RECONCILE) as check_still_held:
            transport = self._transports.ensure()
            if transport is None:
                log.info("EventSub is off: streamers are only polled")
                return Reconciliation(Outcome.DISABLED)
            try:
                return self._take_turn(transport, check_still_held, progress, seconds)
            except AlreadyRunning:
                # The lock was lost in between, and the results are not saved yet.
                self._storage.coordination.request_job(RECONCILE)
                raise

    def ensure(self, streamers: Iterable[Streamer]) -> None:
        """Create the missing subscriptions of these streamers. One that exists already (409) is
        adopted by the next reconciliation.

        Raises TwitchError if a required one could not be created; the others are.
        """
        transport = self._transports.ensure()
        if transport is None:
            return
        problem: TwitchError | None = None
        for streamer in streamers:
            created: dict[DesiredSubscription, Subscription] = {}
            for wanted in desired_subscriptions(streamer, updates=self._updates):
                if wanted.type in streamer.subscription_ids:
                    continue
                try:
                    created[wanted] = self._twitch.subscribe(wanted, transport)
                except SubscriptionExists:
                    self._storage.coordination.request_job(RECONCILE)
                except SubscriptionLimit as error:
                    problem = error if wanted.is_required else problem
                except TwitchError as error:
                    problem = error
            self._save_ids([streamer], created, set(streamer.subscription_ids.values()), transport)
        if problem is not None:
            raise problem

    def delete(self, streamer: Streamer) -> None:
        """Delete the subscriptions of a streamer who is no longer monitored.

        Raises TwitchError if one could not be deleted; the others are.
        """
        problem: TwitchError | None = None
        for subscription_id in streamer.subscription_ids.values():
            try:
                self._twitch.unsubscribe(subscription_id)
            except TwitchError as error:
                problem = error
        if problem is not None:
            raise problem

    def listing(self) -> Listed:
        """What Twitch has. Raises TwitchError."""
        listing = self._twitch.subscriptions()
        transport = self._transports.current()
        ours = [
            subscription
            for subscription in listing.subscriptions
            if _carries(transport, subscription)
        ]
        others = [
            subscription
            for subscription in listing.subscriptions
            if not _carries(transport, subscription)
        ]
        published = subscription_metrics(self._storage.coordination)
        return Listed(
            ours,
            others,
            self._transports.webhook_url,
            self.method,
            self._listed_conduit(),
            listing.total_cost,
            listing.max_total_cost,
            published.updates_without_room if published else 0,
        )

    def cleanup(self, progress: Progress = _no_progress) -> int:
        """Delete the subscriptions on our callback or conduit; the number of deleted ones. The next
        reconciliation creates the desired ones again. A conduit itself stays.

        Raises TwitchError if one could not be deleted (the others are), and AlreadyRunning.
        """
        transport = self._transports.current()
        return self._delete(lambda subscription: _carries(transport, subscription), progress)

    def delete_all(self, progress: Progress = _no_progress) -> int:
        """The same for all subscriptions of the application, those of other services included."""
        return self._delete(lambda _: True, progress)

    def _take_turn(
        self,
        transport: Transport,
        check_still_held: Callable[[], None],
        progress: Progress,
        seconds: float,
    ) -> Reconciliation:
        listing = self._twitch.subscriptions()
        # Read after the listing, so that the subscriptions of a streamer who is added meanwhile
        # are not taken for strays.
        streamers = self._storage.streamers()
        room = listing.max_total_cost - listing.total_cost
        changes = plan(
            streamers,
            listing.subscriptions,
            transport,
            room=room,
            updates=self._updates,
            adopts=self._adopts,
        )
        missing = self._now_possible(changes.missing)
        after_each = _step(check_still_held, progress, len(changes.unwanted) + len(missing))
        executor = ReconciliationExecutor(
            self._twitch, room, after_each, seconds, self._is_monitored
        )
        check_still_held()
        executor.delete(changes.unwanted)
        executor.create(missing, transport, _full_slots(listing))
        active = {**changes.unchanged, **executor.created, **self._list_existing(executor.existing)}
        unfulfilled = _unfulfilled(changes, executor, active)
        saved = {wanted: one for wanted, one in active.items() if wanted not in executor.unfinished}
        self._save_ids(streamers, saved, _not_replaced(changes, executor), transport)
        self._publish(listing, executor, transport, changes.without_room, unfulfilled)
        if executor.has_more:
            self._storage.coordination.request_job(RECONCILE)
        return summarize(changes, executor, active)

    def _now_possible(self, missing: Iterable[Missing]) -> list[Missing]:
        """Those that can be created now. What another transport delivers still is not replaced
        before the WebSocket is attached to the conduit: events would be lost in between."""
        is_attached = self.method is not Method.CONDUIT or (
            eventsub_state(self._storage.coordination).is_connected
        )
        return [item for item in missing if is_attached or not item.replaced]

    def _is_monitored(self, user_id: str) -> bool:
        return bool(self._storage.streamers_by_id([user_id]))

    def _delete(self, is_meant: Callable[[Subscription], bool], progress: Progress) -> int:
        with distributed_lock(self._storage.coordination, RECONCILE) as check_still_held:
            listing = self._twitch.subscriptions()
            meant = [
                subscription for subscription in listing.subscriptions if is_meant(subscription)
            ]
            after_each = _step(check_still_held, progress, len(meant))
            executor = ReconciliationExecutor(self._twitch, 0, after_each)
            check_still_held()
            executor.delete(meant)
            streamers = self._storage.streamers()
            known = {each for item in streamers for each in item.subscription_ids.values()}
            transport = self._transports.current()
            self._save_ids(streamers, {}, known - executor.deleted, transport)
            self._publish(listing, executor, transport, 0, len(known & executor.deleted))
        log.info("Deleted %d subscriptions", len(executor.deleted))
        if executor.error is not None:
            raise executor.error
        return len(executor.deleted)

    def _listed_conduit(self) -> ListedConduit | None:
        if self.method is not Method.CONDUIT:
            return None
        conduit_id, shards = self._transports.conduit.id(), self._transports.conduit.shards()
        return None if conduit_id is None or shards is None else ListedConduit(conduit_id, shards)

    def _list_existing(
        self, existing: Collection[DesiredSubscription]
    ) -> dict[DesiredSubscription, Subscription]:
        """The subscriptions that Twitch reported as existing although it had not listed them."""
        if not existing:
            return {}
        try:
            listing = self._twitch.subscriptions()
        except TwitchError as error:
            log.warning("Subscriptions that exist already could not be listed: %s", error)
            return {}
        transport = self._transports.current()
        slots = {
            slot_of(subscription): subscription
            for subscription in listing.subscriptions
            if _carries(transport, subscription) and subscription.is_alive
        }
        return {wanted: slots[wanted] for wanted in existing if wanted in slots}

    def _publish(
        self,
        listing: SubscriptionListing,
        executor: ReconciliationExecutor,
        transport: Transport | None,
        without_room: int,
        missing: int,
    ) -> None:
        """Publish what Twitch has after the work; `missing` required subscriptions have room."""
        left = [
            subscription
            for subscription in listing.subscriptions
            if subscription.id not in executor.deleted
        ]
        before = sum(subscription.cost for subscription in listing.subscriptions)
        now = [*left, *executor.created.values()]
        cost = listing.total_cost - before + sum(subscription.cost for subscription in now)
        ours = [subscription for subscription in now if _carries(transport, subscription)]
        publish_subscriptions(
            self._storage.coordination, ours, cost, listing.max_total_cost, without_room, missing
        )

    def _save_ids(
        self,
        streamers: Iterable[Streamer],
        active: dict[DesiredSubscription, Subscription],
        left: Collection[str],
        transport: Transport | None,
    ) -> None:
        """Save the ids, and delete the subscriptions of streamers who were removed meanwhile."""
        fingerprint = transport.fingerprint if transport else None
        orphans = save_ids(self._storage, streamers, active, left, fingerprint)
        for subscription in orphans:
            try:
                self._twitch.unsubscribe(subscription.id)
            except TwitchError as error:
                log.warning("A subscription of a removed streamer is left for now: %s", error)
                self._storage.coordination.request_job(RECONCILE)


def _carries(transport: Transport | None, subscription: Subscription) -> bool:
    return transport is not None and transport.carries(subscription)


def _step(
    check_still_held: Callable[[], None], progress: Progress, total: int
) -> Callable[[], None]:
    """What is called after each of `total` steps."""
    numbers = count(1)

    def step() -> None:
        check_still_held()
        progress(next(numbers), total)

    return step


def _full_slots(listing: SubscriptionListing) -> set[DesiredSubscription]:
    """The slots in which Twitch has as many subscriptions as it allows."""
    slots = Counter(slot_of(subscription) for subscription in listing.subscriptions)
    return {wanted for wanted, number in slots.items() if wanted and number >= _SAME_LIMIT}


def _unfulfilled(
    changes: Plan,
    executor: ReconciliationExecutor,
    active: Mapping[DesiredSubscription, Subscription],
) -> int:
    """How many required subscriptions are missing although there is room for them."""
    if executor.is_limited:
        return 0
    wanted = [item.wanted for item in changes.missing if item.wanted not in executor.obsolete]
    return sum(item.is_required and item not in active for item in wanted)


def _not_replaced(changes: Plan, executor: ReconciliationExecutor) -> set[str]:
    """The ids of what is alive still although it should have been replaced."""
    old = (
        subscription
        for item in changes.missing
        for subscription in (*item.blocking, *item.replaced)
    )
    return {subscription.id for subscription in old if subscription.is_alive} - executor.deleted
