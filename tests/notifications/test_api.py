"""The paths of notifications, on an application with a worker's threads."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from streamwatch.domain.models import User
from streamwatch.domain.notifications.models import MAX_NOTIFICATIONS, TargetKind
from streamwatch.domain.tags import NOT_A_TAG
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.management import Notifications
from streamwatch.worker.threads import NotificationThreads
from tests.api.world import World, build_world, problem
from tests.messages import online, update
from tests.notifications.build import notification
from tests.notifications.receiver import FakeDiscord, Receiver, receiving
from tests.waiting import wait_for

KEY = "a-full-key-of-mine"
HEADERS = {"Authorization": f"Bearer {KEY}"}


class Api:
    """Calls with a key, and what the application runs on."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, method: str, path: str = "", body: Any = None) -> TestResponse:
        options = {} if body is None else {"json": body}
        return self.world.call(method, f"/notifications{path}", headers=HEADERS, **options)

    def add(self, url: str, kind: str = "webhook", **fields: Any) -> dict[str, Any]:
        response = self("POST", "", {"kind": kind, "url": url, **fields})
        assert response.status_code == 201, response.get_json()
        notification: dict[str, Any] = response.get_json()["notification"]
        return notification

    def faults(self, response: TestResponse) -> dict[str, str]:
        return {fault["name"]: fault["detail"] for fault in problem(response, 422)["errors"]}


@pytest.fixture
def api() -> Api:
    return Api(build_world(api_keys=(KEY,), notifications_allow_private=True))


@pytest.fixture
def working(api: Api) -> Iterator[Api]:
    """With the threads of a worker."""
    services = api.world.app.extensions["streamwatch"]
    threads = NotificationThreads(services.notifications, services.storage.coordination)
    threads.start()
    yield api
    threads.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


URL = "http://127.0.0.1:9/hooks/secret-part"


def test_a_notification_is_added_with_defaults_and_a_secret(api: Api) -> None:
    response = api("POST", "", {"kind": "webhook", "url": URL})

    answer = response.get_json()
    assert response.status_code == 201
    assert answer["secret"].startswith("whsec_")
    shown = answer["notification"]
    assert shown | {"id": "", "created_at": ""} == {
        "id": "",
        "name": "Webhook 127.0.0.1",
        "kind": "webhook",
        "url": "http://127.0.0.1:9/hooks/…",
        "enabled": True,
        "events": ["stream.online", "stream.offline", "channel.update"],
        "streamers": [],
        "tags": [],
        "categories": [],
        "title_contains": [],
        "changed": ["title", "category"],
        "cooldown_minutes": 10,
        "quiet_hours": None,
        "template": None,
        "created_at": "",
        "last_delivery": None,
    }
    listed = api("GET").get_json()
    assert listed == {"notifications": [shown], "count": 1}
    assert api("GET", f"/{shown['id']}").get_json() == {"notification": shown}


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"unknown": 1}, "unknown"),
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"events": []}, "events.0"),
        ({"events": ["stream.paused"]}, "events.0"),
        ({"template": "$title"}, "template"),
        ({"kind": "apprise", "url": "json://127.0.0.1", "template": "$nobody"}, "template"),
        ({"url": "ftp://127.0.0.1/"}, "url"),
        ({"url": "x" * 2001}, "url"),
        ({"cooldown_minutes": 1441}, "cooldown_minutes"),
        ({"quiet_hours": {"start": "23:00", "end": "23:00", "tz": "UTC"}}, "quiet_hours"),
        ({"quiet_hours": {"start": "23:00", "end": "07:00", "tz": "Mars"}}, "quiet_hours"),
        ({"tags": ["x" * 101]}, "tags.0"),
        ({"tags": ["x"] * 101}, "tags"),
        ({"tags": ["A B"]}, "tags.0"),
        ({"tags": ["Friends"]}, "tags.0"),
        ({"changed": ["mood"]}, "changed.0"),
        ({"streamers": ["nobody_at_all"]}, "streamers"),
    ],
)
def test_wrong_values_are_reported_by_field(api: Api, fields: dict[str, Any], faulty: str) -> None:
    response = api("POST", "", {"kind": "webhook", "url": URL} | fields)

    names = api.faults(response)
    assert faulty.partition(".")[0] in {name.partition(".")[0] for name in names}


