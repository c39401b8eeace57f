"""Deliveries that a user requests: a test, and a finished delivery once more."""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from streamwatch.domain.notifications.models import (
    TEST,
    Delivery,
    DeliveryStatus,
    Notification,
    TargetKind,
)
from streamwatch.domain.notifications.retries import finished, restarted
from streamwatch.services.notifications.bodies import to_body
from streamwatch.services.notifications.errors import (
    ChangedMeanwhile,
    DeliveryPending,
    NotificationOff,
    UnknownDelivery,
    UnknownNotification,
)
from streamwatch.services.notifications.payloads import payload
from streamwatch.services.notifications.samples import sample_event, sample_stream
from streamwatch.storage.notifications import Attempted, NotificationStore

TEST_SECONDS = 18.0
"""How long a test waits for the worker and the receiver; an answer is due within 20 s."""

_CHECK_SECONDS = 0.1
NOT_TAKEN = (
    "no worker sent the test in time: see that the worker runs, and whether the target is busy"
)


class RequestedDeliveries:
    """Adds deliveries to the queue of a notification. The worker sends them."""

    def __init__(
        self,
        store: NotificationStore,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        test_seconds: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._test_seconds = test_seconds

    def test(self, notification: Notification) -> Delivery:
        """Have the worker send a sample go-live now, also while the notification is off. Returns
        the finished delivery, which has failed if it was not sent in time."""
        delivery = self._test_delivery(notification)
        self._store.add_deliveries([delivery])
        deadline = time.monotonic() + self._test_seconds
        while time.monotonic() < deadline:
            self._sleep(_CHECK_SECONDS)
            known = self._known(delivery)
            if known.status.is_finished:
                return known
        return self._give_up(delivery)

    def retry(self, notification: Notification, delivery_id: str) -> Delivery:
        """Send a finished delivery again, whatever kept it from being sent. Raises UnknownDelivery,
        NotificationOff, DeliveryPending and ChangedMeanwhile."""
        known = self._store.delivery(notification.id, delivery_id)
        if known is None:
            raise UnknownDelivery(delivery_id)
        if not notification.enabled:
            raise NotificationOff(notification.name)
        if not known.status.is_finished:
            raise DeliveryPending
        now = self._clock()
        again = replace(restarted(known, now), version=known.version + 1)
        if not self._store.save(again, Attempted(now)):
            raise ChangedMeanwhile
        return again

    def _test_delivery(self, notification: Notification) -> Delivery:
        now = self._clock()
        event, stream = sample_event(now), sample_stream(now)
        body = None
        if notification.kind is TargetKind.WEBHOOK:
            body = to_body(payload(event, event.event_type, None, stream, None))
        delivery_id = f"dlv_{secrets.token_hex(16)}"
        return Delivery(
            id=delivery_id,
            notification_id=notification.id,
            event_type=TEST,
            event=event,
            stream_id=stream.id,
            lane=f"test/{delivery_id}",
            created_at=now,
            next_attempt_at=now,
            body=body,
        )

    def _give_up(self, delivery: Delivery) -> Delivery:
        """Let a test fail, unless it finishes meanwhile."""
        while True:
            known = self._known(delivery)
            if known.status.is_finished:
                return known
            now = self._clock()
            ended = finished(known, DeliveryStatus.FAILED, NOT_TAKEN, now)
            saved = replace(ended, version=known.version + 1)
            if self._store.save(saved, Attempted(now)):
                return saved

    def _known(self, delivery: Delivery) -> Delivery:
        """The stored delivery. Raises UnknownNotification if it was removed with its
        notification."""
        known = self._store.delivery(delivery.notification_id, delivery.id)
        if known is None:
            raise UnknownNotification(delivery.notification_id)
        return known
