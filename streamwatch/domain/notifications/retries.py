"""The state of a delivery after an attempt: delivered, to be retried later, or failed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from streamwatch.domain.notifications.models import Delivery, DeliveryStatus, SendResult

DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600)
)
"""The delays after the first, second … failed attempt."""

DAILY = timedelta(days=1)
"""The delay after each failed attempt beyond those of DELAYS."""

GIVE_UP_AFTER = timedelta(days=5)
"""How long after its first attempt a delivery is retried. A notification whose attempts all fail
for so long is switched off."""

FAILURE_GAP = timedelta(days=2)
"""A failure that comes later than this after the one before is the first of a new series. While a
delivery waits for a target that fails, it is attempted at least daily."""

MAX_RETRY_AFTER_SECONDS = 3600.0
"""The longest `Retry-After` that is honoured."""

JITTER = 0.1
"""Delays are up to this fraction longer, at random, so that a receiver that recovers does not get
all retries at once."""

HOLDS_BACK = timedelta(hours=1)
"""For how long a failing delivery holds back later ones of its streamer."""

MAX_ERROR_LENGTH = 500

Random = Callable[[], float]
"""A number from 0 to 1, chosen at random."""


def after_attempt(
    delivery: Delivery, result: SendResult, now: datetime, random: Random
) -> Delivery:
    """The delivery after an attempt that ended `now`."""
    first_attempt_at = delivery.first_attempt_at or now
    attempted = replace(
        delivery,
        attempts=delivery.attempts + 1,
        first_attempt_at=first_attempt_at,
        status_code=result.status_code,
        error=None if result.delivered else result.detail[:MAX_ERROR_LENGTH],
    )
    if result.delivered:
        return finished(attempted, DeliveryStatus.DELIVERED, None, now)
    next_attempt_at = now + _delay(attempted.attempts, result, random)
    is_last = delivery.is_test or result.is_gone or result.is_final
    if is_last or next_attempt_at > first_attempt_at + GIVE_UP_AFTER:
        return finished(attempted, DeliveryStatus.FAILED, attempted.error, now)
    lane = delivery.lane
    if next_attempt_at > first_attempt_at + HOLDS_BACK:
        lane = f"{delivery.lane.partition('/')[0]}/{delivery.id}"
    return replace(attempted, next_attempt_at=next_attempt_at, lane=lane)


def finished(
    delivery: Delivery, status: DeliveryStatus, reason: str | None, now: datetime
) -> Delivery:
    """The delivery with its final status and, unless it was delivered, the reason."""
    return replace(
        delivery,
        status=status,
        error=reason,
        next_attempt_at=None,
        delivered_at=now if status is DeliveryStatus.DELIVERED else None,
    )


def restarted(delivery: Delivery, now: datetime) -> Delivery:
    """A finished delivery as it is when a user requests that it is sent again."""
    return replace(
        delivery,
        status=DeliveryStatus.PENDING,
        attempts=0,
        status_code=None,
        error=None,
        first_attempt_at=None,
        delivered_at=None,
        next_attempt_at=now,
        forced=True,
        did_not_last=False,
    )


def _delay(attempts: int, result: SendResult, random: Random) -> timedelta:
    """How long to wait after the `attempts`-th attempt."""
    planned = DELAYS[attempts - 1] if attempts <= len(DELAYS) else DAILY
    asked_for = timedelta(seconds=min(result.retry_after or 0, MAX_RETRY_AFTER_SECONDS))
    return max(planned * (1 + JITTER * random()), asked_for)
