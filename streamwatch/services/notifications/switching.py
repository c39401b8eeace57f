"""Switches a notification off, and finishes its pending deliveries."""

import logging
from dataclasses import replace
from datetime import datetime

from streamwatch.domain.notifications.models import Delivery, DeliveryStatus, Notification
from streamwatch.domain.notifications.retries import finished
from streamwatch.storage.notifications import Attempted, NotificationStore

log = logging.getLogger(__name__)

_BATCH = 500


def switch_off(
    store: NotificationStore, notification: Notification, reason: str, now: datetime
) -> int:
    """Switch a notification off whose target failed, and let its pending deliveries fail with
    `reason`. Returns how many did. Does nothing if the URL was changed after the attempt."""
    while (known := store.get(notification.id)) is not None and known.enabled:
        if known.url != notification.url:
            return 0
        off = replace(known, enabled=False, disabled_reason=reason, version=known.version + 1)
        if store.replace(off):
            log.warning("Notification %s (%s) is switched off: %s", known.id, known.name, reason)
            break
    return finish_pending(store, notification.id, DeliveryStatus.FAILED, reason, now)


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
