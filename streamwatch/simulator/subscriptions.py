"""The EventSub subscriptions of the one application there is, under Twitch's rules:
https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription"""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from streamwatch.domain.models import EventType
from streamwatch.domain.times import format_time
from streamwatch.simulator.web import Document, Refused

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
VERIFICATION_FAILED = "webhook_callback_verification_failed"
TOO_MANY_FAILURES = "notification_failures_exceeded"

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SAME_LIMIT = 3
_SECRET_LENGTHS = range(10, 101)


@dataclass(slots=True)
class Subscription:
    """One as the simulator keeps it. `failures` counts the messages in a row that were given up."""

    id: str
    type: EventType
    user_id: str
    callback: str
    secret: str = field(repr=False)
    created_at: datetime
    status: str = PENDING
    failures: int = 0

    @property
    def is_living(self) -> bool:
        return self.status in (ENABLED, PENDING)

    @property
    def cost(self) -> int:
        return int(self.is_living)

    def document(self) -> Document:
        """As Helix and the messages show it: without the secret."""
        return {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "version": "1",
            "condition": {"broadcaster_user_id": self.user_id},
            "created_at": format_time(self.created_at),
            "transport": {"method": "webhook", "callback": self.callback},
            "cost": self.cost,
        }


class Subscriptions:
    """All of them, oldest first. `page_size` and `max_total_cost` may be set at any time."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.page_size = 100
        self.max_total_cost = 10_000
        self._clock = clock
        self._lock = threading.RLock()
        self._all: dict[str, Subscription] = {}

    def create(self, wanted: Any) -> Subscription:
        """A pending one from the body of a create call; Refused where Twitch would."""
        subscription = self._read(wanted)
        with self._lock:
            same = [
                other
                for other in self._all.values()
                if other.is_living
                and (other.type, other.user_id) == (subscription.type, subscription.user_id)
            ]
            if any(other.callback == subscription.callback for other in same):
                raise Refused(409, "subscription already exists")
            if len(same) >= _SAME_LIMIT:
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

    def enabled(self, event_type: EventType, user_id: str) -> list[Subscription]:
        """Those that want to hear of `event_type` about `user_id`."""
        wanted = (ENABLED, event_type, user_id)
        return [one for one in self.all() if (one.status, one.type, one.user_id) == wanted]

    def page(self, filters: Mapping[str, str], after: str) -> Document:
        """The page of those that match every filter which begins at the cursor `after`."""
        if len(filters) > 1:
            raise Refused(400, "specify one of status, type and user_id")
        if after and not after.isdecimal():
            raise Refused(400, "invalid cursor")
        begin = int(after or 0)
        end = begin + self.page_size
        matching = [
            one
            for one in self.all()
            if all(getattr(one, name) == value for name, value in filters.items())
        ]
        cursor = {"cursor": str(end)} if end < len(matching) else {}
        return {
            **self.totals(),
            "data": [one.document() for one in matching[begin:end]],
            "pagination": cursor,
        }

    def totals(self) -> Document:
        subscriptions = self.all()
        return {
            "total": len(subscriptions),
            "total_cost": sum(one.cost for one in subscriptions),
            "max_total_cost": self.max_total_cost,
        }

    def _read(self, wanted: Any) -> Subscription:
        try:
            transport = wanted["transport"]
            subscription = Subscription(
                id=str(uuid.uuid4()),
                type=EventType(wanted["type"]),
                user_id=wanted["condition"]["broadcaster_user_id"],
                callback=transport["callback"],
                secret=transport["secret"],
                created_at=self._clock(),
            )
            well_said = wanted["version"] == "1" and transport["method"] == "webhook"
        except (KeyError, TypeError, ValueError):
            well_said = False
        if not well_said:
            raise Refused(400, "the subscription asked for is incomplete or of an unknown type")
        if urlsplit(subscription.callback).hostname not in _LOOPBACK:
            raise Refused(400, "the simulator calls back on loopback only")
        if len(subscription.secret) not in _SECRET_LENGTHS or not subscription.secret.isascii():
            raise Refused(400, "the secret must have 10 to 100 ASCII characters")
        return subscription
