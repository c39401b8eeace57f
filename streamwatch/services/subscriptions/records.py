"""Saves the ids of active subscriptions in the streamers' records."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping

from streamwatch.domain.models import Streamer, Subscription
from streamwatch.domain.observations import SubscriptionsReconciled
from streamwatch.domain.subscriptions import DesiredSubscription, Transport
from streamwatch.services.ingestion.streamer_recorder import StreamerRecorder
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import Twitch, TwitchError

log = logging.getLogger(__name__)

Active = Mapping[DesiredSubscription, Subscription]


class SubscriptionRecords:
    """The ids of the subscriptions in the streamers' records."""

    def __init__(self, storage: Storage, twitch: Twitch, request_turn: Callable[[], None]) -> None:
        """`request_turn` requests a reconciliation."""
        self._recorder = StreamerRecorder(storage)
        self._twitch = twitch
        self._request_turn = request_turn

    def save(
        self,
        before: Iterable[Streamer],
        active: Active,
        not_replaced: Collection[str],
        transport: Transport | None,
    ) -> None:
        """Save the `active` subscriptions of the streamers that were read as `before`, as described
        at `SubscriptionsReconciled`. Deletes the subscriptions of those who were removed since."""
        by_user = _by_user(active)
        observations = [
            SubscriptionsReconciled(
                streamer.user_id,
                streamer.subscription_ids,
                by_user.get(streamer.user_id, {}),
                not_replaced,
                transport.fingerprint if transport else None,
            )
            for streamer in before
        ]
        recorded = self._recorder.record(observations)
        removed = {
            observation.user_id
            for observation, result in zip(observations, recorded, strict=True)
            if result.before is None
        }
        self._delete([each for wanted, each in active.items() if wanted.user_id in removed])

    def _delete(self, subscriptions: Iterable[Subscription]) -> None:
        for subscription in subscriptions:
            try:
                self._twitch.unsubscribe(subscription.id)
            except TwitchError as error:
                log.warning("A subscription of a removed streamer is not deleted yet: %s", error)
                self._request_turn()


def _by_user(active: Active) -> dict[str, dict[str, str]]:
    """The ids of subscriptions by type, by user."""
    found: dict[str, dict[str, str]] = {}
    for wanted, subscription in active.items():
        found.setdefault(wanted.user_id, {})[wanted.type] = subscription.id
    return found
