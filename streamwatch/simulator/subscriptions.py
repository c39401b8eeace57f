"""The EventSub subscriptions of the application, with Twitch's limits:
https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription"""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from streamwatch.domain.times import format_time
from streamwatch.simulator.web import Document, Refused

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
VERIFICATION_FAILED = "webhook_callback_verification_failed"
TOO_MANY_FAILURES = "notification_failures_exceeded"

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_MAX_SAME = 3
_VERSIONS = {"stream.online": "1", "stream.offline": "1", "channel.update": "2"}
_SECRET_LENGTHS = range(10, 101)


@dataclass(slots=True)
class Subscription:
    """A subscription in the simulator, with either a callback and its secret or a conduit.
    `failures` counts the consecutive messages that were given up."""

    id: str
    type: str
    version: str
    user_id: str
    created_at: datetime
    callback: str = ""
    secret: str = field(default="", repr=False)
    conduit_id: str | None = None
    status: str = PENDING
    failures: int = 0

    @property
    def is_active(self) -> bool:
        return self.status in (ENABLED, PENDING)

    @property
    def cost(self) -> int:
        return int(self.is_active)

    def document(self) -> Document:
        """As Helix and the messages show it: without the secret."""
        transport = {"method": "webhook", "callback": self.callback}
        if self.conduit_id is not None:
            transport = {"method": "conduit", "conduit_id": self.conduit_id}
        return {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "version": self.version,
            "condition": {"broadcaster_user_id": self.user_id},
            "created_at": format_time(self.created_at),
            "transport": transport,
            "cost": self.cost,
        }


class Subscriptions:
    """All subscriptions, oldest first. `page_size` and `max_total_cost` may be set at any time.

    `is_user` says whether a user id exists, `is_conduit` whether a conduit id does.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        is_user: Callable[[str], bool],
        is_conduit: Callable[[str], bool],
    ) -> None:
        self.page_size = 100
        self.max_total_cost = 10_000
        self._clock = clock
        self._is_user = is_user
        self._is_conduit = is_conduit
        self._lock = threading.RLock()
        self._all: dict[str, Subscription] = {}

    def create(self, wanted: Any) -> Subscription:
        """Create a subscription from the body of a create call: pending for a webhook, enabled for
        a conduit. Raises Refused for what Twitch would refuse."""
        subscription = self._read(wanted)
        with self._lock:
            same = [
                other
                for other in self._all.values()
                if other.is_active
                and (other.type, other.user_id) == (subscription.type, subscription.user_id)
            ]
            for other in same:
                if _destination(other) == _destination(subscription):
                    raise Refused(409, "subscription already exists", details={"id": other.id})
            if len(same) >= _MAX_SAME:
                raise Refused(429, "number of subscriptions with the same condition exceeded")
            if self.totals()["total_cost"] + subscription.cost > self.max_total_cost:
                raise Refused(429, "total cost exceeded")
            self._all[subscription.id] = subscription
        return subscription

    def delete(self, subscription_id: str) -> None:
        with self._lock:
            if self._all.pop(subscription_id, None) is None:
                raise Refused(404, "subscription not found")

    def get(self, subscription_id: str) -> Subscription | None:
        return self._all.get(subscription_id)

    def all(self) -> list[Subscription]:
        with self._lock:
            return list(self._all.values())

    def delete_of_conduit(self, conduit_id: str) -> None:
        """Delete the subscriptions of a conduit that is deleted."""
        with self._lock:
            self._all = {
                known: subscription
                for known, subscription in self._all.items()
                if subscription.conduit_id != conduit_id
            }

    def enabled(self, event_type: str, user_id: str) -> list[Subscription]:
        """The enabled subscriptions to `event_type` about `user_id`."""
        wanted = (ENABLED, event_type, user_id)
        return [
            subscription
            for subscription in self.all()
            if (subscription.status, subscription.type, subscription.user_id) == wanted
        ]

    def page(self, filters: Mapping[str, str], after: str) -> Document:
        """One page of the subscriptions that match every filter, from the cursor `after` on."""
        if len(filters) > 1:
            raise Refused(400, "specify one of status, type, user_id and conduit_id")
        if after and not after.isdecimal():
            raise Refused(400, "invalid cursor")
        begin = int(after or 0)
        end = begin + self.page_size
        matching = [
            subscription
            for subscription in self.all()
            if all(getattr(subscription, name) == value for name, value in filters.items())
        ]
        cursor = {"cursor": str(end)} if end < len(matching) else {}
        return {
            **self.totals(),
            "data": [subscription.document() for subscription in matching[begin:end]],
            "pagination": cursor,
        }

    def totals(self) -> Document:
        subscriptions = self.all()
        return {
            "total": len(subscriptions),
            "total_cost": sum(subscription.cost for subscription in subscriptions),
            "max_total_cost": self.max_total_cost,
        }

    def _read(self, wanted: Any) -> Subscription:
        try:
            transport = wanted["transport"]
            is_webhook = transport["method"] == "webhook"
            subscription = Subscription(
                id=str(uuid.uuid4()),
                type=wanted["type"],
                version=wanted["version"],
                user_id=wanted["condition"]["broadcaster_user_id"],
                created_at=self._clock(),
                callback=transport["callback"] if is_webhook else "",
                secret=transport["secret"] if is_webhook else "",
                conduit_id=None if is_webhook else transport["conduit_id"],
                status=PENDING if is_webhook else ENABLED,
            )
            is_known = _VERSIONS.get(subscription.type) == subscription.version
            is_valid = is_known and transport["method"] in ("webhook", "conduit")
        except (KeyError, TypeError):
            is_valid = False
        if not is_valid:
            raise Refused(400, "the subscription is incomplete or of an unknown type")
        if not self._is_user(subscription.user_id):
            raise Refused(400, "the user in the condition does not exist")
        self._check_transport(subscription)
        return subscription

    def _check_transport(self, subscription: Subscription) -> None:
        if subscription.conduit_id is not None:
            if not self._is_conduit(subscription.conduit_id):
                raise Refused(400, "the conduit does not exist")
            return
        if urlsplit(subscription.callback).hostname not in _LOOPBACK:
            raise Refused(400, "the simulator calls back on loopback only")
        if len(subscription.secret) not in _SECRET_LENGTHS or not subscription.secret.isascii():
            raise Refused(400, "the secret must have 10 to 100 ASCII characters")


def _destination(subscription: Subscription) -> tuple[str, str | None]:
    return subscription.callback, subscription.conduit_id
