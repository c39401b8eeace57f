import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses
from responses.matchers import query_param_matcher

from streamwatch.domain.models import EventType
from streamwatch.domain.subscriptions import DesiredSubscription, WebhookTransport
from streamwatch.twitch.base import (
    SubscriptionExists,
    SubscriptionLimit,
    TwitchBusy,
    TwitchRefused,
    TwitchUnavailable,
)
from streamwatch.twitch.client import MAX_PAGES, Helix
from tests.twitch.conftest import (
    API,
    SUBSCRIPTION_SECRET,
    FakeTime,
    bearing,
    give_token,
    subscription_item,
)

Mock = responses.RequestsMock

SUBSCRIPTIONS = f"{API}/eventsub/subscriptions"
WANTED = DesiredSubscription(EventType.ONLINE, "1337")
WEBHOOK = WebhookTransport("https://example.com/webhooks/eventsub", SUBSCRIPTION_SECRET)


def page(*numbers: int, cursor: str | None = None, **changed: Any) -> dict[str, Any]:
    return {
        "total": 4,
        "data": [subscription_item(number) for number in numbers],
        "total_cost": 3,
        "max_total_cost": 10_000,
        "pagination": {"cursor": cursor} if cursor else {},
    } | changed


def test_all_pages_are_read_with_the_costs(helix: Helix, twitch: Mock) -> None:
    twitch.get(SUBSCRIPTIONS, json=page(1, 2, cursor="a"), match=[query_param_matcher({})])
    twitch.get(SUBSCRIPTIONS, json=page(3, cursor="b"), match=[query_param_matcher({"after": "a"})])
    twitch.get(SUBSCRIPTIONS, json=page(4), match=[query_param_matcher({"after": "b"})])

    listing = helix.subscriptions()

    assert [each.id for each in listing.subscriptions] == [
        f"subscription-{n}" for n in (1, 2, 3, 4)
    ]
    assert listing.subscriptions[0].user_id == "1"
    assert listing.subscriptions[0].created_at == datetime(
        2019, 11, 16, 10, 11, 12, 634234, tzinfo=UTC
    )
    assert (listing.total_cost, listing.max_total_cost) == (3, 10_000)


def test_a_listing_of_more_than_200_pages_is_an_error(helix: Helix, twitch: Mock) -> None:
    for number in range(MAX_PAGES):
        twitch.get(SUBSCRIPTIONS, json=page(number, cursor=f"cursor-{number}"))

    with pytest.raises(TwitchUnavailable, match="more than 200 pages"):
        helix.subscriptions()


def test_no_subscriptions_are_an_empty_listing(helix: Helix, twitch: Mock) -> None:
    twitch.get(SUBSCRIPTIONS, json=page() | {"pagination": None})

    assert helix.subscriptions().subscriptions == ()


def test_a_subscription_on_two_pages_is_listed_once(helix: Helix, twitch: Mock) -> None:
    twitch.get(SUBSCRIPTIONS, json=page(1, 2, cursor="a"))
    twitch.get(SUBSCRIPTIONS, json=page(2, 3))

    ids = [each.id for each in helix.subscriptions().subscriptions]

    assert ids == ["subscription-1", "subscription-2", "subscription-3"]


def test_a_failed_page_fails_the_listing(helix: Helix, twitch: Mock) -> None:
    twitch.get(SUBSCRIPTIONS, json=page(1, cursor="a"))
    twitch.get(SUBSCRIPTIONS, status=503)
    twitch.get(SUBSCRIPTIONS, status=503)

    with pytest.raises(TwitchUnavailable):
        helix.subscriptions()


def test_repeating_pages_fail_the_listing(helix: Helix, twitch: Mock) -> None:
    twitch.get(SUBSCRIPTIONS, json=page(1, cursor="a"))
    twitch.get(SUBSCRIPTIONS, json=page(2, cursor="b"))
    twitch.get(SUBSCRIPTIONS, json=page(1, cursor="a"))

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.subscriptions()


@pytest.mark.parametrize(
    "changed",
    [
        {"data": None},
        {"data": [subscription_item(1, status=None)]},
        {"data": [subscription_item(1, created_at="yesterday")]},
        {"data": ["subscription"]},
        {"total_cost": None},
        {"max_total_cost": "10000"},
        {"pagination": "next"},
        {"pagination": {"cursor": 7}},
    ],
)
def test_a_malformed_listing_is_an_error(
    helix: Helix, twitch: Mock, changed: dict[str, Any]
) -> None:
    twitch.get(SUBSCRIPTIONS, json=page(1, **changed))

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.subscriptions()


