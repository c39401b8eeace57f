"""Subscribing: the challenge, what is refused, and the listing."""

import pytest

from streamwatch.simulator import MessageFault, MessageType, Simulator
from tests.simulator.conftest import Client
from tests.simulator.receiver import Receiver

PENDING = "webhook_callback_verification_pending"
FAILED = "webhook_callback_verification_failed"


def _statuses(twitch: Simulator) -> list[str]:
    twitch.wait_until_delivered()
    return [subscription.status for subscription in twitch.subscriptions.all()]


def test_a_correct_challenge_response_enables_the_subscription(
    twitch: Simulator, client: Client, receiver: Receiver, shroud: str
) -> None:
    answer = client.subscribe(shroud, receiver.callback)
    assert answer.status_code == 202
    (created,) = answer.json()["data"]
    assert (created["status"], created["cost"]) == (PENDING, 1)
    assert "secret" not in created["transport"]
    assert _statuses(twitch) == ["enabled"]
    assert (answer.json()["total_cost"], answer.json()["max_total_cost"]) == (1, 10_000)


@pytest.mark.parametrize(("status", "answer"), [(200, b"another"), (200, b""), (201, None)])
def test_a_wrong_challenge_response_fails_the_subscription(
    twitch: Simulator,
    client: Client,
    receiver: Receiver,
    shroud: str,
    status: int,
    answer: bytes | None,
) -> None:
    receiver.challenge_status, receiver.challenge_answer = status, answer
    client.subscribe(shroud, receiver.callback)
    assert _statuses(twitch) == [FAILED]


def test_a_forged_challenge_fails_the_subscription(
    twitch: Simulator, client: Client, receiver: Receiver, shroud: str
) -> None:
    twitch.faults.on_message(MessageFault.FORGED, kind=MessageType.VERIFICATION)
    client.subscribe(shroud, receiver.callback)
    assert _statuses(twitch) == [FAILED]
    assert receiver.refused == 1


def test_a_subscription_with_a_lost_challenge_stays_pending(
    twitch: Simulator, client: Client, receiver: Receiver, shroud: str
) -> None:
    twitch.faults.on_message(MessageFault.DROPPED, kind=MessageType.VERIFICATION)
    client.subscribe(shroud, receiver.callback)
    assert _statuses(twitch) == [PENDING]


def test_the_same_subscription_twice_is_a_conflict_until_the_first_is_dead(
    twitch: Simulator, client: Client, receiver: Receiver, shroud: str
) -> None:
    assert client.subscribe(shroud, receiver.callback).status_code == 202
    assert client.subscribe(shroud, receiver.callback).status_code == 409
    twitch.wait_until_delivered()
    twitch.eventsub.revoke(twitch.subscriptions.all()[0])
    assert client.subscribe(shroud, receiver.callback).status_code == 202


def test_at_most_three_subscriptions_of_a_type_and_condition_are_allowed(
    client: Client, receiver: Receiver, shroud: str
) -> None:
    answers = [client.subscribe(shroud, f"{receiver.callback}?{n}") for n in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]


def test_the_cost_limit_is_enforced(twitch: Simulator, client: Client, receiver: Receiver) -> None:
    twitch.subscriptions.max_total_cost = 2
    user_ids = [user.user_id for user in twitch.world.users()]
    answers = [client.subscribe(user_id, receiver.callback) for user_id in user_ids[:3]]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    listing = client.get("eventsub/subscriptions").json()
    assert (listing["total"], listing["total_cost"], listing["max_total_cost"]) == (2, 2, 2)


def test_all_pages_list_all_subscriptions_oldest_first(
    twitch: Simulator, client: Client, receiver: Receiver
) -> None:
    twitch.subscriptions.page_size = 2
    user_ids = [user.user_id for user in twitch.world.users()][:5]
    for user_id in user_ids:
        client.subscribe(user_id, receiver.callback)
    found, after, pages = [], "", 0
    while pages == 0 or after:
        page = client.get("eventsub/subscriptions", after=after).json()
        found += [subscription["condition"]["broadcaster_user_id"] for subscription in page["data"]]
        after = page["pagination"].get("cursor", "")
        pages += 1
        assert page["total"] == 5
    assert (found, pages) == (user_ids, 3)


def test_a_listing_accepts_one_filter(
    twitch: Simulator, client: Client, receiver: Receiver
) -> None:
    first, second = (user.user_id for user in twitch.world.users()[:2])
    for user_id in (first, second):
        client.subscribe(user_id, receiver.callback)
    (only,) = client.get("eventsub/subscriptions", user_id=second).json()["data"]
    assert only["condition"] == {"broadcaster_user_id": second}
    assert client.get("eventsub/subscriptions", status="version_removed").json()["data"] == []
    both = client.get("eventsub/subscriptions", user_id=second, status="enabled")
    assert both.status_code == 400


def test_a_deleted_subscription_cannot_be_deleted_again(
    twitch: Simulator, client: Client, receiver: Receiver, shroud: str
) -> None:
    subscription_id = client.subscribe(shroud, receiver.callback).json()["data"][0]["id"]
    assert client.delete(subscription_id).status_code == 204
    assert client.delete(subscription_id).status_code == 404
    assert client.delete("").status_code == 400
    assert twitch.subscriptions.all() == []


@pytest.mark.parametrize(
    ("callback", "event_type", "secret"),
    [
        ("https://example.com/webhooks/eventsub", "stream.online", "long enough"),
        ("http://127.0.0.1:1/", "stream.paused", "long enough"),
        ("http://127.0.0.1:1/", "stream.online", "too short"),
        ("http://127.0.0.1:1/", "stream.online", "x" * 101),
    ],
)
def test_invalid_subscriptions_are_refused(
    twitch: Simulator, client: Client, shroud: str, callback: str, event_type: str, secret: str
) -> None:
    assert client.subscribe(shroud, callback, event_type, secret).status_code == 400
    assert twitch.subscriptions.all() == []


def test_a_subscription_for_an_unknown_user_is_refused(
    twitch: Simulator, client: Client, receiver: Receiver
) -> None:
    assert client.subscribe("1", receiver.callback).status_code == 400
    assert twitch.subscriptions.all() == []


def test_a_conflict_names_the_existing_subscription(
    client: Client, receiver: Receiver, shroud: str
) -> None:
    created = client.subscribe(shroud, receiver.callback).json()["data"][0]["id"]
    assert client.subscribe(shroud, receiver.callback).json()["id"] == created
