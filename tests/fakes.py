"""A fake Twitch in memory, and a storage and analytics that can be made to fail."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from threading import RLock
from typing import Any, ClassVar

from streamwatch.analytics.base import AnalyticsError, AnalyticsStore
from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.testing import CAP
from streamwatch.domain.models import Stream, Subscription, User, Video
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.session_events import ProjectionInput
from streamwatch.domain.subscriptions import (
    ConduitTransport,
    DesiredSubscription,
    Transport,
    WebhookTransport,
)
from streamwatch.domain.times import utc_now
from streamwatch.storage.base import Lease, Storage
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from streamwatch.twitch.base import (
    Conduit,
    ConduitLimit,
    FoundUsers,
    LiveStreams,
    NotFound,
    RateLimitState,
    Shard,
    SubscriptionExists,
    SubscriptionListing,
    Twitch,
    TwitchError,
)
from tests.clocks import ManualMonotonicClock
from tests.waiting import wait_for

MAX_CONDUITS = 5


@dataclass
class FakeTwitch(Twitch):
    """A Twitch with the users that a test adds. `calls` lists the methods that were called, in
    order.

    `error` is raised by every call, `errors[method]` by calls of one method.
    """

    clock: Callable[[], datetime] = utc_now
    error: TwitchError | None = None
    errors: dict[str, TwitchError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    known: dict[str, User] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    """The logins whose items in responses are malformed."""
    on: dict[str, Stream] = field(default_factory=dict)
    """The streams that Helix shows, by user id."""
    videos_of: dict[str, list[Video]] = field(default_factory=dict)
    """The archived videos, by user id."""
    subscribed: dict[str, Subscription] = field(default_factory=dict)
    """The subscriptions, by subscription id."""
    conduits_by_id: dict[str, dict[str, Shard]] = field(default_factory=dict)
    """The application's conduits: shards by id, by conduit id."""
    sessions: list[str] = field(default_factory=list)
    """The WebSocket sessions that were attached, in order."""
    max_total_cost: int = 10_000
    ids: Any = field(default_factory=lambda: count(1))

    def add_user(self, login: str, user_id: str | None = None, name: str | None = None) -> User:
        user = User(user_id or f"id-of-{login}", login, name or login.capitalize())
        self.known[user.user_id] = user
        return user

    def go_live(self, user: User, **details: Any) -> Stream:
        values: dict[str, Any] = {
            "id": f"stream-of-{user.login}",
            "started_at": self.clock(),
            "viewer_count": 10,
            "game_id": "509658",
            "game_name": "Just Chatting",
            "title": "Hello",
            "language": "en",
            "tags": ("English",),
            "thumbnail_url": "https://example.com/{width}x{height}.jpg",
        }
        self.on[user.user_id] = Stream(**values | details)
        return self.on[user.user_id]

    def users(self, *, logins: Collection[str] = (), user_ids: Collection[str] = ()) -> FoundUsers:
        self._called("users")
        found = [u for u in self.known.values() if u.login in logins or u.user_id in user_ids]
        return FoundUsers(
            tuple(user for user in found if user.login not in self.unreadable),
            frozenset(self.unreadable.intersection(logins)),
        )

    def streams(self, user_ids: Collection[str]) -> LiveStreams:
        self._called("streams")
        users = [self.known[user_id] for user_id in user_ids if user_id in self.on]
        return LiveStreams(
            tuple(
                SeenLive(u.user_id, u.login, u.display_name, self.on[u.user_id], self.clock())
                for u in users
            )
        )

    def videos(self, user_id: str) -> list[Video]:
        self._called("videos")
        return list(self.videos_of.get(user_id, ()))

    def subscriptions(self) -> SubscriptionListing:
        self._called("subscriptions")
        listed = tuple(self.subscribed.values())
        return SubscriptionListing(
            listed, sum(subscription.cost for subscription in listed), self.max_total_cost
        )

    def subscribe(self, wanted: DesiredSubscription, transport: Transport) -> Subscription:
        self._called("subscribe")
        condition = {"broadcaster_user_id": wanted.user_id}
        for existing in list(self.subscribed.values()):  # a copy: many threads subscribe
            same = (existing.type, existing.condition) == (wanted.type, condition)
            if same and transport.carries(existing):
                raise SubscriptionExists("There is such a subscription.", 409)
        subscription = Subscription(
            id=f"subscription-{next(self.ids)}",
            type=wanted.type,
            version=wanted.version,
            status="enabled",
            condition=condition,
            callback=transport.callback if isinstance(transport, WebhookTransport) else None,
            created_at=self.clock(),
            cost=1,
            conduit_id=transport.conduit_id if isinstance(transport, ConduitTransport) else None,
        )
        self.subscribed[subscription.id] = subscription
        return subscription

    def unsubscribe(self, subscription_id: str) -> None:
        self._called("unsubscribe")
        self.subscribed.pop(subscription_id, None)

    def conduits(self) -> list[Conduit]:
        self._called("conduits")
        return [
            Conduit(conduit_id, len(shards)) for conduit_id, shards in self.conduits_by_id.items()
        ]

    def create_conduit(self, shard_count: int) -> Conduit:
        self._called("create_conduit")
        if len(self.conduits_by_id) >= MAX_CONDUITS:
            raise ConduitLimit("Too many conduits.", 429)
        conduit_id = f"conduit-{next(self.ids)}"
        self.conduits_by_id[conduit_id] = {
            str(number): Shard(str(number), "websocket_disconnected")
            for number in range(shard_count)
        }
        return Conduit(conduit_id, shard_count)

    def delete_conduit(self, conduit_id: str) -> None:
        self._called("delete_conduit")
        if self.conduits_by_id.pop(conduit_id, None) is None:
            raise NotFound("There is no such conduit.", 404)
        for subscription in list(self.subscribed.values()):
            if subscription.conduit_id == conduit_id:
                del self.subscribed[subscription.id]

    def shards(self, conduit_id: str) -> list[Shard]:
        self._called("shards")
        if conduit_id not in self.conduits_by_id:
            raise NotFound("There is no such conduit.", 404)
        return list(self.conduits_by_id[conduit_id].values())

    def attach_shard(self, conduit_id: str, shard_id: str, session_id: str) -> None:
        self._called("attach_shard")
        if conduit_id not in self.conduits_by_id:
            raise NotFound("There is no such conduit.", 404)
        self.conduits_by_id[conduit_id][shard_id] = Shard(shard_id, "enabled")
        self.sessions.append(session_id)

    def rate_limit(self) -> RateLimitState | None:
        return None

    def _called(self, method: str) -> None:
        self.calls.append(method)
        error = self.errors.get(method, self.error)
        if error is not None:
            raise error


