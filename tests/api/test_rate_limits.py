"""How much one client may ask for, and who is one client."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from streamwatch.storage.base import StorageUnavailable, WindowCount
from streamwatch.storage.memory.coordination import MemoryCoordination
from streamwatch.twitch.base import FoundUsers
from tests import messages
from tests.api.world import World, build_world, problem
from tests.fakes import FakeTwitch

KEY = {"Authorization": "Bearer a-key"}


def statuses(world: World, times: int, path: str = "/streamers", **options: Any) -> list[int]:
    return [world.get(path, **options).status_code for _ in range(times)]


def from_address(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


@pytest.fixture
def world() -> World:
    return build_world(rate_limit=3, lookup_limit=2, api_keys=("a-key", "another-key"))


def test_too_many_requests_are_429_with_retry_after(world: World) -> None:
    assert statuses(world, 4) == [200, 200, 200, 429]
    answer = world.get("/streamers")
    detail = problem(answer, 429)["detail"]
    seconds = answer.headers["Retry-After"]
    assert detail == f"No more than 3 requests a minute are allowed. Try again in {seconds} s."
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_the_webhook_health_and_metrics_are_not_limited(world: World) -> None:
    for _ in range(10):
        assert world.get("/metrics").status_code == 200
        assert world.send(messages.online()).status_code == 204
        assert world.get("/health").status_code == 200
        assert world.get("/health/live").status_code == 200
    assert statuses(world, 3) == [200] * 3


def test_without_a_limit_no_request_is_refused() -> None:
    world = build_world(rate_limit=0, lookup_limit=0)
    assert statuses(world, 700) == [200] * 700  # by default 600 a minute
    assert statuses(world, 100, "/streamers/nobody/status") == [404] * 100


def test_every_address_is_a_client(world: World) -> None:
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8:0:1::1", "2001:db8:0:2::1"):
        assert statuses(world, 4, **from_address(address)) == [200, 200, 200, 429]


def test_an_ipv6_network_and_both_forms_of_an_address_are_one_client(world: World) -> None:
    for one, same in (("2001:db8::1", "2001:db8::ffff:1:2"), ("192.0.2.1", "::ffff:192.0.2.1")):
        assert statuses(world, 3, **from_address(one)) == [200] * 3
        assert statuses(world, 1, **from_address(same)) == [429]


def test_every_key_is_a_client_wherever_it_comes_from(world: World) -> None:
    assert statuses(world, 3) == [200] * 3
    assert statuses(world, 2, headers=KEY) == [200] * 2
    assert statuses(world, 2, headers=KEY, **from_address("192.0.2.1")) == [200, 429]
    assert statuses(world, 1, headers={"Authorization": "Bearer another-key"}) == [200]


def test_an_invalid_key_does_not_make_another_client(world: World) -> None:
    tried = [
        world.get("/streamers", headers={"Authorization": f"Bearer guess-{n}"}).status_code
        for n in range(4)
    ]
    assert tried == [401, 401, 401, 429]


def test_guessing_keys_is_limited(world: World) -> None:
    tried = [
        world.get("/admin/subscriptions", headers={"Authorization": f"Bearer {n}"}).status_code
        for n in range(4)
    ]
    assert tried == [401, 401, 401, 429]


@pytest.mark.parametrize("forwarded", ["", "garbage", "1.2.3.4, 5.6.7.8", "é\x01"])
def test_without_proxies_no_header_names_the_client(world: World, forwarded: str) -> None:
    for number in range(3):
        headers = {"X-Forwarded-For": forwarded or f"192.0.2.{number}"}
        assert world.get("/streamers", headers=headers).status_code == 200
    assert statuses(world, 1) == [429]


def test_behind_proxies_the_client_is_the_address_that_the_first_proxy_saw() -> None:
    world = build_world(rate_limit=1, trusted_proxies=2)

    def status(forwarded: str) -> int:
        return world.get("/streamers", headers={"X-Forwarded-For": forwarded}).status_code

    assert status("192.0.2.1, 10.0.0.1") == 200
    assert status("9.9.9.9, 192.0.2.1, 10.0.0.1") == 429  # what a client wrote is not believed
    assert status("192.0.2.2, 10.0.0.1") == 200
    assert status("not an address, 10.0.0.1") == 200
    assert status("nor is this, 10.0.0.1") == 429


def test_lookups_have_a_limit_of_their_own() -> None:
    world = build_world(rate_limit=100, lookup_limit=2)
    world.add("shroud")  # a lookup too
    assert statuses(world, 5, "/streamers/shroud/status") == [200] * 5
    assert statuses(world, 5, "/streamers/nobody/status") == [404] * 5  # the first is remembered
    asked = list(world.twitch.calls)
    assert statuses(world, 1, "/streamers/somebody/status") == [429]
    refused = problem(world.post("/streamers/somebody"), 429)
    assert "lookups at Twitch a minute" in refused["detail"]
    assert world.post("/streamers", json={"usernames": ["somebody"]}).status_code == 429
    assert world.twitch.calls == asked


def test_many_at_once_cost_as_many_calls() -> None:
    world = build_world(lookup_limit=10)
    logins = [f"login_{number}" for number in range(950)]
    assert world.post("/streamers", json={"usernames": logins}).status_code == 200
    assert statuses(world, 1, "/streamers/somebody/status") == [429]


def test_an_import_costs_as_many_calls_as_its_logins_need() -> None:
    world = build_world(lookup_limit=10, api_keys=("a-key",))
    known = {"streamers": [{"user_id": "1", "username": "shroud"}]}
    for _ in range(11):
        assert world.post("/admin/import", json=known, headers=KEY).status_code == 200
    logins = {"streamers": [f"login_{number}" for number in range(950)]}
    assert world.post("/admin/import", json=logins, headers=KEY).status_code == 200
    more = {"streamers": ["somebody", {"user_id": "2", "username": "other"}]}
    assert world.post("/admin/import", json=more, headers=KEY).status_code == 429
    assert world.get("/streamers", headers=KEY).get_json()["count"] == 1


def test_more_lookups_at_once_than_the_limit_use_up_all_of_it() -> None:
    world = build_world(lookup_limit=3)
    logins = [f"login_{number}" for number in range(950)]
    assert world.post("/streamers", json={"usernames": logins}).status_code == 200
    assert statuses(world, 1, "/streamers/somebody/status") == [429]


def test_all_clients_together_leave_a_part_of_twitchs_rate_limit() -> None:
    world = build_world(lookup_limit=2)
    answered = [
        world.get(f"/streamers/nobody_{n}/status", **from_address(f"192.0.2.{n}")).status_code
        for n in range(9)
    ]
    assert answered == [404] * 8 + [429]


def test_addresses_that_use_up_their_lookups_leave_those_of_keys() -> None:
    world = build_world(lookup_limit=2, api_keys=("a-full-key",))
    for number in range(9):
        statuses(world, 2, f"/streamers/n_{number}/status", **from_address(f"192.0.2.{number}"))
    assert statuses(world, 1, "/streamers/nobody/status", **from_address("192.0.2.99")) == [429]
    world.twitch.add_user("shroud")
    key = {"Authorization": "Bearer a-full-key"}
    added = world.post("/streamers", json={"usernames": ["shroud"]}, headers=key)
    assert (added.status_code, added.get_json()["added"]) == (200, ["shroud"])


class Uncounting(MemoryCoordination):
    def increment_window(self, name: str, seconds: float, times: int = 1) -> WindowCount:
        raise StorageUnavailable("connection refused")


def test_requests_pass_while_the_storage_cannot_count(world: World) -> None:
    world.storage.coordination = Uncounting(threading.RLock(), time.monotonic)
    assert statuses(world, 10, "/") == [200] * 10
    assert statuses(world, 5, "/streamers/nobody/status") == [404] * 5


class HangingTwitch(FakeTwitch):
    """Answers no request until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Semaphore(0)
        self.answer = threading.Event()

    def users(self, **asked: Any) -> FoundUsers:
        self.asked.release()
        assert self.answer.wait(20)
        return FoundUsers()


@pytest.fixture
def hanging() -> Iterator[HangingTwitch]:
    twitch = HangingTwitch()
    yield twitch
    twitch.answer.set()


def test_a_twitch_that_hangs_is_waited_for_by_a_quarter_of_the_threads(
    hanging: HangingTwitch,
) -> None:
    world = build_world(web_threads=8)
    world.twitch = hanging
    world.send(messages.online())
    with ThreadPoolExecutor(2) as threads:
        waiting = [
            threads.submit(world.app.test_client().get, f"/streamers/nobody_{n}/status")
            for n in range(2)
        ]
        for _ in waiting:
            assert hanging.asked.acquire(timeout=10)

        refused = world.get("/streamers/somebody/status")
        problem(refused, 503)
        assert refused.headers["Retry-After"] == "2"
        assert world.get("/streamers/cool_user/status").status_code == 200

        hanging.answer.set()
        assert [done.result().status_code for done in waiting] == [404, 404]
    assert world.get("/streamers/somebody/status").status_code == 404
