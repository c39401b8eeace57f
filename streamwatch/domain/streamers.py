"""The rules of a streamer's record: what an observation changes in it. Pure.

Several processes learn about a streamer at the same time. So a change is decided on one version of
the record and stored only if the record is still at that version (`Storage.commit_streamers`).
"""

from dataclasses import replace

from streamwatch.domain.models import Streamer
from streamwatch.domain.observations import (
    SeenNames,
    StreamerObservation,
    SubscriptionRevoked,
    SubscriptionsReconciled,
)
from streamwatch.domain.subscriptions import with_subscriptions, without_subscription


def decide(streamer: Streamer, observation: StreamerObservation) -> Streamer | None:
    """The next version of the record; None if the observation changes nothing."""
    match observation:
        case SeenNames():
            after = _with_names(streamer, observation)
        case SubscriptionRevoked():
            after = without_subscription(streamer, observation.subscription_id)
        case SubscriptionsReconciled():
            after = _with_reconciled(streamer, observation)
    return None if after == streamer else replace(after, version=streamer.version + 1)


def _with_names(streamer: Streamer, seen: SeenNames) -> Streamer:
    """The names that were read last, whichever way, are the right ones."""
    if streamer.named_at is not None and seen.at < streamer.named_at:
        return streamer
    return replace(
        streamer,
        login=seen.login,
        display_name=seen.display_name,
        named_at=seen.at,
        profile_image_url=seen.profile_image_url or streamer.profile_image_url,
    )


def _with_reconciled(streamer: Streamer, reconciled: SubscriptionsReconciled) -> Streamer:
    """An id that has changed since the reconciliation read the record is newer than its result."""
    was, now, active = reconciled.before, streamer.subscription_ids, reconciled.active
    outdated = {kind: known for kind, known in was.items() if known in reconciled.not_replaced}
    ids: dict[str, str] = {}
    for kind in {*was, *now, *active}:
        is_unchanged = now.get(kind) == was.get(kind)
        chosen = active.get(kind) or outdated.get(kind) if is_unchanged else now.get(kind)
        if chosen is not None:
            ids[kind] = chosen
    is_outdated = bool(outdated.keys() - active.keys())
    fingerprint = streamer.signed_with if is_outdated else reconciled.fingerprint
    return with_subscriptions(streamer, ids, fingerprint)
