"""Saves the ids of active subscriptions in the streamers' records."""

from collections.abc import Collection, Iterable, Mapping

from streamwatch.domain.models import Streamer, Subscription
from streamwatch.domain.subscriptions import DesiredSubscription, with_subscriptions
from streamwatch.storage.base import Storage

Active = Mapping[DesiredSubscription, Subscription]


def save_ids(
    storage: Storage,
    before: Iterable[Streamer],
    active: Active,
    left: Collection[str],
    fingerprint: str | None,
) -> list[Subscription]:
    """Save the `active` subscriptions of the streamers that were read as `before`.

    Ids in `left` exist still although they should have been replaced: they keep their fingerprint,
    so that the next reconciliation replaces them. An id that has changed since `before` was read is
    not overwritten: a revocation or another process is newer. Returns the subscriptions of those
    who were removed since.
    """
    known = {streamer.user_id: streamer for streamer in before}
    current = storage.streamers_by_id(list(known))
    by_user = _by_user(active)
    changed = []
    for user_id, streamer in current.items():
        merged = _merged(known[user_id], streamer, by_user.get(user_id, {}), left, fingerprint)
        if merged != streamer:
            changed.append(merged)
    if changed:
        storage.update_streamers(changed)
    return [
        subscription
        for wanted, subscription in active.items()
        if wanted.user_id in known and wanted.user_id not in current
    ]


def _by_user(active: Active) -> dict[str, dict[str, str]]:
    """The ids of subscriptions by type, by user."""
    found: dict[str, dict[str, str]] = {}
    for wanted, subscription in active.items():
        found.setdefault(wanted.user_id, {})[wanted.type] = subscription.id
    return found


def _merged(
    before: Streamer,
    current: Streamer,
    active: Mapping[str, str],
    left: Collection[str],
    fingerprint: str | None,
) -> Streamer:
    ids: dict[str, str] = {}
    old = {kind: known for kind, known in before.subscription_ids.items() if known in left}
    was, now = before.subscription_ids, current.subscription_ids
    for kind in {*was, *now, *active}:
        decided = active.get(kind) or old.get(kind)
        chosen = decided if now.get(kind) == was.get(kind) else now.get(kind)
        if chosen is not None:
            ids[kind] = chosen
    is_outdated = bool(old.keys() - active.keys())
    return with_subscriptions(current, ids, current.signed_with if is_outdated else fingerprint)
