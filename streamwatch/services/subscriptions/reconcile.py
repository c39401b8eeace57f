"""The EventSub subscriptions of this installation: reconciled with the monitored streamers, listed,
deleted."""

import logging
from collections.abc import Callable, Iterable

from streamwatch.domain.models import Streamer, Subscription
from streamwatch.domain.progress import Progress, no_progress
from streamwatch.domain.subscriptions import DesiredSubscription, desired_subscriptions
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.locks import distributed_lock
from streamwatch.services.subscriptions.execute import ReconciliationExecutor, after_each_step
from streamwatch.services.subscriptions.listing import Listed, list_subscriptions
from streamwatch.services.subscriptions.records import SubscriptionRecords
from streamwatch.services.subscriptions.result import Outcome, Reconciliation, publish
from streamwatch.services.subscriptions.transport import Method, TransportProvider, is_carried
from streamwatch.services.subscriptions.turn import ReconciliationTurn
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import SubscriptionExists, SubscriptionLimit, Twitch, TwitchError

log = logging.getLogger(__name__)

RECONCILE = "reconcile"
"""The job that reconciles the subscriptions."""

TURN_SECONDS = 20.0
"""How long one reconciliation may take after the listing. Thousands of subscriptions must neither
delay the worker's other jobs for minutes, nor an operator's request beyond a proxy's timeout."""


class Subscriptions:
    """The subscriptions of all monitored streamers.

    `adopts` says whether a subscription whose secret is unknown is assumed to be signed with the
    present one. `updates` says whether `channel.update` is subscribed to.
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
        self._records = SubscriptionRecords(storage, twitch, self._request_turn)

    @property
    def method(self) -> Method:
        """How events arrive."""
        return self._transports.method

    @property
    def is_enabled(self) -> bool:
        """Whether subscriptions are created at all."""
        return self.method is not Method.NONE

    def reconcile(
        self, progress: Progress = no_progress, seconds: float = TURN_SECONDS
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
            turn = ReconciliationTurn(
                self._storage,
                self._twitch,
                transport,
                self._records,
                adopts=self._adopts,
                updates=self._updates,
            )
            try:
                result = turn.run(check_still_held, progress, seconds)
            except AlreadyRunning:  # the lock was lost before the results were saved
                self._request_turn()
                raise
            if result.status is Outcome.CONTINUING:
                self._request_turn()
            return result

    def ensure(self, streamers: Iterable[Streamer]) -> None:
        """Create the missing subscriptions of these streamers. A subscription that exists already
        (409) is adopted by the next reconciliation.

        Raises TwitchError if a required subscription could not be created, after creating the
        others.
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
                    self._request_turn()
                except SubscriptionLimit as error:
                    problem = error if wanted.is_required else problem
                except TwitchError as error:
                    problem = error
            known = set(streamer.subscription_ids.values())
            self._records.save([streamer], created, known, transport)
        if problem is not None:
            raise problem

    def delete(self, streamer: Streamer) -> None:
        """Delete the subscriptions of a streamer who is no longer monitored.

        Raises TwitchError if one could not be deleted, after deleting the others.
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
        """All subscriptions of the application. Raises TwitchError."""
        return list_subscriptions(self._twitch, self._transports, self._storage.coordination)

    def cleanup(self, progress: Progress = no_progress) -> int:
        """Delete the subscriptions on our callback or conduit, but not the conduit. Returns how
        many were deleted. The next reconciliation creates the desired ones again.

        Raises TwitchError if one could not be deleted, after deleting the others, and
        AlreadyRunning.
        """
        transport = self._transports.current()
        return self._delete(lambda subscription: is_carried(subscription, transport), progress)

    def delete_all(self, progress: Progress = no_progress) -> int:
        """Do the same as `cleanup` for all subscriptions of the application, also those of other
        services."""
        return self._delete(lambda _: True, progress)

    def _request_turn(self) -> None:
        self._storage.coordination.request_job(RECONCILE)

    def _delete(self, is_chosen: Callable[[Subscription], bool], progress: Progress) -> int:
        with distributed_lock(self._storage.coordination, RECONCILE) as check_still_held:
            listing = self._twitch.subscriptions()
            chosen = [each for each in listing.subscriptions if is_chosen(each)]
            after_each = after_each_step(len(chosen), check_still_held, progress)
            executor = ReconciliationExecutor(self._twitch, 0, after_each)
            check_still_held()
            executor.delete(chosen)
            streamers = self._storage.streamers()
            known = {each for item in streamers for each in item.subscription_ids.values()}
            transport = self._transports.current()
            self._records.save(streamers, {}, known - executor.deleted, transport)
            missing = len(known & executor.deleted)
            publish(self._storage.coordination, listing, executor, transport, 0, missing)
        log.info("Deleted %d subscriptions", len(executor.deleted))
        if executor.error is not None:
            raise executor.error
        return len(executor.deleted)
