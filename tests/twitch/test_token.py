import threading
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from streamwatch.domain.models import AppToken
from streamwatch.storage.base import StorageUnavailable
from streamwatch.twitch.base import FoundUsers, TwitchBusy, TwitchDenied, TwitchUnavailable
from streamwatch.twitch.client import Helix
from tests.twitch.conftest import (
    API,
    AUTH,
    CLIENT_ID,
    CLIENT_SECRET,
    TOKEN,
    FakeTime,
    MakeHelix,
    MemoryTokens,
    bearing,
    give_token,
)

Mock = responses.RequestsMock

USERS = f"{API}/users"
NOBODY: dict[str, Any] = {"data": []}


def test_a_stored_token_is_used_without_a_request(helix: Helix, twitch: Mock) -> None:
    twitch.get(USERS, json=NOBODY, match=[bearing(TOKEN)])

    helix.users(logins=["shroud"])


def test_the_first_call_gets_a_token_by_client_credentials_and_shares_it(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, time: FakeTime
) -> None:
    tokens.token = None
    give_token(twitch, "fresh", expires_in=5_184_000)
    twitch.get(USERS, json=NOBODY, match=[bearing("fresh")])

    helix.users(logins=["shroud"])

    request = twitch.calls[0].request
    assert request.url == f"{AUTH}/token"
    assert parse_qs(str(request.body)) == {
        "client_id": [CLIENT_ID],
        "client_secret": [CLIENT_SECRET],
        "grant_type": ["client_credentials"],
    }
    assert tokens.token == AppToken("fresh", time.now + timedelta(days=60, minutes=-10))


def test_a_token_is_replaced_before_it_expires(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, time: FakeTime
) -> None:
    tokens.token = None
    give_token(twitch, "first", expires_in=3600)
    twitch.get(USERS, json=NOBODY, match=[bearing("first")])
    twitch.get(USERS, json=NOBODY, match=[bearing("first")])
    give_token(twitch, "second", expires_in=3600)
    twitch.get(USERS, json=NOBODY, match=[bearing("second")])

    helix.users(logins=["shroud"])
    time.now += timedelta(seconds=3600 - 361)
    helix.users(logins=["shroud"])
    time.now += timedelta(seconds=1)
    helix.users(logins=["shroud"])


def test_a_token_valid_for_a_minute_is_used_more_than_once(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, time: FakeTime
) -> None:
    tokens.token = None
    give_token(twitch, "short", expires_in=60)
    twitch.get(USERS, json=NOBODY)
    twitch.get(USERS, json=NOBODY)

    helix.users(logins=["shroud"])
    time.now += timedelta(seconds=50)
    helix.users(logins=["shroud"])


def test_a_refused_token_is_replaced_and_the_call_is_repeated(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, time: FakeTime
) -> None:
    twitch.get(USERS, status=401, json={"message": "Invalid OAuth token"}, match=[bearing(TOKEN)])
    give_token(twitch, "fresh")
    twitch.get(USERS, json=NOBODY, match=[bearing("fresh")])

    assert helix.users(logins=["shroud"]) == FoundUsers()

    assert tokens.token
    assert tokens.token.value == "fresh"
    assert time.waits == []


def test_a_refused_new_token_is_not_replaced_again(helix: Helix, twitch: Mock) -> None:
    twitch.get(USERS, status=401, json={})
    give_token(twitch, "fresh")
    twitch.get(USERS, status=401, json={"message": "Client ID and OAuth token do not match"})

    with pytest.raises(TwitchDenied, match="do not match") as raised:
        helix.users(logins=["shroud"])

    assert raised.value.status == 401


def test_a_token_stored_by_another_process_is_used(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, time: FakeTime
) -> None:
    def refuse(_: Any) -> tuple[int, dict[str, str], str]:
        tokens.token = AppToken("theirs", time.now + timedelta(days=1))
        return 401, {}, "{}"

    twitch.add_callback("GET", USERS, refuse)
    twitch.get(USERS, json=NOBODY, match=[bearing("theirs")])

    helix.users(logins=["shroud"])


