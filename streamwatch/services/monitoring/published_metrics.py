"""Metrics that one process publishes for all: subscriptions and Helix's rate limit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from streamwatch.domain.models import ALIVE_STATUSES, Subscription
from streamwatch.storage.base import Coordination
from streamwatch.twitch.base import RateLimitState

_RATE_LIMIT = "helix-budget"
_RATE_LIMIT_SECONDS = 120

_SUBSCRIPTIONS = "subscriptions"
_SUBSCRIPTIONS_SECONDS = 24 * 3600
_STATUS = "status "


@dataclass(frozen=True, slots=True)
class SubscriptionMetrics:
    """StreamWatch's subscriptions as of the last reconciliation: their number by Twitch's status,
    and the cost of all subscriptions of the Twitch application."""

    statuses: dict[str, int]
    cost: float
    max_cost: float
    updates_without_room: int
    missing: int
    """Required subscriptions that are missing although there is room for them."""

    @property
    def has_faults(self) -> bool:
        """Whether required subscriptions are missing or dead although there is room for them."""
        return bool(self.missing or self.statuses.keys() - ALIVE_STATUSES)


def publish_subscriptions(
    coordination: Coordination,
    ours: Iterable[Subscription],
    cost: int,
    max_cost: int,
    updates_without_room: int,
    missing: int,
) -> None:
    """Publish the subscriptions as a reconciliation left them."""
    statuses = Counter(subscription.status for subscription in ours)
    values = {_STATUS + status: float(number) for status, number in statuses.items()}
    values |= {
        "cost": cost,
        "max_cost": max_cost,
        "without_room": updates_without_room,
        "missing": missing,
    }
    coordination.publish_metrics(_SUBSCRIPTIONS, values, _SUBSCRIPTIONS_SECONDS)


def subscription_metrics(coordination: Coordination) -> SubscriptionMetrics | None:
    """The metrics that were published last; None if there are none."""
    values = coordination.published_metrics(_SUBSCRIPTIONS)
    if not values:
        return None
    statuses = {
        name.removeprefix(_STATUS): int(number)
        for name, number in values.items()
        if name.startswith(_STATUS)
    }
    return SubscriptionMetrics(
        statuses,
        values["cost"],
        values["max_cost"],
        int(values.get("without_room", 0)),
        int(values.get("missing", 0)),
    )


def publish_rate_limit(coordination: Coordination, state: RateLimitState | None) -> None:
    """Publish the state of Helix's rate limit, if it is known."""
    if state is not None:
        values = {
            "limit": state.limit,
            "remaining": state.remaining,
            "resets_at": state.resets_at.timestamp(),
        }
        coordination.publish_metrics(_RATE_LIMIT, values, _RATE_LIMIT_SECONDS)


def published_rate_limit(coordination: Coordination, now: datetime) -> RateLimitState | None:
    """The state of Helix's rate limit at `now`; None if none was published. From its reset on the
    bucket is full, even if no response has confirmed it."""
    values = coordination.published_metrics(_RATE_LIMIT)
    if not values:
        return None
    limit, resets_at = int(values["limit"]), datetime.fromtimestamp(values["resets_at"], UTC)
    remaining = limit if now >= resets_at else int(values["remaining"])
    return RateLimitState(limit, remaining, resets_at)
