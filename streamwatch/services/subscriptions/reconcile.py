"""The EventSub subscriptions: from what Twitch has to what is wanted."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from streamwatch.domain.models import Streamer, Subscription
from streamwatch.domain.subscriptions import (
    DesiredSubscription,
    Plan,
    desired_subscriptions,
    noted,
    place,
    plan,
    secret_fingerprint,
)
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.locks import distributed_lock
from streamwatch.services.monitoring.published_metrics import publish_subscriptions
from streamwatch.services.subscriptions.execute import ReconciliationExecutor
from streamwatch.services.subscriptions.result import Outcome, Reconciliation, told
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import (
    Subscribe,
    SubscriptionExists,
    SubscriptionListing,
    Twitch,
    TwitchError,
)

log = logging.getLogger(__name__)

RECONCILE = "reconcile"
"""The job that makes what Twitch has what is wanted."""

TURN_SECONDS = 20.0
"""How long a reconciliation may take after the listing: thousands of subscriptions neither hold up
the worker's other jobs for minutes, nor an operator's request for longer than proxies wait."""

Progress = Callable[[int, int], None]
"""Called after each piece of work how many are done, and of how many."""

_SAME_LIMIT = 3
"""So many of one type and condition Twitch allows, whatever their callbacks:
https://dev.twitch.tv/docs/eventsub/manage-subscriptions/#subscription-limits"""


