"""The result of a reconciliation of the subscriptions: counted, logged and published."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from streamwatch.domain.models import Subscription
from streamwatch.domain.subscription_plan import Plan
from streamwatch.domain.subscriptions import DesiredSubscription, Transport
from streamwatch.services.monitoring.published_metrics import publish_subscriptions
from streamwatch.services.subscriptions.execute import ReconciliationExecutor
from streamwatch.services.subscriptions.transport import is_carried
from streamwatch.storage.base import Coordination
from streamwatch.twitch.base import SubscriptionListing

log = logging.getLogger(__name__)

_MAX_NAMED = 5
"""How many missing subscriptions a log line names."""


class Outcome(StrEnum):
    """How a reconciliation ended."""

    HEALTHY = "healthy"
    """All desired subscriptions are active."""
    LIMITED = "limited"
    """Twitch's cost limit leaves no room for the rest: those streamers are only polled."""
    CONTINUING = "continuing"
    """The time for one turn is over; the worker continues within seconds."""
    INCOMPLETE = "incomplete"
    """Some subscriptions could not be created or deleted, or Twitch could not verify them. The
    worker tries again within a minute, or at the next reconciliation if Twitch refused them all."""
    DISABLED = "disabled"
    """EventSub is off: all streamers are only polled."""


OUTCOME_MESSAGES = {
    Outcome.HEALTHY: "All subscriptions are active.",
    Outcome.CONTINUING: "The time for one turn is over: the worker continues within seconds.",
    Outcome.LIMITED: "Twitch's cost limit leaves no room for more: the others are only polled.",
    Outcome.INCOMPLETE: (
        "Some subscriptions could not be created or deleted, or Twitch could not verify them: the"
        " log says why, and the worker tries again."
    ),
    Outcome.DISABLED: "EventSub is off: streamers are only polled. See EVENTSUB_TRANSPORT.",
}
"""The message to the operator for each outcome."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Of `checked` desired subscriptions, `healthy` were active already and `created` are new.
    `failed` counts those that are still missing, those that are pending after a failed verification
    (some of `created` too), and those that could not be deleted; `refused` those of them that
    Twitch refused, and would refuse again."""

    status: Outcome
    checked: int = 0
    healthy: int = 0
    created: int = 0
    deleted: int = 0
    failed: int = 0
    refused: int = field(default=0, compare=False)  # depends on when parallel calls stop


def summarize(
    plan: Plan,
    executor: ReconciliationExecutor,
    active: Mapping[DesiredSubscription, Subscription],
) -> Reconciliation:
    """Log the result of executing `plan`, and return its counts."""
    unchanged, adopted = len(plan.unchanged), len(executor.existing & active.keys())
    wanted = [item.wanted for item in plan.missing if item.wanted not in executor.obsolete]
    wanted += plan.unverified
    missing = [item for item in wanted if item not in active]
    undeleted = [old for old in plan.unwanted if old.id not in executor.deleted]
    failed = len(missing) + len(undeleted) + len(executor.unfinished)
    _log_problems(plan, executor, missing)
    result = Reconciliation(
        _status(plan, executor, failed),
        checked=unchanged + len(wanted),
        healthy=unchanged + adopted,
        created=len(executor.created),
        deleted=len(executor.deleted),
        failed=failed,
        refused=executor.refusals,
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


def _log_problems(
    plan: Plan, executor: ReconciliationExecutor, missing: Sequence[DesiredSubscription]
) -> None:
    if executor.is_limited:
        log.warning(
            "Twitch's cost limit is reached: %d streamers are only polled",
            len({item.user_id for item in missing if item.is_required}),
        )
    if plan.without_room:
        log.info(
            "Twitch's cost limit leaves no room for the title updates of %d streamers: their titles"
            " and categories are only polled",
            plan.without_room,
        )
    if executor.recreated:
        log.warning(
            "Twitch could not verify WEBHOOK_URL for %d subscriptions and is asked again:"
            " `streamwatch doctor` says whether it can be reached",
            len(executor.recreated),
        )
    if plan.unverified or executor.unfinished:
        log.info(
            "%d new subscriptions are not verified yet, or replace others that still exist",
            len(plan.unverified) + len(executor.unfinished),
        )
    if executor.error is not None:
        log.warning("Subscriptions are incomplete: %s%s", executor.error, _named(missing))


def publish(
    coordination: Coordination,
    listing: SubscriptionListing,
    executor: ReconciliationExecutor,
    transport: Transport | None,
    without_room: int,
    missing: int,
) -> None:
    """Publish the subscriptions as they are after the work on `listing`. `missing` is the number of
    required subscriptions that are not active although there is room."""
    before = sum(subscription.cost for subscription in listing.subscriptions)
    now = [
        *(each for each in listing.subscriptions if each.id not in executor.deleted),
        *executor.created.values(),
    ]
    cost = listing.total_cost - before + sum(subscription.cost for subscription in now)
    ours = [subscription for subscription in now if is_carried(subscription, transport)]
    publish_subscriptions(coordination, ours, cost, listing.max_total_cost, without_room, missing)


def _named(missing: Sequence[DesiredSubscription]) -> str:
    """The first of the missing subscriptions, for a log line."""
    named = ", ".join(f"{item.type} of user {item.user_id}" for item in missing[:_MAX_NAMED])
    others = len(missing) - _MAX_NAMED
    return f" Missing: {named}{f' and {others} more' if others > 0 else ''}" if named else ""


def _status(plan: Plan, executor: ReconciliationExecutor, failed: int) -> Outcome:
    if not failed:
        return Outcome.HEALTHY
    if executor.has_more:
        return Outcome.CONTINUING
    is_waiting = plan.unverified or executor.recreated or executor.unfinished
    return Outcome.LIMITED if executor.is_limited and not is_waiting else Outcome.INCOMPLETE
