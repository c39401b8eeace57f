"""Twitch in memory with its rules about subscriptions, and what goes wrong with its calls."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from streamwatch.domain.models import EVENT_VERSION, Subscription
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
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAME_LIMIT = 3


@dataclass
class StrictTwitch(FakeTwitch):
    """A subscription is pending at first, has no living double, and must fit under the limits. The
    dead ones stay in the listing and cost nothing."""

    secrets: dict[str, str] = field(default_factory=dict)
    """What each subscription is signed with, by its id."""
    before: Callable[[str], None] = lambda verb: None
    """Called before each call with its verb: what happens meanwhile."""
    _faults: dict[str, deque[TwitchError | None]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    _lock: Lock = field(default_factory=Lock)

    def fail(self, verb: str, *errors: TwitchError | None) -> None:
        """The next calls of `verb` meet these, one each; None is a call that goes well."""
        self._faults[verb].extend(errors)

    def put(
        self,
        event_type: str,
        user_id: str,
        callback: str | None,
        status: str = ENABLED,
        version: str = EVENT_VERSION,
        conduit_id: str | None = None,
    ) -> Subscription:
        """A subscription from before, whatever the rules say."""
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
            living = [one for one in self.subscribed.values() if one.is_alive]
            same = [o for o in living if (o.type, o.user_id) == (wanted.type, wanted.user_id)]
            if any(transport.carries(other) for other in same):
                raise SubscriptionExists("subscription already exists", 409)
            if len(same) >= SAME_LIMIT:
                raise SubscriptionLimit("too many of the same condition", 429)
            if len(living) >= self.max_total_cost:
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

    def _called(self, verb: str) -> None:
        self.before(verb)
        super()._called(verb)
        faults = self._faults[verb]
        error = faults.popleft() if faults else None
        if error is not None:
            raise error
