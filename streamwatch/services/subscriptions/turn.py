"""One turn of the reconciliation: list, plan, execute, save the ids, publish the result."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from streamwatch.domain.models import Subscription
from streamwatch.domain.progress import Progress
from streamwatch.domain.subscription_plan import Missing, Plan, plan
from streamwatch.domain.subscriptions import (
    DesiredSubscription,
    Transport,
    WebhookTransport,
    slot_of,
)
from streamwatch.services.subscriptions.eventsub_state import eventsub_state
from streamwatch.services.subscriptions.execute import ReconciliationExecutor, after_each_step
from streamwatch.services.subscriptions.records import SubscriptionRecords
from streamwatch.services.subscriptions.result import (
    Outcome,
    Reconciliation,
    publish,
    summarize,
)
from streamwatch.services.subscriptions.transport import is_carried
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import SubscriptionListing, Twitch, TwitchError

log = logging.getLogger(__name__)

_SAME_LIMIT = 3
"""Twitch allows this many subscriptions of one type and condition, on any transport:
https://dev.twitch.tv/docs/eventsub/manage-subscriptions/#subscription-limits"""


class ReconciliationTurn:
    """Reconciles the subscriptions on one transport. The caller holds the lock."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        transport: Transport,
        records: SubscriptionRecords,
        *,
        adopts: bool,
        updates: bool,
    ) -> None:
        """`adopts` and `updates` are those of `plan`."""
        self._storage = storage
        self._twitch = twitch
        self._transport = transport
        self._records = records
        self._adopts = adopts
        self._updates = updates

    def run(
        self, check_still_held: Callable[[], None], progress: Progress, seconds: float
    ) -> Reconciliation:
        """Reconcile once. Takes about `seconds` after the listing."""
        listing = self._twitch.subscriptions()
        # Read after the listing, so that the subscriptions of a streamer who is added meanwhile
        # are not taken for strays.
        streamers = self._storage.streamers()
        room = listing.max_total_cost - listing.total_cost
        changes = plan(
            streamers,
            listing.subscriptions,
            self._transport,
            room=room,
            updates=self._updates,
            adopts=self._adopts,
            callbacks=self._update_callbacks(listing),
        )
        missing = self._possible_now(changes.missing)
        steps = len(changes.unwanted) + len(missing)
        executor = ReconciliationExecutor(
            self._twitch,
            room,
            after_each_step(steps, check_still_held, progress),
            seconds,
            self._is_monitored,
        )
        check_still_held()
        executor.delete(changes.unwanted)
        executor.create(missing, self._transport, _full_slots(listing))
        active = self._active(changes, executor)
        saved = {
            wanted: existing
            for wanted, existing in active.items()
            if wanted not in executor.unfinished
        }
        not_replaced = _not_replaced(changes, executor)
        self._records.save(streamers, saved, not_replaced, self._transport)
        publish(
            self._storage.coordination,
            listing,
            executor,
            self._transport,
            changes.without_room,
            _unfulfilled(changes, executor, active),
        )
        result = summarize(changes, executor, active)
        if result.status is Outcome.HEALTHY:  # a former callback has no subscriptions of ours now
            self._storage.coordination.save_webhook_callbacks(self._current_callbacks)
        return result

    @property
    def _current_callbacks(self) -> set[str]:
        """The callback of the present transport, as a set; empty with a conduit."""
        if isinstance(self._transport, WebhookTransport):
            return {self._transport.callback}
        return set()

    def _update_callbacks(self, listing: SubscriptionListing) -> set[str]:
        """Store, and return, the present callback and the former ones with subscriptions.

        Subscriptions that Twitch has not verified are in no record: only their callback tells that
        they are ours, should `WEBHOOK_URL` change again.
        """
        coordination = self._storage.coordination
        known = coordination.webhook_callbacks()
        listed = {subscription.callback for subscription in listing.subscriptions}
        own = (known & listed) | self._current_callbacks
        if own != known:
            coordination.save_webhook_callbacks(own)
        return own

    def _active(
        self, changes: Plan, executor: ReconciliationExecutor
    ) -> dict[DesiredSubscription, Subscription]:
        """The active subscriptions. A callback that could not be verified probably cannot be
        verified now either: what was created again is not active until Twitch lists it as enabled.
        """
        created = {
            wanted: subscription
            for wanted, subscription in executor.created.items()
            if wanted not in executor.recreated
        }
        return {**changes.unchanged, **created, **self._list_existing(executor.existing)}

    def _possible_now(self, missing: Iterable[Missing]) -> list[Missing]:
        """The missing subscriptions that can be created now. A subscription on a webhook is not
        replaced before the WebSocket is attached to the conduit: events would be lost in
        between."""
        is_attached = isinstance(self._transport, WebhookTransport) or (
            eventsub_state(self._storage.coordination).is_connected
        )
        return [item for item in missing if is_attached or not item.replaced]

    def _is_monitored(self, user_id: str) -> bool:
        return bool(self._storage.streamers_by_id([user_id]))

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
        slots = {
            slot_of(subscription): subscription
            for subscription in listing.subscriptions
            if is_carried(subscription, self._transport) and subscription.is_alive
        }
        return {wanted: slots[wanted] for wanted in existing if wanted in slots}


def _full_slots(listing: SubscriptionListing) -> set[DesiredSubscription]:
    """The slots in which Twitch has as many subscriptions as it allows."""
    slots = Counter(slot_of(subscription) for subscription in listing.subscriptions)
    return {wanted for wanted, number in slots.items() if wanted and number >= _SAME_LIMIT}


def _unfulfilled(
    changes: Plan,
    executor: ReconciliationExecutor,
    active: Mapping[DesiredSubscription, Subscription],
) -> int:
    """How many required subscriptions are not active although there is room for them."""
    wanted = executor.recreated | changes.unverified.keys()
    if not executor.is_limited:
        wanted |= {item.wanted for item in changes.missing} - executor.obsolete
    return sum(item.is_required and item not in active for item in wanted)


def _not_replaced(changes: Plan, executor: ReconciliationExecutor) -> set[str]:
    """The ids of subscriptions that still exist although they should have been replaced."""
    old = [
        *(old for item in changes.missing for old in (*item.blocking, *item.replaced)),
        *(old for needed in changes.unverified.values() for old in needed),
    ]
    return {subscription.id for subscription in old if subscription.is_alive} - executor.deleted
