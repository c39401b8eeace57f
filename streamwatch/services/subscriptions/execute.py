"""Executes a plan at Twitch: deletes and creates many subscriptions, a few at a time."""

import math
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock
from typing import TypeVar

from streamwatch.domain.models import Subscription
from streamwatch.domain.progress import Progress
from streamwatch.domain.subscription_plan import Missing, is_needed_meanwhile
from streamwatch.domain.subscriptions import DesiredSubscription, Transport
from streamwatch.twitch.base import (
    SubscriptionExists,
    SubscriptionLimit,
    Twitch,
    TwitchBusy,
    TwitchDenied,
    TwitchError,
    TwitchNotConfigured,
    TwitchRefused,
    TwitchUnavailable,
)

T = TypeVar("T")

MAX_WORKERS = 4
"""Calls to Twitch at once."""

MAX_FAILURES = 5
"""After this many calls without an answer, retries included, Twitch counts as down."""

FATAL_ERRORS = (TwitchBusy, TwitchDenied, TwitchNotConfigured)
"""Errors that the next call would meet as well."""


def after_each_step(
    total: int, check_still_held: Callable[[], None], progress: Progress
) -> Callable[[], None]:
    """A function to call after each of `total` steps: checks the lock, and reports the progress."""
    numbers = count(1)

    def after_each() -> None:
        check_still_held()
        progress(next(numbers), total)

    return after_each


