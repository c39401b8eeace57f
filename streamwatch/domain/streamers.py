"""Rules for changing a streamer's record after an observation. Pure functions.

Several processes may observe a streamer at the same time. So a change is based on one version of
the record, and stored only if the record is still at that version (`Storage.commit_streamers`).
"""

from dataclasses import replace

from streamwatch.domain.models import Streamer
from streamwatch.domain.observations import (
    SeenNames,
    StreamerObservation,
    SubscriptionRevoked,
    SubscriptionsReconciled,
    TagsReplaced,
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
        case TagsReplaced():
            after = replace(streamer, tags=observation.tags)
    return None if after == streamer else replace(after, version=streamer.version + 1)


def _with_names(streamer: Streamer, seen: SeenNames) -> Streamer:
    """Apply names, unless the record has names that were read later."""
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
    """Apply the subscription ids of a reconciliation. An id that has changed since it read the
    record is newer than its result, and stays."""
    before, current, active = reconciled.before, streamer.subscription_ids, reconciled.active
    outdated = {kind: known for kind, known in before.items() if known in reconciled.not_replaced}
    ids: dict[str, str] = {}
    for kind in {*before, *current, *active}:
        is_unchanged = current.get(kind) == before.get(kind)
        chosen = (active.get(kind) or outdated.get(kind)) if is_unchanged else current.get(kind)
        if chosen is not None:
            ids[kind] = chosen
    is_outdated = bool(outdated.keys() - active.keys())
    fingerprint = streamer.signed_with if is_outdated else reconciled.fingerprint
    return with_subscriptions(streamer, ids, fingerprint)
