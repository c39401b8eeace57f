"""Claims deliveries that are due and sends them, each target in its own threads.

Several dispatchers may run at the same time, in several processes. A target that does not answer
blocks only its own threads, until MAX_ATTEMPTS attempts run: then the others wait for a thread that
has ended its attempt.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock

from streamwatch.domain.notifications.models import (
    MAX_FINISHED,
    MAX_FINISHED_DAYS,
    Delivery,
    DeliveryStatus,
    Notification,
)
from streamwatch.domain.notifications.retries import GIVE_UP_AFTER
from streamwatch.services.monitoring.counters import SharedCounters
from streamwatch.services.notifications.attempt import AttemptOutcome, DeliveryAttempt
from streamwatch.services.notifications.switching import switch_off
from streamwatch.services.notifications.threads import DaemonThreads
from streamwatch.storage.base import StorageError
from streamwatch.storage.notifications import NotificationStore

log = logging.getLogger(__name__)

CLAIM = timedelta(seconds=30)
"""How long a claim is valid: longer than any attempt takes. The claims of a worker that died end
after this time."""

MAX_ATTEMPTS = 200
"""How many attempts of a process may run at the same time. Each has a thread and, for moments, a
connection to the storage."""

_TRIM_SECONDS = 60.0
_SAVE_AGAIN_SECONDS = 0.5


class Dispatcher:
    """Starts the attempts of due deliveries. The worker calls `run_once` repeatedly."""

    def __init__(
        self,
        store: NotificationStore,
        attempt: DeliveryAttempt,
        counters: SharedCounters,
        clock: Callable[[], datetime],
        submit: Callable[[Callable[[], None]], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`submit` runs a function, by default in a new thread."""
        self._store = store
        self._attempt = attempt
        self._counters = counters
        self._clock = clock
        self._submit = submit or DaemonThreads("notification").submit
        self._sleep = sleep
        self._trimmed_at: datetime | None = None
        self._lock = Lock()
        self._running = 0
        self._is_full = False
        """Whether targets waited for a free thread when attempts were last started."""

    def run_once(self) -> int:
        """Start the attempts that are due, as many as there is room for. Returns their number.
        Raises StorageError."""
        self._trim()
        started = 0
        self._is_full = False
        for notification_id in self._store.due(self._clock()):
            free = MAX_ATTEMPTS - self._running
            if free <= 0:
                self._is_full = True
                break
            notification = self._store.get(notification_id)
            if notification is not None:
                started += self._start(notification, free)
        return started

    def _start(self, notification: Notification, free: int) -> int:
        """Start at most `free` attempts of a target. Returns their number."""
        at_once = self._attempt.sender(notification).at_once
        claimed = self._claim(notification, min(at_once, free))
        for delivery in claimed:
            self._submit(lambda d=delivery: self._work(notification, d))  # type: ignore[misc]
            with self._lock:  # not before: no thread may have started
                self._running += 1
        return len(claimed)

    def _claim(self, notification: Notification, count: int) -> list[Delivery]:
        now = self._clock()
        at_once = self._attempt.sender(notification).at_once
        return self._store.claim(notification.id, now, now + CLAIM, at_once, count)

    def _work(self, notification: Notification, delivery: Delivery) -> None:
        """Attempt a delivery, then the other due deliveries of its target, unless other targets
        wait for a thread."""
        try:
            self._attempt_and_save(notification, delivery)
            while not self._is_full and (fresh := self._store.get(notification.id)) is not None:
                claimed = self._claim(fresh, 1)
                if not claimed:
                    return
                self._attempt_and_save(fresh, claimed[0])
        except StorageError as error:
            log.warning("Deliveries of %s wait for the storage: %s", notification.id, error)
        except Exception:
            log.exception("Deliveries of %s failed", notification.id)
        finally:
            with self._lock:
                self._running -= 1

    def _attempt_and_save(self, notification: Notification, delivery: Delivery) -> None:
        deadline = self._clock() + CLAIM
        try:
            outcome = self._attempt.run(notification, delivery)
        except StorageError:
            raise
        except Exception as error:
            log.exception("Delivery %s failed", delivery.id)
            outcome = self._attempt.failed(delivery, error)
        if self._save(outcome, deadline):
            self._follow_up(notification, outcome)

    def _save(self, outcome: AttemptOutcome, deadline: datetime) -> bool:
        """Save the outcome of an attempt. While the storage does not answer, try again until the
        claim ends, so that a message that was sent is not sent again."""
        saved = replace(outcome.delivery, version=outcome.delivery.version + 1)
        while True:
            try:
                return self._store.save(saved, outcome.attempted)
            except StorageError:
                if self._clock() >= deadline:
                    raise
                self._sleep(_SAVE_AGAIN_SECONDS)

    def _follow_up(self, notification: Notification, outcome: AttemptOutcome) -> None:
        """Count a finished delivery, and switch off a notification whose target is gone."""
        delivery = outcome.delivery
        if delivery.status.is_finished and not delivery.is_test:
            self._counters.count(f"{notification.kind} {delivery.status}")
        if outcome.is_gone:
            is_410 = delivery.status_code == HTTPStatus.GONE
            reason = "the receiver answered 410: it wants no more" if is_410 else delivery.error
            self._switch_off(notification, str(reason))
        elif outcome.attempted.failed and not outcome.is_final:
            self._give_up_if_dead(notification)

    def _give_up_if_dead(self, notification: Notification) -> None:
        queue = self._store.queues([notification.id])[notification.id]
        since = queue.failing_since
        if since is not None and self._clock() - since >= GIVE_UP_AFTER:
            self._switch_off(notification, "every attempt of five days failed")

    def _switch_off(self, notification: Notification, reason: str) -> None:
        failed = switch_off(self._store, notification, reason, self._clock())
        self._counters.count(f"{notification.kind} {DeliveryStatus.FAILED}", failed)

    def _trim(self) -> None:
        """Delete old finished deliveries, once a minute."""
        now = self._clock()
        if self._trimmed_at and now - self._trimmed_at < timedelta(seconds=_TRIM_SECONDS):
            return
        self._trimmed_at = now
        before = now - timedelta(days=MAX_FINISHED_DAYS)
        for notification in self._store.all():
            self._store.trim(notification.id, MAX_FINISHED, before)
