"""What an observation changes in a streamer's record."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from streamwatch.domain.models import Streamer
from streamwatch.domain.observations import (
    SeenNames,
    SubscriptionRevoked,
    SubscriptionsReconciled,
    TagsReplaced,
)
from streamwatch.domain.streamers import decide

START = datetime(2026, 6, 1, tzinfo=UTC)
RECORD = Streamer("1", "ann", "Ann", START, "on", "off", "secret")
ONLINE, OFFLINE, UPDATE = "stream.online", "stream.offline", "channel.update"


def names(login: str, seconds: int) -> SeenNames:
    return SeenNames("1", login, login.title(), START + timedelta(seconds=seconds))


def reconciled(active: dict[str, str], *not_replaced: str) -> SubscriptionsReconciled:
    return SubscriptionsReconciled("1", RECORD.subscription_ids, active, not_replaced, "new")


@given(
    st.lists(st.builds(names, st.sampled_from(["bob", "cat"]), st.integers(0, 99)), min_size=1).map(
        lambda seen: list({item.at: item for item in seen}.values())
    )
)
def test_the_names_that_were_read_last_win_in_any_order_of_arrival(seen: list[SeenNames]) -> None:
    record = RECORD
    for observation in seen:
        record = decide(record, observation) or record

    newest = max(seen, key=lambda observation: observation.at)
    assert (record.login, record.display_name) == (newest.login, newest.display_name)
    assert record.named_at == newest.at


def test_each_change_makes_the_next_version() -> None:
    after = decide(replace(RECORD, version=7), SubscriptionRevoked("1", "on"))

    assert after == replace(RECORD, online_subscription_id=None, version=8)


@pytest.mark.parametrize(
    "observation",
    [SubscriptionRevoked("1", "another"), names("bob", -1), names("ann", -1)],
)
def test_an_observation_without_news_changes_nothing(
    observation: SubscriptionRevoked | SeenNames,
) -> None:
    assert decide(replace(RECORD, named_at=START), observation) is None


def test_names_that_are_confirmed_are_not_replaced_by_older_ones() -> None:
    confirmed = decide(replace(RECORD, named_at=START), names("ann", 60))

    assert confirmed is not None
    assert decide(confirmed, names("bob", 30)) is None


def test_a_reconciliation_saves_ids_and_the_fingerprint_of_their_secret() -> None:
    after = decide(RECORD, reconciled({ONLINE: "on2", OFFLINE: "off2", UPDATE: "up2"}))

    assert after is not None
    assert after.subscription_ids == {ONLINE: "on2", OFFLINE: "off2", UPDATE: "up2"}
    assert after.signed_with == "new"


def test_a_reconciliation_removes_the_ids_of_missing_subscriptions() -> None:
    after = decide(RECORD, reconciled({}))

    assert after is not None
    assert after.subscription_ids == {}
    assert after.signed_with == "new"  # as others are that Twitch has not verified yet


def test_a_subscription_that_is_still_to_be_replaced_keeps_its_fingerprint() -> None:
    assert decide(RECORD, reconciled({OFFLINE: "off"}, "on")) is None


def test_a_reconciliation_does_not_undo_a_revocation_made_meanwhile() -> None:
    revoked = decide(RECORD, SubscriptionRevoked("1", "on"))
    assert revoked is not None

    after = decide(revoked, reconciled({ONLINE: "on", OFFLINE: "off"})) or revoked

    assert after.subscription_ids == {OFFLINE: "off"}


def test_a_reconciliation_keeps_names_that_changed_meanwhile() -> None:
    renamed = decide(RECORD, names("anna", 1))
    assert renamed is not None

    after = decide(renamed, reconciled({ONLINE: "on2", OFFLINE: "off2"}))

    assert after is not None
    assert (after.login, after.online_subscription_id) == ("anna", "on2")


def test_tags_replace_those_before_and_change_nothing_else() -> None:
    tagged = decide(RECORD, TagsReplaced("1", ("fps", "friends")))

    assert tagged == replace(RECORD, tags=("fps", "friends"), version=2)
    assert decide(tagged, TagsReplaced("1", ("fps", "friends"))) is None
    assert decide(tagged, TagsReplaced("1", ())) == replace(RECORD, version=3)


@pytest.mark.parametrize(
    "observation",
    [names("anna", 1), SubscriptionRevoked("1", "on"), reconciled({ONLINE: "on2"})],
)
def test_other_observations_keep_the_tags(
    observation: SeenNames | SubscriptionRevoked | SubscriptionsReconciled,
) -> None:
    after = decide(replace(RECORD, tags=("friends",)), observation)

    assert after is not None
    assert after.tags == ("friends",)