def test_a_tag_that_no_streamer_can_have_is_named(api: Api) -> None:
    response = api("POST", "", {"kind": "webhook", "url": URL, "tags": ["friends", "A B"]})

    assert api.faults(response) == {"tags.1": f"'A B': {NOT_A_TAG}"}


@pytest.mark.parametrize("field", ["events", "changed", "streamers", "tags"])
def test_a_list_that_is_too_long_is_refused_before_its_entries_are_checked(
    api: Api, field: str
) -> None:
    response = api("POST", "", {"kind": "webhook", "url": URL, field: [1] * 101})

    assert list(api.faults(response)) == [field]


def test_a_streamer_whose_user_cannot_be_read_is_not_reported_as_unknown(api: Api) -> None:
    api.world.twitch.unreadable.add("odd_user")

    response = api("POST", "", {"kind": "webhook", "url": URL, "streamers": ["odd_user"]})

    assert "'odd_user'" in problem(response, 502)["detail"]


def test_a_host_that_does_not_resolve_is_refused(api: Api) -> None:
    response = api("POST", "", {"kind": "webhook", "url": "https://nowhere.invalid/"})

    assert api.faults(response) == {"url": "The host nowhere.invalid does not resolve."}


def test_private_addresses_are_refused_unless_allowed() -> None:
    api = Api(build_world(api_keys=(KEY,)))

    faults = api.faults(api("POST", "", {"kind": "webhook", "url": URL}))
    assert "127.0.0.1, which is not a public one" in faults["url"]
    faults = api.faults(api("POST", "", {"kind": "apprise", "url": "json://127.0.0.1/x"}))
    assert "json:// is not taken" in faults["url"]
    faults = api.faults(api("POST", "", {"kind": "discord", "url": "https://example.com/x"}))
    assert "Discord webhook" in faults["url"]


def test_a_notification_whose_url_is_no_longer_allowed_can_be_switched_off() -> None:
    api = Api(build_world(api_keys=(KEY,)))
    store = api.world.app.extensions["streamwatch"].storage.notifications
    url = "http://10.0.0.1/api/webhooks/1/token"
    assert store.add(notification(TargetKind.DISCORD, url=url), MAX_NOTIFICATIONS)

    changed = api("PATCH", "/n1", {"enabled": False}).get_json()["notification"]

    assert changed["enabled"] is False
    assert "url" in api.faults(api("PATCH", "/n1", {"url": f"{url}2"}))


def test_a_full_key_is_always_needed() -> None:
    api = Api(build_world(api_keys=(KEY,)))

    assert api.world.get("/notifications").status_code == 401
    assert build_world().get("/notifications").status_code == 403


def test_the_url_as_it_is_shown_keeps_the_url(api: Api, receiver: Receiver) -> None:
    made = api.add(f"{receiver.url}/secret")

    changed = api("PATCH", f"/{made['id']}", {"url": made["url"], "name": "Renamed"}).get_json()

    services = api.world.app.extensions["streamwatch"]
    stored = services.storage.notifications.get(made["id"])
    assert changed["notification"]["name"] == "Renamed"
    assert stored.url == f"{receiver.url}/secret"


def test_streamers_are_given_and_shown_by_login(api: Api) -> None:
    api.world.twitch.add_user("ann")
    api.world.twitch.add_user("bob")

    made = api.add(URL, streamers=["@Ann", "https://www.twitch.tv/bob"])

    assert made["streamers"] == ["ann", "bob"]
    changed = api("PATCH", f"/{made['id']}", {"enabled": False}).get_json()["notification"]
    assert changed["streamers"] == ["ann", "bob"]


