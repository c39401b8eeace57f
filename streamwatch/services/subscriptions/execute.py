"""Many subscriptions deleted and created, a few at a time."""

import math
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from streamwatch.domain.models import Subscription
from streamwatch.domain.subscriptions import DesiredSubscription, Missing
from streamwatch.twitch.base import (
    SubscriptionExists,
    SubscriptionLimit,
    Twitch,
    TwitchBusy,
    TwitchDenied,
    TwitchError,
    TwitchNotConfigured,
    TwitchUnavailable,
)

T = TypeVar("T")

_AT_ONCE = 4
_PATIENCE = 5
"""So many calls that Twitch did not answer, retries included, mean that it is down."""

_HOPELESS = (TwitchBusy, TwitchDenied, TwitchNotConfigured)
"""What befell one call and would befall the next."""


class ReconciliationExecutor:
    """What came of the work is in `deleted`, by id, in `created`, and in `existing`: what Twitch
    has already (409) although it was not listed. `step` is called after each piece of work; an
    error that it raises ends the work.
    """

    def __init__(
        self, twitch: Twitch, room: int, step: Callable[[], None], seconds: float = math.inf
    ) -> None:
        """`room` is how much more the subscriptions may cost before Twitch's limit is reached;
        `seconds` is how long the work may take."""
        self.deleted: set[str] = set()
        self.created: dict[DesiredSubscription, Subscription] = {}
        self.existing: set[DesiredSubscription] = set()
        self.is_limited = False
        """Whether there was no room for all."""
        self.error: TwitchError | None = None
        """The first thing that went wrong."""
        self._twitch = twitch
        self._room = room
        self._step = step
        self._deadline = time.monotonic() + seconds
        self._lock = Lock()
        self._unanswered = 0
        self._has_given_up = False
        self._is_out_of_time = False

    @property
    def has_more(self) -> bool:
        """Whether time was up while the work went well: another turn would do more of it."""
        return self._is_out_of_time and bool(self.deleted or self.created)

    def delete(self, subscriptions: Iterable[Subscription]) -> None:
        """Delete these."""
        self._each(lambda one: self._may_go_on() and self._delete(one), subscriptions)

    def create(
        self,
        missing: Iterable[Missing],
        subscribe: Callable[[DesiredSubscription], Subscription],
        crowded: Collection[DesiredSubscription],
    ) -> None:
        """Create these, in their order, as far as there is room. Of `crowded` ones Twitch may
        refuse one more whatever it costs.

        What has to go first is deleted right before: for one callback Twitch has no two of a kind.
        No message tells what happens in between, but the next poll does.
        """

        def replace(item: Missing) -> None:
            if not self._may_go_on():
                return
            gone = [self._delete(old) for old in item.instead_of]
            if all(gone):
                self._create(item.wanted, subscribe, is_crowded=item.wanted in crowded)

        self._each(replace, missing)

    def _each(self, work: Callable[[T], object], items: Iterable[T]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(work, items):
                self._step()

    def _may_go_on(self) -> bool:
        if self._has_given_up:
            return False
        if time.monotonic() >= self._deadline:
            self._is_out_of_time = True
        return not self._is_out_of_time

    def _delete(self, subscription: Subscription) -> bool:
        """Whether it is gone."""
        try:
            self._twitch.unsubscribe(subscription.id)
        except TwitchError as error:
            self._went_wrong(error)
            return False
        with self._lock:
            self.deleted.add(subscription.id)
            self._room += subscription.cost
        return True

    def _create(
        self,
        wanted: DesiredSubscription,
        subscribe: Callable[[DesiredSubscription], Subscription],
        *,
        is_crowded: bool,
    ) -> None:
        if not self._take_room():
            return
        cost = 0
        try:
            self.created[wanted] = created = subscribe(wanted)
            cost = created.cost
        except SubscriptionExists:
            self.existing.add(wanted)
        except SubscriptionLimit as error:
            self._went_wrong(error)
            if not is_crowded:
                self._no_room()
                return
        except TwitchError as error:
            self._went_wrong(error)
        with self._lock:
            self._room += 1 - cost

    def _take_room(self) -> bool:
        """Set aside what one subscription costs, if there is that much."""
        with self._lock:
            if self._room > 0:
                self._room -= 1
                return True
            self.is_limited = True
            return False

    def _no_room(self) -> None:
        with self._lock:
            self._room = 0
            self.is_limited = True

    def _went_wrong(self, error: TwitchError) -> None:
        with self._lock:
            self.error = self.error or error
            self._unanswered += isinstance(error, TwitchUnavailable)
            if isinstance(error, _HOPELESS) or self._unanswered >= _PATIENCE:
                self._has_given_up = True
