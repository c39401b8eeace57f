from typing import Any

import pytest
import requests
import responses

from streamwatch.twitch.base import FoundUsers, TwitchBusy, TwitchRefused, TwitchUnavailable
from streamwatch.twitch.client import Helix
from streamwatch.twitch.rate_limit import MAX_RESET
from tests.twitch.conftest import API, FakeTime, MakeHelix

Mock = responses.RequestsMock

USERS = f"{API}/users"
NOBODY: dict[str, Any] = {"data": []}


def test_a_503_is_retried_once_as_twitch_recommends(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    twitch.get(USERS, status=503)
    twitch.get(USERS, json=NOBODY)

    assert helix.users(logins=["shroud"]) == FoundUsers()
    assert time.waits == [0.75]


def test_a_second_503_is_not_retried(helix: Helix, twitch: Mock, time: FakeTime) -> None:
    twitch.get(USERS, status=503)
    twitch.get(USERS, status=503)

    with pytest.raises(TwitchUnavailable, match="503"):
        helix.users(logins=["shroud"])
    assert time.waits == [0.75]


@pytest.mark.parametrize("failure", [{"status": 500}, {"body": requests.ConnectionError()}])
def test_other_failures_are_retried_twice_with_growing_delays(
    helix: Helix, twitch: Mock, time: FakeTime, failure: dict[str, Any]
) -> None:
    for _ in range(3):
        twitch.get(USERS, **failure)

    with pytest.raises(TwitchUnavailable):
        helix.users(logins=["shroud"])
    assert time.waits == [0.75, 1.5]


def test_delays_have_jitter(make_helix: MakeHelix, twitch: Mock, time: FakeTime) -> None:
    chances = iter([0.0, 1.0])
    for _ in range(3):
        twitch.get(USERS, status=500)

    with pytest.raises(TwitchUnavailable):
        make_helix(jitter=lambda: next(chances)).users(logins=["shroud"])
    assert time.waits == [0.5, 2.0]


def test_a_refusal_is_not_retried(helix: Helix, twitch: Mock, time: FakeTime) -> None:
    twitch.get(USERS, status=400, json={"message": "Invalid login names"})

    with pytest.raises(TwitchRefused, match="400: Invalid login names") as raised:
        helix.users(logins=["shroud"])
    assert raised.value.status == 400
    assert time.waits == []


@pytest.mark.parametrize("message", ["x" * 201, "line\nbreak", "\x1b[31mred", "", 7, None])
def test_long_or_unprintable_messages_are_left_out(
    helix: Helix, twitch: Mock, message: Any
) -> None:
    twitch.get(USERS, status=400, json={"message": message})

    with pytest.raises(TwitchRefused) as raised:
        helix.users(logins=["shroud"])
    assert str(raised.value) == "Twitch refused GET /users with 400"


def test_a_redirect_is_not_followed(helix: Helix, twitch: Mock) -> None:
    twitch.get(USERS, status=302, headers={"Location": "https://elsewhere.test/"})

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.users(logins=["shroud"])
    assert len(twitch.calls) == 1


def test_an_empty_bucket_is_waited_for_until_it_is_full(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    twitch.get(USERS, status=429, headers={"Ratelimit-Reset": time.in_seconds(9)})
    twitch.get(USERS, json=NOBODY)

    assert helix.users(logins=["shroud"]) == FoundUsers()
    assert time.waits == [9.5]


def test_a_long_empty_bucket_is_busy_with_its_retry_time(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    twitch.get(USERS, status=429, headers={"Ratelimit-Reset": time.in_seconds(11)})

    with pytest.raises(TwitchBusy) as raised:
        helix.users(logins=["shroud"])
    assert raised.value.retry_after == 11
    assert time.waits == []


def test_an_implausible_reset_time_is_not_passed_on(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    twitch.get(USERS, status=429, headers={"Ratelimit-Reset": str(2**32 - 1)})

    with pytest.raises(TwitchBusy) as raised:
        helix.users(logins=["shroud"])
    assert raised.value.retry_after == MAX_RESET


def test_a_repeatedly_empty_bucket_is_busy(helix: Helix, twitch: Mock, time: FakeTime) -> None:
    for _ in range(3):
        twitch.get(USERS, status=429, headers={"Ratelimit-Reset": time.in_seconds(100_000_000_000)})

    with pytest.raises(TwitchBusy) as raised:
        helix.users(logins=["shroud"])
    assert raised.value.retry_after == 1
    assert time.waits == [1.5, 1.5]


@pytest.mark.parametrize("headers", [{}, {"Ratelimit-Reset": "0"}, {"Ratelimit-Reset": "soon"}])
def test_a_429_without_a_reset_time_is_retried_after_a_second(
    helix: Helix, twitch: Mock, time: FakeTime, headers: dict[str, str]
) -> None:
    twitch.get(USERS, status=429, headers=headers)
    twitch.get(USERS, json=NOBODY)

    assert helix.users(logins=["shroud"]) == FoundUsers()
    assert time.waits == [1.5]


@pytest.mark.parametrize(
    ("remaining", "seconds", "waits"),
    [
        (41, 60, []),  # more than a twentieth of 800 is left
        (40, 41, [1.0]),  # what is left is spread over the time until the bucket is full
        (9, 60, [2.0]),  # but no call waits longer than this
        (0, 1, [1.0]),
        (0, -5, []),  # full by now
    ],
)
def test_calls_are_delayed_while_the_bucket_is_low(
    helix: Helix, twitch: Mock, time: FakeTime, remaining: int, seconds: int, waits: list[float]
) -> None:
    limits = {
        "Ratelimit-Limit": "800",
        "Ratelimit-Remaining": str(remaining),
        "Ratelimit-Reset": time.in_seconds(seconds),
    }
    twitch.get(USERS, json=NOBODY, headers=limits)
    twitch.get(USERS, json=NOBODY)

    helix.users(logins=["shroud"])
    assert time.waits == []
    helix.users(logins=["shroud"])
    assert time.waits == waits