def test_a_notification_is_removed(api: Api) -> None:
    made = api.add(URL, name="Mine")

    assert api("DELETE", f"/{made['id']}").get_json() == {"message": "Removed notification: Mine"}
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/deliveries"),
        ("POST", "/test"),
        ("POST", "/rotate-secret"),
    ):
        body: dict[str, Any] | None = {} if method == "PATCH" else None
        problem(api(method, f"/{made['id']}{path}", body), 404)


def test_a_rotated_secret_is_shown_once(api: Api) -> None:
    response = api("POST", "", {"kind": "webhook", "url": URL}).get_json()
    made = response["notification"]

    rotated = api("POST", f"/{made['id']}/rotate-secret").get_json()["secret"]

    assert rotated.startswith("whsec_")
    assert rotated != response["secret"]
    everything = json.dumps(api("GET").get_json())
    assert rotated not in everything
    assert "secret-part" not in everything


def test_people_have_no_secret(api: Api) -> None:
    made = api.add("json://127.0.0.1:9/x", "apprise")

    problem(api("POST", f"/{made['id']}/rotate-secret"), 409)


def test_an_event_is_delivered_and_listed(working: Api, receiver: Receiver) -> None:
    made = working.add(f"{receiver.url}/hook")
    working.world.twitch.add_user("cool_user", user_id="1337")
    assert working.world.send(online()).status_code == 204

    wait_for(lambda: len(receiver.requests) == 1)
    path = f"/{made['id']}/deliveries"
    wait_for(lambda: working("GET", path).get_json()["deliveries"][0]["status"] == "delivered")

    [delivery] = working("GET", path).get_json()["deliveries"]
    assert delivery["id"] == receiver.requests[0].headers["webhook-id"]
    assert delivery["event_type"] == "stream.online"
    assert delivery["broadcaster_login"] == "cool_user"
    assert delivery["status_code"] == 204
    assert working("GET").get_json()["notifications"][0]["last_delivery"] == delivery


def test_a_test_returns_the_response_of_the_receiver(working: Api, receiver: Receiver) -> None:
    made = working.add(f"{receiver.url}/hook", enabled=False)

    tested = working("POST", f"/{made['id']}/test").get_json()
    assert tested == {
        "delivered": True,
        "status_code": 204,
        "detail": "The receiver took the message.",
    }
    receiver.answer = lambda _: (500, {}, b"out of order")
    tested = working("POST", f"/{made['id']}/test").get_json()
    assert tested == {
        "delivered": False,
        "status_code": 500,
        "detail": "the receiver answered 500: out of order",
    }
    listed = working("GET", f"/{made['id']}/deliveries").get_json()["deliveries"]
    assert [d["event_type"] for d in listed] == ["test", "test"]


def test_a_test_without_a_worker_fails_with_the_reason(api: Api) -> None:
    services = api.world.app.extensions["streamwatch"]
    made = api.add(URL)
    impatient = Notifications(
        services.storage,
        api.world.twitch,
        AddressPolicy(allow_private=True),
        lambda: datetime.now(UTC),
        test_seconds=0.2,
    )

    tested = impatient.test(made["id"])

    assert tested.status == "failed"
    assert "see that the worker runs" in (tested.error or "")


def test_a_discord_test_has_text_and_mentions_nobody(working: Api) -> None:
    with receiving(FakeDiscord()) as discord:
        url = f"{discord.url}/api/webhooks/1/token"
        made = working.add(url, "discord", template="<@&12> <@34> @everyone $title")
        assert working("POST", f"/{made['id']}/test").get_json()["delivered"]

    assert isinstance(discord, FakeDiscord)
    assert discord.messages["1"] == "<@&12> <@34> @everyone This is a test of StreamWatch"
    assert discord.mentions == [[]]


