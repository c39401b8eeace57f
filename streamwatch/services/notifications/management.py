"""Notifications as users see them: list, add, change, remove, test, and their deliveries."""

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
    Delivery,
    DeliveryStatus,
    Notification,
    SigningSecret,
    TargetKind,
)
from streamwatch.domain.notifications.validation import (
    DEFAULTS,
    InvalidNotification,
)
from streamwatch.services.documents import Document
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.errors import (
    AlreadyAdded,
    ChangedMeanwhile,
    NoSecret,
    TooManyNotifications,
    UnknownNotification,
)
from streamwatch.services.notifications.given_settings import GivenSettings
from streamwatch.services.notifications.on_request import TEST_SECONDS, RequestedDeliveries
from streamwatch.services.notifications.senders.webhook import new_secret
from streamwatch.services.notifications.switching import finish_pending
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import Twitch

ROTATION = timedelta(hours=24)
"""How long the previous secret still signs after a rotation."""

SWITCHED_OFF = "the notification was switched off"


def new_notification_id() -> str:
    return f"ntf_{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Failing:
    """An enabled notification whose attempts fail, or a notification that StreamWatch switched
    off."""

    name: str
    reason: str
    since: datetime | None


class Notifications:
    """The operations of the API, the dashboard and the command line. Methods that take an id raise
    UnknownNotification."""

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
        self._requested = RequestedDeliveries(self._store, clock, sleep, test_seconds)

    # Reading

    def all(self) -> list[Notification]:
        """All notifications, the oldest first."""
        return self._store.all()

    def get(self, notification_id: str) -> Notification:
        known = self._store.get(notification_id)
        if known is None:
            raise UnknownNotification(notification_id)
        return known

    def documents(self, notifications: Iterable[Notification]) -> list[Document]:
        """The notifications as the API shows them."""
        notifications = list(notifications)
        logins = self._given.logins(notifications)
        return [
            notification_document(each, self._last_delivery(each), logins) for each in notifications
        ]

    def unmonitored(self, notification: Notification) -> list[str]:
        """The logins in the filter of streamers who are not monitored: they have no events."""
        monitored = self._given.logins([notification])
        return [s.login for s in notification.streamers if s.user_id not in monitored]

    def deliveries(self, notification_id: str, limit: int) -> list[Delivery]:
        """The newest deliveries of a notification, the newest first."""
        self.get(notification_id)
        return self._store.deliveries(notification_id, limit)

    def failing(self) -> list[Failing]:
        """The notifications whose attempts fail, or that were switched off for that reason."""
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

    def create(
        self, given: Mapping[str, Any], new_id: str | None = None
    ) -> tuple[Notification, str | None]:
        """Add a notification. Returns it with its signing secret, None if it has none. A request
        that may be sent twice passes the same `new_id` both times: the second one raises
        AlreadyAdded. Raises InvalidNotification and TooManyNotifications too."""
        settings = self._given.checked({**DEFAULTS, **given}, known=None)
        now = self._clock()
        kind = TargetKind(settings["kind"])
        secret = new_secret() if kind is TargetKind.WEBHOOK else None
        made = Notification(
            id=new_id or new_notification_id(),
            created_at=now,
            active_since=now,
            secrets=(SigningSecret(secret),) if secret else (),
            **self._given.fields(settings),
        )
        if not self._store.add(made, MAX_NOTIFICATIONS):
            if known := self._store.get(made.id):
                raise AlreadyAdded(known.name)
            raise TooManyNotifications(MAX_NOTIFICATIONS)
        return made, secret

    def change(
        self, notification_id: str, given: Mapping[str, Any], version: int | None = None
    ) -> Notification:
        """Change settings. The URL as it is shown leaves the URL unchanged. Switching off skips the
        pending deliveries; after switching on, only events from now on are delivered. After
        switching on, and with another URL, earlier failures do not count. Raises
        InvalidNotification, and ChangedMeanwhile if the stored version is not `version`, where one
        is given, or changes meanwhile."""
        known = self.get(notification_id)
        if version not in {None, known.version}:
            raise ChangedMeanwhile
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
        if changed.url != known.url or (changed.enabled and not known.enabled):
            # Before the change, so that a crash in between leaves no old failures behind.
            self._store.clear_failures(known.id)
        if not self._store.replace(changed):
            raise ChangedMeanwhile
        if known.enabled and not changed.enabled:
            finish_pending(self._store, known.id, DeliveryStatus.SKIPPED, SWITCHED_OFF, now)
        return changed

    def remove(self, notification_id: str) -> Notification:
        """Delete a notification with its deliveries."""
        known = self.get(notification_id)
        self._store.remove(notification_id)
        return known

    def rotate_secret(self, notification_id: str) -> str:
        """Make a new signing secret; the previous one signs too for ROTATION. Raises NoSecret and
        ChangedMeanwhile."""
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
        """Send a sample go-live now: see `RequestedDeliveries.test`."""
        return self._requested.test(self.get(notification_id))

    def retry(self, notification_id: str, delivery_id: str) -> Delivery:
        """Send a finished delivery again: see `RequestedDeliveries.retry`."""
        return self._requested.retry(self.get(notification_id), delivery_id)

    def _last_delivery(self, notification: Notification) -> Delivery | None:
        newest = self._store.deliveries(notification.id, 1)
        return newest[0] if newest else None

    def _last_error(self, notification: Notification) -> str:
        for delivery in self._store.deliveries(notification.id, 50):
            is_skipped = delivery.status is DeliveryStatus.SKIPPED
            if delivery.error and not delivery.is_test and not is_skipped:
                return delivery.error
        return "its attempts fail"
