"""Figures that one process learns and all are told: what Twitch said last."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from streamwatch.domain.models import Subscription
from streamwatch.storage.base import Coordination
from streamwatch.twitch.base import RateLimitState

_BUDGET = "helix-budget"
_BUDGET_SECONDS = 120

_SUBSCRIPTIONS = "subscriptions"
_SUBSCRIPTIONS_SECONDS = 24 * 3600
_STATUS = "status "
_HEALTHY_STATUSES = {"enabled", "webhook_callback_verification_pending"}


@dataclass(frozen=True, slots=True)
class SubscriptionMetrics:
    """Ours, by Twitch's status, and what all of the application cost, as of the last
    reconciliation."""

    statuses: dict[str, int]
    cost: float
    max_cost: float
    updates_without_room: int
    missing: int
    """Required subscriptions that are missing although there is room for them."""

    @property
    def has_faults(self) -> bool:
        """Whether required subscriptions are missing or dead although there is room for them."""
        return bool(self.missing or self.statuses.keys() - _HEALTHY_STATUSES)


def publish_subscriptions(
    coordination: Coordination,
    ours: Iterable[Subscription],
    cost: int,
    max_cost: int,
    updates_without_room: int,
    missing: int,
) -> None:
    """Tell what a reconciliation left at Twitch."""
    statuses = Counter(one.status for one in ours)
    figures = {_STATUS + status: float(number) for status, number in statuses.items()}
    figures |= {
        "cost": cost,
        "max_cost": max_cost,
        "without_room": updates_without_room,
        "missing": missing,
    }
    coordination.publish_metrics(_SUBSCRIPTIONS, figures, _SUBSCRIPTIONS_SECONDS)


def subscriptions(coordination: Coordination) -> SubscriptionMetrics | None:
    """What was told of them last."""
    told = coordination.published_metrics(_SUBSCRIPTIONS)
    if not told:
        return None
    statuses = {
        name.removeprefix(_STATUS): int(number)
        for name, number in told.items()
        if name.startswith(_STATUS)
    }
    return SubscriptionMetrics(
        statuses,
        told["cost"],
        told["max_cost"],
        int(told.get("without_room", 0)),
        int(told.get("missing", 0)),
    )


def publish_rate_limit(coordination: Coordination, budget: RateLimitState | None) -> None:
    """Tell what is left of Helix's rate limit, if that is known."""
    if budget is not None:
        figures = {
            "limit": budget.limit,
            "remaining": budget.remaining,
            "resets_at": budget.resets_at.timestamp(),
        }
        coordination.publish_metrics(_BUDGET, figures, _BUDGET_SECONDS)


def budget(coordination: Coordination, now: datetime) -> RateLimitState | None:
    """What is left by now: the bucket is full at its reset, though no answer has said so since."""
    told = coordination.published_metrics(_BUDGET)
    if not told:
        return None
    limit, resets_at = int(told["limit"]), datetime.fromtimestamp(told["resets_at"], UTC)
    remaining = limit if now >= resets_at else int(told["remaining"])
    return RateLimitState(limit, remaining, resets_at)
