"""What came of a reconciliation of the subscriptions."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from streamwatch.domain.models import Subscription
from streamwatch.domain.subscriptions import DesiredSubscription, Plan
from streamwatch.services.subscriptions.execute import ReconciliationExecutor

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """How a reconciliation ended."""

    HEALTHY = "healthy"
    """All that is wanted stands."""
    LIMITED = "limited"
    """Twitch's cost limit leaves no room for the rest: polling alone watches those streamers."""
    CONTINUING = "continuing"
    """Time was up; the worker goes on with the rest within seconds."""
    INCOMPLETE = "incomplete"
    """Twitch did not do all that was asked; the next reconciliation asks again."""
    DISABLED = "disabled"
    """There is no WEBHOOK_URL: polling alone watches all."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came of the wanted subscriptions: of `checked` were `healthy` those that stood already
    and `created` others. `failed` counts those that still do not stand, and what should be deleted
    and was not."""

    status: Outcome
    checked: int = 0
    healthy: int = 0
    created: int = 0
    deleted: int = 0
    failed: int = 0


def told(
    todo: Plan, mender: ReconciliationExecutor, standing: Mapping[DesiredSubscription, Subscription]
) -> Reconciliation:
    """What came of it, in the log and as figures."""
    kept, created = len(todo.kept), len(mender.created)
    missing = [item.wanted for item in todo.missing if item.wanted not in standing]
    adopted = len(todo.missing) - len(missing) - created
    undeleted = [one for one in todo.unwanted if one.id not in mender.deleted]
    failed = len(missing) + len(undeleted)
    if mender.is_limited:
        log.warning(
            "Twitch's cost limit is reached: %d streamers are watched by polling alone",
            len({wanted.user_id for wanted in missing}),
        )
    if mender.error is not None:
        log.warning("Subscriptions are incomplete: %s", mender.error)
    result = Reconciliation(
        _status(mender, failed),
        checked=kept + len(todo.missing),
        healthy=kept + adopted,
        created=created,
        deleted=len(mender.deleted),
        failed=failed,
    )
    log.info(
        "Subscriptions %s: %d healthy, %d created, %d deleted, %d failed",
        result.status,
        result.healthy,
        result.created,
        result.deleted,
        result.failed,
    )
    return result


def _status(mender: ReconciliationExecutor, failed: int) -> Outcome:
    if not failed:
        return Outcome.HEALTHY
    if mender.has_more:
        return Outcome.CONTINUING
    return Outcome.LIMITED if mender.is_limited else Outcome.INCOMPLETE
