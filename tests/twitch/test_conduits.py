"""Conduits and shards over Helix."""

import json
from typing import Any

import pytest
import responses
from responses.matchers import query_param_matcher

from streamwatch.domain.subscriptions import ConduitTransport, DesiredSubscription
from streamwatch.twitch.base import (
    Conduit,
    ConduitLimit,
    NotFound,
    Shard,
    TwitchBusy,
    TwitchRefused,
    TwitchUnavailable,
)
from streamwatch.twitch.client import Helix
from tests.twitch.conftest import API, FakeTime, subscription_item

Mock = responses.RequestsMock

CONDUITS = f"{API}/eventsub/conduits"
SHARDS = f"{API}/eventsub/conduits/shards"
CONDUIT_ID = "26b1c993-bfcf-44d9-b876-379dacafe75a"
ITEM = {"id": CONDUIT_ID, "shard_count": 1}


def shard_item(shard_id: str, status: str = "enabled") -> dict[str, Any]:
    return {"id": shard_id, "status": status, "transport": {"method": "websocket"}}


def body(twitch: Mock) -> Any:
    return json.loads(twitch.calls[0].request.body or "")


def test_conduits_are_listed(helix: Helix, twitch: Mock) -> None:
    twitch.get(CONDUITS, json={"data": [ITEM]})
    assert helix.conduits() == [Conduit(CONDUIT_ID, 1)]


def test_a_conduit_is_created(helix: Helix, twitch: Mock) -> None:
    twitch.post(CONDUITS, json={"data": [ITEM]})
    assert helix.create_conduit(1) == Conduit(CONDUIT_ID, 1)
    assert body(twitch) == {"shard_count": 1}


def test_too_many_conduits_are_distinguished_from_the_rate_limit(
    helix: Helix, twitch: Mock
) -> None:
    twitch.post(CONDUITS, status=429, json={"message": "conduit limit reached"})
    with pytest.raises(ConduitLimit):
        helix.create_conduit(1)


def test_the_rate_limit_of_conduits_is_waited_for(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": time.in_seconds(60)}
    twitch.post(CONDUITS, status=429, headers=headers)
    with pytest.raises(TwitchBusy):
        helix.create_conduit(1)


def test_a_deleted_conduit_that_does_not_exist_is_not_found(helix: Helix, twitch: Mock) -> None:
    twitch.delete(CONDUITS, status=204, match=[query_param_matcher({"id": CONDUIT_ID})])
    twitch.delete(CONDUITS, status=404)
    helix.delete_conduit(CONDUIT_ID)
    with pytest.raises(NotFound):
        helix.delete_conduit(CONDUIT_ID)


def test_the_shards_of_all_pages_are_listed(helix: Helix, twitch: Mock) -> None:
    first = {"data": [shard_item("0")], "pagination": {"cursor": "x"}}
    second = {"data": [shard_item("1", "websocket_disconnected")], "pagination": {}}
    query = {"conduit_id": CONDUIT_ID}
    twitch.get(SHARDS, json=first, match=[query_param_matcher(query)])
    twitch.get(SHARDS, json=second, match=[query_param_matcher(query | {"after": "x"})])
    assert helix.shards(CONDUIT_ID) == [
        Shard("0", "enabled"),
        Shard("1", "websocket_disconnected"),
    ]


def test_a_shard_is_attached_to_a_session(helix: Helix, twitch: Mock) -> None:
    twitch.patch(SHARDS, status=202, json={"data": [shard_item("0")], "errors": []})
    helix.attach_shard(CONDUIT_ID, "0", "session-1")
    assert body(twitch) == {
        "conduit_id": CONDUIT_ID,
        "shards": [{"id": "0", "transport": {"method": "websocket", "session_id": "session-1"}}],
    }


def test_an_error_inside_a_202_is_an_error(helix: Helix, twitch: Mock) -> None:
    errors = [{"id": "0", "message": "The session is gone.", "code": "websocket_disconnected"}]
    twitch.patch(SHARDS, status=202, json={"data": [], "errors": errors})
    with pytest.raises(TwitchRefused, match="websocket_disconnected"):
        helix.attach_shard(CONDUIT_ID, "0", "session-1")


def test_attaching_to_a_conduit_that_is_gone_is_not_found(helix: Helix, twitch: Mock) -> None:
    twitch.patch(SHARDS, status=404)
    with pytest.raises(NotFound):
        helix.attach_shard(CONDUIT_ID, "0", "session-1")


def test_a_subscription_through_a_conduit_names_it_and_no_secret(
    helix: Helix, twitch: Mock
) -> None:
    item = subscription_item(
        1337,
        type="channel.update",
        version="2",
        transport={"method": "conduit", "conduit_id": CONDUIT_ID},
    )
    document = {"data": [item], "total": 1, "total_cost": 1, "max_total_cost": 10_000}
    twitch.post(f"{API}/eventsub/subscriptions", status=202, json=document)
    wanted = DesiredSubscription("channel.update", "1337")
    created = helix.subscribe(wanted, ConduitTransport(CONDUIT_ID))
    assert (created.conduit_id, created.callback) == (CONDUIT_ID, None)
    assert body(twitch) == {
        "type": "channel.update",
        "version": "2",
        "condition": {"broadcaster_user_id": "1337"},
        "transport": {"method": "conduit", "conduit_id": CONDUIT_ID},
    }


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"data": {}},
        {"data": [{"id": CONDUIT_ID}]},
        {"data": [{"id": CONDUIT_ID, "shard_count": True}]},
        {"data": [{"id": "a b", "shard_count": 1}]},
    ],
)
def test_a_malformed_list_of_conduits_is_an_error(
    helix: Helix, twitch: Mock, document: dict[str, Any]
) -> None:
    twitch.get(CONDUITS, json=document)
    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.conduits()


def test_repeating_pages_of_shards_are_an_error(helix: Helix, twitch: Mock) -> None:
    repeated = {"data": [shard_item("0")], "pagination": {"cursor": "x"}}
    twitch.get(SHARDS, json=repeated)
    twitch.get(SHARDS, json=repeated)
    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.shards(CONDUIT_ID)