class CountedRenewals(MemoryCoordination):
    """The coordination in memory. It counts the renewals of leases, which expire by a clock that
    only the test advances."""

    def __init__(self) -> None:
        self.clock = ManualMonotonicClock()
        self.renewals = 0
        super().__init__(RLock(), self.clock)

    def renew_lease(self, lease: Lease, seconds: float) -> bool:
        renewed = super().renew_lease(lease, seconds)
        self.renewals += renewed
        return renewed

    def check_outlasts(self, name: str, seconds: float) -> None:
        """Fail unless renewals keep the lease `name`, of `seconds`, from a rival for twice as long
        as it lasts."""
        for _ in range(3):
            self.clock.advance(seconds * 2 / 3)
            assert self.acquire_lease(name, "rival", seconds) is None
            before = self.renewals
            wait_for(lambda before=before: self.renewals >= before + 2)  # type: ignore[misc]  # mypy cannot infer it
            # The second of these renewals began after the clock was advanced.


class _Failing:
    """An adapter each method of whose `port` raises `error` while it is set."""

    port: ClassVar[type]
    error: Exception | None = None

    def __getattribute__(self, name: str) -> Any:
        error = super().__getattribute__("error")
        if error is not None and name in super().__getattribute__("port").__abstractmethods__:
            raise error
        return super().__getattribute__(name)


class FailingStorage(_Failing, MemoryStorage):
    """The storage in memory, which can be made to fail."""

    port = Storage


class FailingAnalytics(_Failing, MemoryAnalytics):
    """The analytics in memory, which can be made to fail."""

    port = AnalyticsStore


class FailingProjection(FailingAnalytics):
    """Failing analytics whose `project` raises `projection_error` while it is set, and refuses
    samples with `refused_viewers`."""

    projection_error: Exception | None = None
    refused_viewers: int | None = None

    def __init__(self) -> None:
        super().__init__(CAP)

    def project(self, observed: ProjectionInput) -> None:
        if self.projection_error is not None:
            raise self.projection_error
        if any(sample.viewer_count == self.refused_viewers for sample in observed.samples):
            raise AnalyticsError("refused")
        super().project(observed)
