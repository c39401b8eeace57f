"""Switches a notification off, and finishes its pending deliveries."""

from dataclasses import replace
from datetime import datetime

from streamwatch.domain.notifications.models import Delivery, DeliveryStatus
from streamwatch.domain.notifications.retries import finished
from streamwatch.storage.notifications import Attempted, NotificationStore

_BATCH = 500


def switch_off(
    store: NotificationStore,
    notification_id: str,
    status: DeliveryStatus,
    reason: str,
    now: datetime,
) -> int:
    """Switch a notification off, and finish its pending deliveries with `status` and `reason`.
    Returns how many were finished."""
    while (known := store.get(notification_id)) is not None and known.enabled:
        off = replace(known, enabled=False, disabled_reason=reason, version=known.version + 1)
        if store.replace(off):
            break
    return finish_pending(store, notification_id, status, reason, now)


def finish_pending(
    store: NotificationStore,
    notification_id: str,
    status: DeliveryStatus,
    reason: str,
    now: datetime,
    limit: int | None = None,
) -> int:
    """Finish the oldest `limit` pending deliveries, or all without a limit. Returns how many were
    finished."""
    count = 0
    while limit is None or count < limit:
        size = _BATCH if limit is None else min(_BATCH, limit - count)
        waiting = store.pending(notification_id, size)
        done = sum(_finish(store, delivery, status, reason, now) for delivery in waiting)
        count += done
        if not done:
            return count
    return count


def _finish(
    store: NotificationStore,
    delivery: Delivery,
    status: DeliveryStatus,
    reason: str,
    now: datetime,
) -> bool:
    if delivery.is_test:
        return False
    ended = finished(delivery, status, reason, now)
    return store.save(replace(ended, version=delivery.version + 1), Attempted(now))