def test_a_finished_delivery_is_sent_again(working: Api, receiver: Receiver) -> None:
    made = working.add(receiver.url)
    working.world.send(online(User("1", "ann", "Ann")))
    path = f"/{made['id']}/deliveries"

    def statuses() -> list[str]:
        return [d["status"] for d in working("GET", path).get_json()["deliveries"]]

    wait_for(lambda: statuses() == ["delivered"])
    [delivery] = working("GET", path).get_json()["deliveries"]

    again = working("POST", f"{path}/{delivery['id']}/retry")
    assert again.status_code == 202
    assert again.get_json()["delivery"]["attempts"] == 0
    wait_for(lambda: len(receiver.requests) == 2)
    assert len({r.headers["webhook-id"] for r in receiver.requests}) == 1

    wait_for(lambda: statuses() == ["delivered"])
    working("PATCH", f"/{made['id']}", {"enabled": False})
    problem(working("POST", f"{path}/{delivery['id']}/retry"), 409)
    problem(working("POST", f"{path}/unknown/retry"), 404)


def test_switched_off_pending_deliveries_are_skipped(working: Api, receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    made = working.add(receiver.url)
    working.world.send(online(User("1", "ann", "Ann")))
    wait_for(lambda: len(receiver.requests) >= 1)

    working("PATCH", f"/{made['id']}", {"enabled": False})

    def last() -> dict[str, Any]:
        found: dict[str, Any] = working("GET", f"/{made['id']}").get_json()["notification"]
        return found["last_delivery"] or {}

    wait_for(lambda: last().get("status") == "skipped")
    assert last()["error"] == "the notification was switched off"


def test_there_are_a_thousand_notifications_at_most(api: Api) -> None:
    store = api.world.app.extensions["streamwatch"].storage.notifications
    for number in range(999):
        assert store.add(notification(id=f"n{number}"), MAX_NOTIFICATIONS)
    api.add(URL)

    problem(api("POST", "", {"kind": "webhook", "url": URL}), 409)


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_a_limit_out_of_bounds_is_refused(api: Api, limit: str) -> None:
    made = api.add(URL)

    problem(api("GET", f"/{made['id']}/deliveries?limit={limit}"), 422)


def test_deliveries_are_measured(working: Api, receiver: Receiver) -> None:
    working.add(receiver.url)
    working.world.send(online(User("1", "ann", "Ann")))

    def metrics() -> str:
        working.world.app.extensions["streamwatch"].notifications.counters.flush()
        return working.world.get("/metrics").get_data(as_text=True)

    done = 'streamwatch_notification_deliveries_total{kind="webhook",outcome="delivered"} 1.0'
    wait_for(lambda: done in metrics())
    assert "streamwatch_notification_queue_entries 0.0" in metrics()
    assert "streamwatch_notification_oldest_seconds 0.0" in metrics()


def test_an_update_is_delivered_if_its_title_and_category_match(
    working: Api, receiver: Receiver
) -> None:
    ann = User("1", "ann", "Ann")
    made = working.add(
        receiver.url,
        events=["channel.update"],
        categories=["chess"],
        title_contains=["final", "semifinal"],
        changed=["title"],
    )
    chess, go = ("1", "Chess"), ("2", "Go")
    for title, category in (
        ("Warm-up", chess),
        ("The FINAL", go),
        ("The FINAL", chess),  # the title does not change
        ("Grand Final", chess),
    ):
        working.world.send(update(ann, title, category))

    def outcomes() -> list[str]:
        listed = working("GET", f"/{made['id']}/deliveries").get_json()["deliveries"]
        return sorted(delivery["status"] for delivery in listed)

    wait_for(lambda: outcomes() == ["delivered", "skipped", "skipped"])
    [request] = receiver.requests
    body = json.loads(request.body)
    assert body["type"] == "channel.update"
    event = body["data"]["event"]["data"]
    assert (event["title"], event["category_name"]) == ("Grand Final", "Chess")
    assert (event["changed"], event["previous"]["title"]) == (["title"], "The FINAL")
