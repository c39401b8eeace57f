"""Metrics of notifications."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from streamwatch.domain.notifications.models import DeliveryStatus, TargetKind
from streamwatch.services.monitoring.counters import NOTIFICATIONS, of_kind
from streamwatch.storage.notifications import NotificationStore

QUEUE_FULL_OUTCOME = "queue_full"
"""The outcome of the oldest deliveries of a queue that was full."""

OUTCOMES = (*(status for status in DeliveryStatus if status.is_finished), QUEUE_FULL_OUTCOME)


@dataclass(frozen=True, slots=True)
class NotificationMetrics:
    """Finished deliveries by kind of target and outcome, how many are pending, and for how many
    seconds the oldest has been (0 if none is)."""

    deliveries: dict[tuple[str, ...], int] = field(default_factory=dict)
    pending: int = 0
    oldest_seconds: float = 0.0


def notification_metrics(
    store: NotificationStore, counts: Mapping[str, int], now: datetime
) -> NotificationMetrics:
    """The metrics of all notifications; `counts` are the shared counters."""
    finished: dict[tuple[str, ...], int] = {
        (kind, outcome): 0 for kind in TargetKind for outcome in OUTCOMES
    }
    counted = {
        tuple(name.split(" ")): number for name, number in of_kind(NOTIFICATIONS, counts).items()
    }
    queues = store.queues([each.id for each in store.all()]).values()
    oldest = min((queue.oldest for queue in queues if queue.oldest), default=now)
    return NotificationMetrics(
        deliveries={**finished, **counted},
        pending=sum(queue.pending for queue in queues),
        oldest_seconds=max(0.0, (now - oldest).total_seconds()),
    )