def _untold(done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Listed:
    """All subscriptions of the application: `ours` are for our callback."""

    ours: list[Subscription]
    others: list[Subscription]
    webhook_url: str | None
    total_cost: int
    max_total_cost: int


class Subscriptions:
    """What Twitch is asked to tell us. Without a webhook URL, nothing.

    The first of `secrets` signs. While it replaces an older one, messages that were signed with
    that are still accepted, so that none is lost before all subscriptions are made anew. `adopts`
    says whether a subscription that we know nothing of may be signed with it.
    """

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        webhook_url: str | None,
        secrets: Sequence[str],
        *,
        adopts: bool = True,
    ) -> None:
        self._storage = storage
        self._twitch = twitch
        self._webhook_url = webhook_url
        self._secret = secrets[0]
        self._mark = secret_fingerprint(secrets[0])
        self._adopts = adopts

    def reconcile(
        self, progress: Progress = _untold, seconds: float = TURN_SECONDS
    ) -> Reconciliation:
        """Create what is missing, replace what is dead, delete strays and duplicates, and note down
        what stands. What there is no time for is left to the next turn, which is asked for.

        Raises TwitchError where Twitch did not list all, which changes nothing, and AlreadyRunning.
        """
        url = self._webhook_url
        if url is None:
            log.info("No WEBHOOK_URL: Twitch is polled, and nothing subscribed to")
            return Reconciliation(Outcome.DISABLED)
        with distributed_lock(self._storage.coordination, RECONCILE) as hold:
            try:
                return self._take_turn(url, hold, progress, seconds)
            except AlreadyRunning:
                # Lost on the way: what was done is not noted down yet.
                self._storage.coordination.request_job(RECONCILE)
                raise

    def cover(self, streamers: Iterable[Streamer]) -> None:
        """Create what these lack. What exists already (409) a reconciliation adopts.

        Raises TwitchError where something could not be created; the rest is.
        """
        if self._webhook_url is None:
            return
        subscribe = self._subscriber(self._webhook_url)
        problem: TwitchError | None = None
        for streamer in streamers:
            created: dict[DesiredSubscription, Subscription] = {}
            for wanted in desired_subscriptions(streamer):
                if wanted.type in streamer.subscription_ids:
                    continue
                try:
                    created[wanted] = subscribe(wanted)
                except SubscriptionExists:
                    self._storage.coordination.request_job(RECONCILE)
                except TwitchError as error:
                    problem = error
            self._note_down([streamer], created, set(streamer.subscription_ids.values()))
        if problem is not None:
            raise problem

    def release(self, streamer: Streamer) -> None:
        """Delete those of a streamer who is no longer monitored.

        Raises TwitchError where one could not be deleted; the other is.
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
        ours: list[Subscription] = []
        others: list[Subscription] = []
        for subscription in listing.subscriptions:
            (ours if self._is_ours(subscription) else others).append(subscription)
        return Listed(ours, others, self._webhook_url, listing.total_cost, listing.max_total_cost)

    def cleanup(self, progress: Progress = _untold) -> int:
        """Delete those for our callback; how many. The next reconciliation creates what is wanted.

        Raises TwitchError where one could not be deleted; the others are. And AlreadyRunning.
        """
        return self._delete(self._is_ours, progress)

    def delete_all(self, progress: Progress = _untold) -> int:
        """The same for all of the application, those of other services included."""
        return self._delete(lambda _: True, progress)

    def _take_turn(
        self, url: str, hold: Callable[[], None], progress: Progress, seconds: float
    ) -> Reconciliation:
        listing = self._twitch.subscriptions()
        # Read after the listing: of a streamer who is added meanwhile nothing is then taken
        # for a stray.
        streamers = self._storage.streamers()
        todo = plan(streamers, listing.subscriptions, url, self._mark, adopts=self._adopts)
        room = listing.max_total_cost - listing.total_cost
        step = _step(hold, progress, len(todo.unwanted) + len(todo.missing))
        mender = ReconciliationExecutor(self._twitch, room, step, seconds)
        hold()
        mender.delete(todo.unwanted)
        mender.create(todo.missing, self._subscriber(url), _crowded(listing))
        standing = {**todo.kept, **mender.created, **self._find(mender.existing)}
        self._note_down(streamers, standing, _left_over(todo, mender))
        self._tell(listing, mender)
        if mender.has_more:
            self._storage.coordination.request_job(RECONCILE)
        return told(todo, mender, standing)

    def _delete(self, is_meant: Callable[[Subscription], bool], progress: Progress) -> int:
        with distributed_lock(self._storage.coordination, RECONCILE) as hold:
            listing = self._twitch.subscriptions()
            meant = [one for one in listing.subscriptions if is_meant(one)]
            mender = ReconciliationExecutor(self._twitch, 0, _step(hold, progress, len(meant)))
            hold()
            mender.delete(meant)
            streamers = self._storage.streamers()
            known = {one for item in streamers for one in item.subscription_ids.values()}
            self._note_down(streamers, {}, known - mender.deleted)
            self._tell(listing, mender)
        log.info("Deleted %d subscriptions", len(mender.deleted))
        if mender.error is not None:
            raise mender.error
        return len(mender.deleted)

    def _subscriber(self, url: str) -> Callable[[DesiredSubscription], Subscription]:
        def subscribe(wanted: DesiredSubscription) -> Subscription:
            return self._twitch.subscribe(Subscribe(wanted.type, wanted.user_id, url, self._secret))

        return subscribe

    def _is_ours(self, subscription: Subscription) -> bool:
        return self._webhook_url is not None and subscription.callback == self._webhook_url

    def _find(
        self, existing: Collection[DesiredSubscription]
    ) -> dict[DesiredSubscription, Subscription]:
        """The subscriptions that Twitch had already, though it had not listed them."""
        if not existing:
            return {}
        try:
            ours = self.listing().ours
        except TwitchError as error:
            log.warning("Subscriptions that exist already could not be listed: %s", error)
            return {}
        places = {
            place(subscription): subscription for subscription in ours if subscription.is_alive
        }
        return {wanted: places[wanted] for wanted in existing if wanted in places}

    def _tell(self, listing: SubscriptionListing, mender: ReconciliationExecutor) -> None:
        """Publish what Twitch has after the work."""
        left = [one for one in listing.subscriptions if one.id not in mender.deleted]
        before = sum(one.cost for one in listing.subscriptions)
        now = [*left, *mender.created.values()]
        cost = listing.total_cost - before + sum(one.cost for one in now)
        ours = [one for one in now if self._is_ours(one)]
        publish_subscriptions(self._storage.coordination, ours, cost, listing.max_total_cost)

    def _note_down(
        self,
        streamers: Iterable[Streamer],
        standing: Mapping[DesiredSubscription, Subscription],
        left: Collection[str],
    ) -> None:
        """Write down, of these, the ids of what stands; and those `left` from before, which keep
        their mark, so that they are still known as ours and to be replaced."""
        changed = []
        # Read again: what else is in the records may have changed since.
        ids = [streamer.user_id for streamer in streamers]
        for streamer in self._storage.streamers_by_id(ids).values():
            old = {
                event_type: known
                for event_type, known in streamer.subscription_ids.items()
                if known in left
            }
            new = {
                wanted.type: standing[wanted].id
                for wanted in desired_subscriptions(streamer)
                if wanted in standing
            }
            mark = streamer.signed_with if old.keys() - new.keys() else self._mark
            now = noted(streamer, old | new, mark)
            if now != streamer:
                changed.append(now)
        if changed:
            self._storage.update_streamers(changed)


def _step(hold: Callable[[], None], progress: Progress, total: int) -> Callable[[], None]:
    """What is done after each of `total` pieces of work."""
    numbers = count(1)

    def step() -> None:
        hold()
        progress(next(numbers), total)

    return step


def _crowded(listing: SubscriptionListing) -> set[DesiredSubscription]:
    """Those of which Twitch has as many as it allows."""
    places = Counter(place(subscription) for subscription in listing.subscriptions)
    return {wanted for wanted, number in places.items() if wanted and number >= _SAME_LIMIT}


def _left_over(todo: Plan, mender: ReconciliationExecutor) -> set[str]:
    """Ids of what is alive and should have been replaced."""
    replaced = {old.id for item in todo.missing for old in item.instead_of if old.is_alive}
    return replaced - mender.deleted
