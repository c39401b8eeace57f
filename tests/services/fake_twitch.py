"""Twitch in memory: its users, and subscriptions under Twitch's rules."""

from collections import Counter, deque
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock

from streamwatch.domain.models import EVENT_VERSION, EventType, Subscription, User
from streamwatch.domain.observations import SeenLive
from streamwatch.twitch.base import (
    HelixBudget,
    Subscribe,
    SubscriptionExists,
    SubscriptionLimit,
    SubscriptionListing,
    Twitch,
    TwitchError,
)

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAME_LIMIT = 3


class FakeTwitch(Twitch):
    """`calls` counts what was asked; an error in `faults` befalls the next call of that name."""

    def __init__(self, max_total_cost: int = 10_000) -> None:
        self.max_total_cost = max_total_cost
        self.known_users: list[User] = []
        self.on_air: list[SeenLive] = []
        self.standing: dict[str, Subscription] = {}
        self.secrets: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, deque[TwitchError | None]] = {}
        self.before: Callable[[str], None] = lambda name: None
        """Called before each call with its name: what happens meanwhile."""
        self._numbers = count(1)
        self._lock = Lock()

    def fail(self, name: str, *errors: TwitchError | None) -> None:
        """The next calls of `name` meet these, one each; None is a call that goes well."""
        self.faults.setdefault(name, deque()).extend(errors)

    def put(
        self,
        event_type: str,
        user_id: str,
        callback: str,
        status: str = ENABLED,
        version: str = EVENT_VERSION,
    ) -> Subscription:
        """A subscription from before, whatever the rules say."""
        number = next(self._numbers)
        subscription = Subscription(
            id=f"subscription-{number}",
            type=event_type,
            version=version,
            status=status,
            condition={"broadcaster_user_id": user_id},
            callback=callback,
            created_at=START + timedelta(seconds=number),
            cost=int(status in (ENABLED, PENDING)),
        )
        self.standing[subscription.id] = subscription
        return subscription

    def users(self, *, logins: Collection[str] = (), user_ids: Collection[str] = ()) -> list[User]:
        self._called("users")
        return [
            user for user in self.known_users if user.login in logins or user.user_id in user_ids
        ]

    def streams(self, user_ids: Collection[str]) -> list[SeenLive]:
        self._called("streams")
        return [seen for seen in self.on_air if seen.user_id in user_ids]

    def subscriptions(self) -> SubscriptionListing:
        self._called("subscriptions")
        with self._lock:
            return SubscriptionListing(
                tuple(self.standing.values()), self._total_cost(), self.max_total_cost
            )

    def subscribe(self, wanted: Subscribe) -> Subscription:
        self._called("subscribe")
        with self._lock:
            same = [
                other
                for other in self.standing.values()
                if other.is_alive and (other.type, other.user_id) == (wanted.type, wanted.user_id)
            ]
            if any(other.callback == wanted.callback for other in same):
                raise SubscriptionExists("subscription already exists", 409)
            if len(same) >= SAME_LIMIT:
                raise SubscriptionLimit("too many of the same condition", 429)
            if self._total_cost() >= self.max_total_cost:
                raise SubscriptionLimit("total cost exceeded", 429)
            created = self.put(EventType(wanted.type), wanted.user_id, wanted.callback, PENDING)
            self.secrets[created.id] = wanted.secret
            return created

    def unsubscribe(self, subscription_id: str) -> None:
        self._called("unsubscribe")
        with self._lock:
            self.standing.pop(subscription_id, None)

    def budget(self) -> HelixBudget | None:
        return None

    def _called(self, name: str) -> None:
        self.before(name)
        with self._lock:
            self.calls[name] += 1
            faults = self.faults.get(name)
            error = faults.popleft() if faults else None
        if error is not None:
            raise error

    def _total_cost(self) -> int:
        return sum(one.cost for one in self.standing.values())
