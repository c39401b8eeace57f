"""A Twitch in memory with Twitch's rules for subscriptions, whose calls can be made to fail."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from streamwatch.domain.models import Subscription
from streamwatch.domain.subscriptions import (
    ConduitTransport,
    DesiredSubscription,
    Transport,
    WebhookTransport,
)
from streamwatch.twitch.base import (
    SubscriptionExists,
    SubscriptionLimit,
    TwitchError,
)
from tests.fakes import FakeTwitch

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
FAILED = "webhook_callback_verification_failed"
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAME_LIMIT = 3


@dataclass
class StrictTwitch(FakeTwitch):
    """A new webhook subscription is pending; an identical one is refused; the limits of Twitch
    apply. Failed subscriptions remain in the listing and cost nothing."""

    secrets: dict[str, str] = field(default_factory=dict)
    """The secret of each webhook subscription, by its id."""
    before: Callable[[str], None] = lambda method: None
    """Called with the method's name before each call, for concurrent changes."""
    _faults: dict[str, deque[TwitchError | None]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    _lock: Lock = field(default_factory=Lock)

    def fail(self, method: str, *errors: TwitchError | None) -> None:
        """Make the next calls of `method` raise these errors, one each; None is a success."""
        self._faults[method].extend(errors)

    def end_verification(self, status: str = ENABLED) -> None:
        """Give all pending subscriptions the status that follows their challenge."""
        for known, subscription in self.subscribed.items():
            if subscription.status == PENDING:
                cost = int(status == ENABLED)
                self.subscribed[known] = replace(subscription, status=status, cost=cost)

    def put(
        self,
        event_type: str,
        user_id: str,
        callback: str | None,
        status: str = ENABLED,
        version: str = "1",
        conduit_id: str | None = None,
    ) -> Subscription:
        """Add an existing subscription, without checking the rules."""
        number = next(self.ids)
        subscription = Subscription(
            id=f"subscription-{number}",
            type=event_type,
            version=version,
            status=status,
            condition={"broadcaster_user_id": user_id},
            callback=callback,
            created_at=START + timedelta(seconds=number),
            cost=int(status in (ENABLED, PENDING)),
            conduit_id=conduit_id,
        )
        self.subscribed[subscription.id] = subscription
        return subscription

    def subscribe(self, wanted: DesiredSubscription, transport: Transport) -> Subscription:
        self._called("subscribe")
        with self._lock:
            alive = [existing for existing in self.subscribed.values() if existing.is_alive]
            same = [
                existing
                for existing in alive
                if (existing.type, existing.user_id) == (wanted.type, wanted.user_id)
            ]
            if any(transport.carries(other) for other in same):
                raise SubscriptionExists("subscription already exists", 409)
            if len(same) >= SAME_LIMIT:
                raise SubscriptionLimit("too many of the same condition", 429)
            if len(alive) >= self.max_total_cost:
                raise SubscriptionLimit("total cost exceeded", 429)
            is_webhook = isinstance(transport, WebhookTransport)
            created = self.put(
                wanted.type,
                wanted.user_id,
                transport.callback if isinstance(transport, WebhookTransport) else None,
                PENDING if is_webhook else ENABLED,
                wanted.version,
                transport.conduit_id if isinstance(transport, ConduitTransport) else None,
            )
            if isinstance(transport, WebhookTransport):
                self.secrets[created.id] = transport.secret
            return created

    def unsubscribe(self, subscription_id: str) -> None:
        self._called("unsubscribe")
        with self._lock:
            self.subscribed.pop(subscription_id, None)

    def _called(self, method: str) -> None:
        self.before(method)
        super()._called(method)
        faults = self._faults[method]
        error = faults.popleft() if faults else None
        if error is not None:
            raise error