def test_a_subscription_is_created_with_the_documented_body(helix: Helix, twitch: Mock) -> None:
    pending = "webhook_callback_verification_pending"
    twitch.post(
        SUBSCRIPTIONS, status=202, json=page() | {"data": [subscription_item(1337, status=pending)]}
    )

    created = helix.subscribe(WANTED, WEBHOOK)

    assert created.is_alive
    assert not created.is_enabled
    assert created.id == "subscription-1337"
    request = twitch.calls[0].request
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or "") == {
        "type": "stream.online",
        "version": "1",
        "condition": {"broadcaster_user_id": "1337"},
        "transport": {
            "method": "webhook",
            "callback": "https://example.com/webhooks/eventsub",
            "secret": SUBSCRIPTION_SECRET,
        },
    }


def test_a_response_without_the_created_subscription_is_an_error(
    helix: Helix, twitch: Mock
) -> None:
    twitch.post(SUBSCRIPTIONS, status=202, json=page())

    with pytest.raises(TwitchUnavailable):
        helix.subscribe(WANTED, WEBHOOK)


def test_an_existing_subscription_is_a_separate_error(helix: Helix, twitch: Mock) -> None:
    twitch.post(
        SUBSCRIPTIONS, status=409, json={"status": 409, "message": "subscription already exists"}
    )

    with pytest.raises(SubscriptionExists, match="already exists") as raised:
        helix.subscribe(WANTED, WEBHOOK)

    assert raised.value.status == 409


def test_a_retried_create_reports_an_existing_subscription(helix: Helix, twitch: Mock) -> None:
    twitch.post(SUBSCRIPTIONS, body=requests.ConnectionError())
    twitch.post(SUBSCRIPTIONS, status=409, json={"message": "subscription already exists"})

    with pytest.raises(SubscriptionExists):
        helix.subscribe(WANTED, WEBHOOK)


def test_a_create_with_a_refused_token_is_repeated_with_a_new_one(
    helix: Helix, twitch: Mock
) -> None:
    twitch.post(SUBSCRIPTIONS, status=401, json={})
    give_token(twitch, "fresh")
    twitch.post(SUBSCRIPTIONS, status=202, json=page(1337), match=[bearing("fresh")])

    assert helix.subscribe(WANTED, WEBHOOK).user_id == "1337"


@pytest.mark.parametrize(
    ("message", "headers"),
    [
        ("maximum subscriptions with type and condition exceeded", {}),
        ("maximum subscriptions with type and condition exceeded", {"Ratelimit-Remaining": "0"}),
        ("total cost exceeded", {"Ratelimit-Remaining": "0"}),
        ("Too Many Requests", {"Ratelimit-Remaining": "12"}),
    ],
)
def test_a_429_with_points_left_is_the_subscription_limit(
    helix: Helix, twitch: Mock, time: FakeTime, message: str, headers: dict[str, str]
) -> None:
    twitch.post(
        SUBSCRIPTIONS,
        status=429,
        json={"error": "Too Many Requests", "status": 429, "message": message},
        headers=headers,
    )

    with pytest.raises(SubscriptionLimit) as raised:
        helix.subscribe(WANTED, WEBHOOK)

    assert raised.value.status == 429
    assert time.waits == []


def test_a_429_with_an_empty_bucket_is_the_rate_limit(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    empty = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": time.in_seconds(4)}
    twitch.post(SUBSCRIPTIONS, status=429, json={"message": "Too Many Requests"}, headers=empty)
    twitch.post(SUBSCRIPTIONS, status=202, json=page(1337))

    assert helix.subscribe(WANTED, WEBHOOK).user_id == "1337"
    assert time.waits == [4.5]


def test_a_429_with_a_long_empty_bucket_is_busy(helix: Helix, twitch: Mock, time: FakeTime) -> None:
    empty = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": time.in_seconds(50)}
    twitch.post(SUBSCRIPTIONS, status=429, json={"message": "Too Many Requests"}, headers=empty)

    with pytest.raises(TwitchBusy):
        helix.subscribe(WANTED, WEBHOOK)


@pytest.mark.parametrize("status", [400, 403, 410])
def test_any_other_refusal_keeps_its_status(helix: Helix, twitch: Mock, status: int) -> None:
    twitch.post(SUBSCRIPTIONS, status=status, json={"message": "no such version"})

    with pytest.raises(TwitchRefused, match="no such version") as raised:
        helix.subscribe(WANTED, WEBHOOK)

    assert type(raised.value) is TwitchRefused
    assert raised.value.status == status


@pytest.mark.parametrize("status", [204, 404])
def test_deleting_a_missing_subscription_succeeds(helix: Helix, twitch: Mock, status: int) -> None:
    twitch.delete(SUBSCRIPTIONS, status=status, match=[query_param_matcher({"id": "a/b&c"})])

    helix.unsubscribe("a/b&c")


def test_a_refused_delete_is_an_error(helix: Helix, twitch: Mock) -> None:
    twitch.delete(SUBSCRIPTIONS, status=400, json={"message": "bad id"})

    with pytest.raises(TwitchRefused, match="bad id"):
        helix.unsubscribe("1")
