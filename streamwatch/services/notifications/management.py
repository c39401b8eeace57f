"""What users do with notifications: add, change, remove, test, look at deliveries, send again."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from streamwatch.domain.notifications.documents import (
    notification_document,
    settings_document,
    shown_url,
)
from streamwatch.domain.notifications.models import (
    MAX_NOTIFICATIONS,
    TEST,
    Delivery,
    DeliveryStatus,
    Notification,
    SigningSecret,
    TargetKind,
)
from streamwatch.domain.notifications.retries import begun_anew, finished
from streamwatch.domain.notifications.validation import (
    DEFAULTS,
    InvalidNotification,
)
from streamwatch.services.documents import Document
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.bodies import to_body
from streamwatch.services.notifications.errors import (
    ChangedMeanwhile,
    DeliveryPending,
    NoSecret,
    NotificationOff,
    TooManyNotifications,
    UnknownDelivery,
    UnknownNotification,
)
from streamwatch.services.notifications.given_settings import GivenSettings
from streamwatch.services.notifications.payloads import payload
from streamwatch.services.notifications.samples import sample_event, sample_stream
from streamwatch.services.notifications.senders.webhook import new_secret
from streamwatch.services.notifications.switching import finish_pending
from streamwatch.storage.base import Storage
from streamwatch.storage.notifications import Attempted
from streamwatch.twitch.base import Twitch

ROTATION = timedelta(hours=24)
"""For how long a rotated secret signs beside the new one."""

TEST_SECONDS = 18.0
"""How long a test waits for the worker and the receiver; an answer is due within 20 s."""

_LOOK_SECONDS = 0.1
SWITCHED_OFF = "the notification was switched off"
NOT_TAKEN = (
    "no worker sent the test in time: see that the worker runs, and whether the target is busy"
)


@dataclass(frozen=True, slots=True)
class Failing:
    """An enabled notification whose attempts fail, or one that StreamWatch switched off."""

    name: str
    reason: str
    since: datetime | None


class Notifications:
    """All of it for the API, the dashboard and the command line."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        policy: AddressPolicy,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        test_seconds: float = TEST_SECONDS,
    ) -> None:
        self._storage = storage
        self._store = storage.notifications
        self._given = GivenSettings(storage, twitch, policy)
        self._clock = clock
        self._sleep = sleep
        self._test_seconds = test_seconds

    # Reading

    def all(self) -> list[Notification]:
        """The oldest first."""
        return self._store.all()

    def get(self, notification_id: str) -> Notification:
        known = self._store.get(notification_id)
        if known is None:
            raise UnknownNotification(notification_id)
        return known

    def documents(self, notifications: Iterable[Notification]) -> list[Document]:
        """What the API shows of them."""
        notifications = list(notifications)
        logins = self._given.logins(notifications)
        return [
            notification_document(each, self._last_delivery(each), logins) for each in notifications
        ]

    def deliveries(self, notification_id: str, limit: int) -> list[Delivery]:
        """The newest first."""
        self.get(notification_id)
        return self._store.deliveries(notification_id, limit)

    def failing(self) -> list[Failing]:
        """Those that fail now, or were switched off because they did."""
        known = self._store.all()
        queues = self._store.queues([each.id for each in known])
        found = []
        for each in known:
            since = queues[each.id].failing_since
            if each.disabled_reason is not None:
                found.append(Failing(each.name, f"switched off: {each.disabled_reason}", since))
            elif each.enabled and since is not None:
                found.append(Failing(each.name, self._last_error(each), since))
        return found

    # Changing

    def create(self, given: Mapping[str, Any]) -> tuple[Notification, str | None]:
        """A new notification, and its secret if it has one. Raises InvalidNotification,
        TooManyNotifications."""
        settings = self._given.checked({**DEFAULTS, **given}, known=None)
        now = self._clock()
        kind = TargetKind(settings["kind"])
        secret = new_secret() if kind is TargetKind.WEBHOOK else None
        made = Notification(
            id=f"ntf_{secrets.token_hex(8)}",
            created_at=now,
            active_since=now,
            secrets=(SigningSecret(secret),) if secret else (),
            **self._given.fields(settings),
        )
        if not self._store.add(made, MAX_NOTIFICATIONS):
            raise TooManyNotifications(MAX_NOTIFICATIONS)
        return made, secret

    def change(self, notification_id: str, given: Mapping[str, Any]) -> Notification:
        """The notification with other settings. The url as it is shown keeps the url. Switched off,
        its pending deliveries are skipped; switched on, it begins anew from now."""
        known = self.get(notification_id)
        given = dict(given)
        if given.get("url") == shown_url(known.kind, known.url):
            del given["url"]
        if given.get("kind", known.kind) != known.kind:
            raise InvalidNotification({"kind": "Cannot be changed: add a new notification."})
        logins = self._given.logins([known])
        settings = self._given.checked({**settings_document(known, logins), **given}, known)
        now = self._clock()
        changed = replace(known, version=known.version + 1, **self._given.fields(settings, known))
        if changed.enabled:
            changed = replace(changed, disabled_reason=None)
        if changed.enabled and not known.enabled:
            changed = replace(changed, active_since=now)
        if not self._store.replace(changed):
            raise ChangedMeanwhile
        if known.enabled and not changed.enabled:
            finish_pending(self._store, known.id, DeliveryStatus.SKIPPED, SWITCHED_OFF, now)
        return changed

    def remove(self, notification_id: str) -> Notification:
        """Delete it with its deliveries."""
        known = self.get(notification_id)
        self._store.remove(notification_id)
        return known

    def rotate_secret(self, notification_id: str) -> str:
        """A new secret; the one before signs too for ROTATION."""
        known = self.get(notification_id)
        if known.kind is not TargetKind.WEBHOOK:
            raise NoSecret
        now, secret = self._clock(), new_secret()
        before = replace(known.secrets[0], expires_at=now + ROTATION)
        rotated = replace(known, secrets=(SigningSecret(secret), before), version=known.version + 1)
        if not self._store.replace(rotated):
            raise ChangedMeanwhile
        return secret

    # Sending

    def test(self, notification_id: str) -> Delivery:
        """Have the worker send a made-up go-live now; the delivery as it ended, or failed after
        TEST_SECONDS."""
        notification = self.get(notification_id)
        delivery = self._test_delivery(notification)
        self._store.add_deliveries([delivery])
        deadline = time.monotonic() + self._test_seconds
        while time.monotonic() < deadline:
            self._sleep(_LOOK_SECONDS)
            known = self._store.delivery(notification_id, delivery.id)
            if known is None:
                raise UnknownNotification(notification_id)
            if known.status.is_finished:
                return known
        return self._give_up(notification_id, delivery.id)

    def retry(self, notification_id: str, delivery_id: str) -> Delivery:
        """Send a finished delivery again, for whatever reason it was not delivered."""
        notification = self.get(notification_id)
        known = self._store.delivery(notification_id, delivery_id)
        if known is None:
            raise UnknownDelivery(delivery_id)
        if not notification.enabled:
            raise NotificationOff(notification.name)
        if not known.status.is_finished:
            raise DeliveryPending
        now = self._clock()
        again = replace(begun_anew(known, now), version=known.version + 1)
        if not self._store.save(again, Attempted(now)):
            raise ChangedMeanwhile
        return again

    def _last_delivery(self, notification: Notification) -> Delivery | None:
        newest = self._store.deliveries(notification.id, 1)
        return newest[0] if newest else None

    def _last_error(self, notification: Notification) -> str:
        for delivery in self._store.deliveries(notification.id, 50):
            if delivery.error and not delivery.is_test:
                return delivery.error
        return "its attempts fail"

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

    def _give_up(self, notification_id: str, delivery_id: str) -> Delivery:
        while True:
            known = self._store.delivery(notification_id, delivery_id)
            if known is None:
                raise UnknownNotification(notification_id)
            if known.status.is_finished:
                return known
            now = self._clock()
            ended = finished(known, DeliveryStatus.FAILED, NOT_TAKEN, now)
            saved = replace(ended, version=known.version + 1)
            if self._store.save(saved, Attempted(now)):
                return saved