def test_concurrent_threads_request_one_token(make_helix: MakeHelix, tokens: MemoryTokens) -> None:
    tokens.token = None
    helix = make_helix()
    asked = threading.Event()
    let_go = threading.Event()

    def slow_token(_: Any) -> tuple[int, dict[str, str], str]:
        asked.set()
        assert let_go.wait(10)
        return 200, {}, '{"access_token": "fresh", "expires_in": 3600}'

    with responses.RequestsMock() as twitch:
        twitch.add_callback("POST", f"{AUTH}/token", slow_token)
        twitch.get(USERS, json=NOBODY, match=[bearing("fresh")])
        threads = [
            threading.Thread(target=helix.users, kwargs={"logins": ["shroud"]}) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        assert asked.wait(10)
        let_go.set()
        for thread in threads:
            thread.join(10)

        assert twitch.assert_call_count(f"{AUTH}/token", 1)
        assert twitch.assert_call_count(f"{USERS}?login=shroud", 6)


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "invalid client"), (401, "unauthorized"), (403, "invalid client secret")],
)
def test_refused_credentials_are_denied_without_a_retry(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, time: FakeTime, status: int, message: str
) -> None:
    tokens.token = None
    twitch.post(f"{AUTH}/token", status=status, json={"status": status, "message": message})

    with pytest.raises(TwitchDenied, match=message) as raised:
        helix.users(logins=["shroud"])

    assert raised.value.status == status
    assert time.waits == []


def test_a_failing_token_server_is_retried(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, time: FakeTime
) -> None:
    tokens.token = None
    twitch.post(f"{AUTH}/token", status=500)
    twitch.post(f"{AUTH}/token", status=429)
    give_token(twitch, "fresh")
    twitch.get(USERS, json=NOBODY)

    helix.users(logins=["shroud"])

    assert time.waits == [0.75, 1.5]


def test_a_rate_limited_token_server_is_busy(
    helix: Helix, twitch: Mock, tokens: MemoryTokens
) -> None:
    tokens.token = None
    for _ in range(3):
        twitch.post(f"{AUTH}/token", status=429)

    with pytest.raises(TwitchBusy):
        helix.users(logins=["shroud"])


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        '{"expires_in": 3600}',
        '{"access_token": "", "expires_in": 3600}',
        '{"access_token": "two words", "expires_in": 3600}',
        '{"access_token": "line\\nbreak", "expires_in": 3600}',
        '{"access_token": 7, "expires_in": 3600}',
        '{"access_token": "fresh"}',
        '{"access_token": "fresh", "expires_in": 0}',
        '{"access_token": "fresh", "expires_in": "3600"}',
        '{"access_token": "fresh", "expires_in": true}',
        '{"access_token": "fresh", "expires_in": 1e300}',
        '{"access_token": "fresh", "expires_in": 9007199254740991}',
    ],
)
def test_a_malformed_token_is_not_stored(
    helix: Helix, twitch: Mock, tokens: MemoryTokens, body: str
) -> None:
    tokens.token = None
    twitch.post(f"{AUTH}/token", body=body)

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.users(logins=["shroud"])

    assert tokens.token is None


def test_errors_of_the_token_store_are_passed_on(make_helix: MakeHelix) -> None:
    class Down:
        def app_token(self) -> AppToken | None:
            raise StorageUnavailable("down")

        def save_app_token(self, token: AppToken) -> None:
            raise StorageUnavailable("down")

    with pytest.raises(StorageUnavailable):
        make_helix(tokens=Down()).users(logins=["shroud"])


def test_a_token_that_another_call_drops_meanwhile_is_still_used(
    make_helix: MakeHelix, twitch: Mock, tokens: MemoryTokens, time: FakeTime
) -> None:
    twitch.get(USERS, json=NOBODY)
    twitch.get(USERS, status=401)  # of the other call, which then gets no new token
    twitch.post(f"{AUTH}/token", status=400)
    twitch.get(USERS, json=NOBODY, match=[bearing(TOKEN)])
    interruptions: list[str] = []

    def clock() -> datetime:
        """The other call is made while the first one checks when its token expires."""
        if interruptions:
            login = interruptions.pop()
            with pytest.raises(TwitchDenied):
                helix.users(logins=[login])
        return time.now

    helix = make_helix(clock=clock)
    helix.users(logins=["shroud"])
    tokens.token = None
    interruptions.append("other")
    helix.users(logins=["shroud"])
