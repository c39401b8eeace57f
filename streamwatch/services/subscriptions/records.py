"""Saves the ids of active subscriptions in the streamers' records."""

from collections.abc import Collection, Iterable, Mapping

from streamwatch.domain.models import Streamer, Subscription
from streamwatch.domain.observations import SubscriptionsReconciled
from streamwatch.domain.subscriptions import DesiredSubscription
from streamwatch.services.ingestion.streamer_recorder import StreamerRecorder
from streamwatch.storage.base import Storage

Active = Mapping[DesiredSubscription, Subscription]


def save_ids(
    storage: Storage,
    before: Iterable[Streamer],
    active: Active,
    not_replaced: Collection[str],
    fingerprint: str | None,
) -> list[Subscription]:
    """Save the `active` subscriptions of the streamers that were read as `before`, as described at
    `SubscriptionsReconciled`. Returns the subscriptions of those who were removed since."""
    by_user = _by_user(active)
    observations = [
        SubscriptionsReconciled(
            streamer.user_id,
            streamer.subscription_ids,
            by_user.get(streamer.user_id, {}),
            not_replaced,
            fingerprint,
        )
        for streamer in before
    ]
    recorded = StreamerRecorder(storage).record(observations)
    removed = {
        observation.user_id
        for observation, result in zip(observations, recorded, strict=True)
        if result.before is None
    }
    return [subscription for wanted, subscription in active.items() if wanted.user_id in removed]


def _by_user(active: Active) -> dict[str, dict[str, str]]:
    """The ids of subscriptions by type, by user."""
    found: dict[str, dict[str, str]] = {}
    for wanted, subscription in active.items():
        found.setdefault(wanted.user_id, {})[wanted.type] = subscription.id
    return found