class ReconciliationExecutor:
    """Deletes and creates subscriptions, and remembers the results.

    `deleted` holds ids, `created` the new subscriptions, `existing` those that Twitch reported as
    existing (409) although the listing did not contain them, `unfinished` those that were created
    but whose predecessor on another transport is not deleted yet, `recreated` those whose
    predecessor had failed verification, and that are not enabled yet, and `obsolete` those of
    users who were removed meanwhile.
    """

    def __init__(
        self,
        twitch: Twitch,
        room: int,
        after_each: Callable[[], None],
        seconds: float = math.inf,
        is_monitored: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """`room` is the cost that Twitch's limit leaves; `seconds` is how long the work may take.
        `after_each` is called after each step, and ends the work by raising. `is_monitored` tells
        whether a user is still monitored: someone may be removed during the work."""
        self.deleted: set[str] = set()
        self.created: dict[DesiredSubscription, Subscription] = {}
        self.existing: set[DesiredSubscription] = set()
        self.unfinished: set[DesiredSubscription] = set()
        self.recreated: set[DesiredSubscription] = set()
        self.obsolete: set[DesiredSubscription] = set()
        self.is_limited = False
        """Whether some could not be created for lack of room."""
        self.error: TwitchError | None = None
        """The first error."""
        self.refusals = 0
        """How many calls Twitch refused."""
        self._twitch = twitch
        self._room = room
        self._after_each = after_each
        self._is_monitored = is_monitored
        self._deadline = time.monotonic() + seconds
        self._lock = Lock()
        self._failures = 0
        self._has_given_up = False
        self._is_out_of_time = False

    @property
    def has_more(self) -> bool:
        """Whether time ran out while the work succeeded: another turn would get further. One that
        only replaced subscriptions whose verification failed would replace the same ones again."""
        is_new = bool(self.created.keys() - self.recreated)
        return self._is_out_of_time and (is_new or bool(self.deleted and not self.recreated))

    def delete(self, subscriptions: Iterable[Subscription]) -> None:
        """Delete these subscriptions."""
        self._for_each(lambda item: self._may_continue() and self._delete(item), subscriptions)

    def create(
        self,
        missing: Iterable[Missing],
        transport: Transport,
        full_slots: Collection[DesiredSubscription],
    ) -> None:
        """Create the missing subscriptions on `transport`, in order, as far as there is room. In
        `full_slots` Twitch has as many of the type and condition as it allows.

        What blocks a slot is deleted right before, because Twitch allows one subscription of a kind
        on a transport; the next poll finds what happens in between. What another transport still
        delivers is deleted once the new one is enabled, unless a limit requires to delete it first.
        """

        def replace(item: Missing) -> None:
            if not self._may_continue():
                return
            if not self._is_monitored(item.wanted.user_id):
                self.obsolete.add(item.wanted)
                return
            is_full = item.wanted in full_slots
            creates_first = bool(item.replaced) and not is_full and self._room > 0
            first = item.blocking if creates_first else (*item.blocking, *item.replaced)
            if not self._delete_each(first):
                return
            self._create(item.wanted, transport, is_full=is_full)
            if item.wanted in self.created or item.wanted in self.existing:
                self._finish(item)

        self._for_each(replace, missing)

    def _for_each(self, work: Callable[[T], object], items: Iterable[T]) -> None:
        with ThreadPoolExecutor(MAX_WORKERS) as pool:
            for _ in pool.map(work, items):
                self._after_each()

    def _may_continue(self) -> bool:
        if self._has_given_up:
            return False
        if time.monotonic() >= self._deadline:
            self._is_out_of_time = True
        return not self._is_out_of_time

    def _delete_each(self, subscriptions: Iterable[Subscription]) -> bool:
        """Whether all of these are deleted; one failure does not stop the others."""
        results = [self._delete(subscription) for subscription in subscriptions]
        return all(results)

    def _delete(self, subscription: Subscription) -> bool:
        """Whether the subscription is deleted."""
        try:
            self._twitch.unsubscribe(subscription.id)
        except TwitchError as error:
            self._record_error(error)
            return False
        with self._lock:
            self.deleted.add(subscription.id)
            self._room += subscription.cost
        return True

    def _create(self, wanted: DesiredSubscription, transport: Transport, *, is_full: bool) -> None:
        if not self._take_room():
            return
        cost = 0
        try:
            created = self._twitch.subscribe(wanted, transport)
            cost = created.cost
            self._record_created(wanted, created)
        except SubscriptionExists:
            self.existing.add(wanted)
        except SubscriptionLimit as error:
            self._record_error(error)
            if not is_full:
                self._close_room()
                return
        except TwitchError as error:
            self._record_error(error)
        with self._lock:
            self._room += 1 - cost

    def _finish(self, item: Missing) -> None:
        """Delete what the new subscription replaces, as far as it is not needed meanwhile."""
        created = self.created.get(item.wanted)
        is_pending = created is not None and not created.is_enabled
        remaining = [old for old in item.replaced if old.id not in self.deleted]
        needed = [old for old in remaining if is_pending and is_needed_meanwhile(old)]
        is_deleted = self._delete_each(old for old in remaining if old not in needed)
        if is_pending and any(old.has_failed_verification for old in item.blocking):
            self.recreated.add(item.wanted)
        elif needed or not is_deleted:
            self.unfinished.add(item.wanted)

    def _record_created(self, wanted: DesiredSubscription, created: Subscription) -> None:
        """Record a new subscription, or delete it if the streamer was removed during the call."""
        if self._is_monitored(wanted.user_id):
            self.created[wanted] = created
        else:
            self.obsolete.add(wanted)
            self._delete(created)

    def _take_room(self) -> bool:
        """Reserve the cost of one subscription, if there is room for it."""
        with self._lock:
            if self._room > 0:
                self._room -= 1
                return True
            self.is_limited = True
            return False

    def _close_room(self) -> None:
        """Assume no more room, after Twitch has refused a subscription for lack of it."""
        with self._lock:
            self._room = 0
            self.is_limited = True

    def _record_error(self, error: TwitchError) -> None:
        with self._lock:
            self.error = self.error or error
            self._failures += isinstance(error, TwitchUnavailable)
            self.refusals += isinstance(error, TwitchRefused)
            if isinstance(error, FATAL_ERRORS) or self._failures >= MAX_FAILURES:
                self._has_given_up = True
