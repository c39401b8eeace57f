"""The simulated Helix: its limits, shapes and refusals."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from streamwatch.simulator import CallFault, Simulator
from streamwatch.twitch.parsing.streams import stream_from
from tests.simulator.conftest import Client


def test_a_wrong_secret_gets_no_token(twitch: Simulator) -> None:
    form = {
        "client_id": twitch.client_id,
        "client_secret": "wrong",
        "grant_type": "client_credentials",
    }
    answer = requests.post(f"{twitch.auth_url}/token", data=form, timeout=5)
    assert answer.status_code == 403
    assert "access_token" not in answer.json()


@pytest.mark.parametrize("header", ["Authorization", "Client-Id"])
def test_a_call_needs_token_and_client_id(client: Client, header: str) -> None:
    del client.headers[header]
    answer = client.get("users", login="shroud")
    assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")


def test_an_expired_token_is_refused_and_a_new_one_is_accepted(
    twitch: Simulator, client: Client
) -> None:
    twitch.oauth.expire_all()
    assert client.get("users", login="shroud").status_code == 401
    client.sign_in()
    assert client.get("users", login="shroud").status_code == 200


def test_users_who_do_not_exist_are_left_out(client: Client, shroud: str) -> None:
    answer = client.get("users", login=["QuillAndCopper", "nobody_at_all"], id=shroud).json()
    assert [(user["id"], user["login"], user["display_name"]) for user in answer["data"]] == [
        (shroud, "shroud", "shroud"),
        ("40000002", "quillandcopper", "QuillAndCopper"),
    ]


def test_at_most_100_ids_and_logins_together_are_allowed(client: Client) -> None:
    logins, ids = [f"user{n}" for n in range(60)], [str(n) for n in range(40)]
    assert client.get("users", login=logins, id=ids).status_code == 200
    assert client.get("users", login=logins, id=[*ids, "40"]).status_code == 400
    assert client.get("users").status_code == 400


def test_a_renamed_user_keeps_the_id(twitch: Simulator, client: Client, shroud: str) -> None:
    twitch.world.rename("shroud", "Shroud_Again")
    assert client.get("users", login="shroud").json()["data"] == []
    assert client.get("users", login="shroud_again").json()["data"][0]["id"] == shroud


def test_a_stream_is_listed_while_it_is_live(
    twitch: Simulator, client: Client, shroud: str
) -> None:
    assert client.get("streams", user_id=shroud).json()["data"] == []
    stream = twitch.world.go_online("shroud", viewers=5, category="Chess", title="e4")
    twitch.world.set_viewers("shroud", 7)
    (shown,) = client.get("streams", user_id=[shroud, "9999"]).json()["data"]
    assert (shown["user_id"], shown["user_login"], shown["user_name"]) == (shroud, *["shroud"] * 2)
    assert stream_from(shown, datetime.now(UTC)) == twitch.world.stream("shroud")
    assert (shown["id"], shown["viewer_count"], shown["game_name"]) == (stream.id, 7, "Chess")
    twitch.world.go_offline("shroud")
    assert client.get("streams", user_id=shroud).json()["data"] == []


def test_helix_can_lag_behind(twitch: Simulator, client: Client, shroud: str) -> None:
    twitch.faults.helix_lag = timedelta(hours=1)
    twitch.world.go_online("shroud")
    assert client.get("streams", user_id=shroud).json()["data"] == []
    twitch.faults.helix_lag = timedelta(0)
    assert len(client.get("streams", user_id=shroud).json()["data"]) == 1


def test_a_lagging_helix_still_lists_an_ended_stream(
    twitch: Simulator, client: Client, shroud: str
) -> None:
    now = twitch.world.go_online("shroud").started_at
    twitch.world.go_offline("shroud")
    twitch.world.go_online("shroud", at=now - timedelta(minutes=9))
    ended = twitch.world.go_offline("shroud", at=now + timedelta(minutes=9))
    twitch.faults.helix_lag = timedelta(minutes=1)
    (shown,) = client.get("streams", user_id=shroud).json()["data"]
    assert shown["id"] == ended.id


def test_a_page_has_20_streams_unless_more_are_requested(twitch: Simulator, client: Client) -> None:
    ids = [twitch.world.add_user(f"extra{n}").user_id for n in range(30)]
    for n in range(30):
        twitch.world.go_online(f"extra{n}", viewers=n)
    page = client.get("streams", user_id=ids).json()
    assert [stream["viewer_count"] for stream in page["data"]] == list(range(29, 9, -1))
    rest = client.get("streams", user_id=ids, after=page["pagination"]["cursor"]).json()
    assert [stream["viewer_count"] for stream in rest["data"]] == list(range(9, -1, -1))
    assert rest["pagination"] == {}
    assert len(client.get("streams", user_id=ids, first=100).json()["data"]) == 30


def test_streams_of_more_than_100_ids_or_of_unknown_logins_are_refused(client: Client) -> None:
    assert client.get("streams", user_id=[str(n) for n in range(101)]).status_code == 400
    assert client.get("streams", first=101).status_code == 400
    assert client.get("streams", user_login="nobody_at_all").status_code == 400


def test_the_rate_limit_is_reported_and_enforced(twitch: Simulator, client: Client) -> None:
    twitch.bucket.points = 3
    answers = [client.get("users", login="shroud") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["Ratelimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["Ratelimit-Limit"] == "3"
    assert int(answers[3].headers["Ratelimit-Reset"]) > int(answers[0].headers["Ratelimit-Reset"])


def test_calls_fail_as_commanded_and_are_recorded(twitch: Simulator, client: Client) -> None:
    twitch.faults.on_call("/helix/streams", CallFault(500), times=2, after=1)
    twitch.faults.on_call("/helix/streams", CallFault(429, reset_in=30))
    answers = [client.get("streams", user_id="1") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 500, 500, 429, 200]
    assert answers[3].headers["Ratelimit-Remaining"] == "0"
    recorded = [call for call in twitch.calls if call.path == "/helix/streams"]
    assert [call.status for call in recorded] == [200, 500, 500, 429, 200]
    assert recorded[0].params == {"user_id": ["1"]}


def test_half_a_listing_leaves_out_every_second_stream(twitch: Simulator, client: Client) -> None:
    for login in ("shroud", "waldkauzig", "yuzukazan_", "abajurazul_"):
        twitch.world.go_online(login)
    twitch.faults.on_call("/helix/streams", CallFault(half=True))
    assert len(client.get("streams").json()["data"]) == 2
    assert len(client.get("streams").json()["data"]) == 4


def test_a_slow_call_does_not_delay_the_others(twitch: Simulator, client: Client) -> None:
    twitch.faults.on_call("/helix/streams", CallFault(delay=60))
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{twitch.api_url}/streams", headers=client.headers, timeout=0.2)
    assert client.get("streams").status_code == 200


def test_a_token_is_validated(twitch: Simulator, client: Client) -> None:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    url = f"{twitch.auth_url}/validate"
    valid = requests.get(url, headers={"Authorization": f"OAuth {token}"}, timeout=5)
    assert valid.json()["client_id"] == twitch.client_id
    assert 0 < valid.json()["expires_in"] <= twitch.oauth.lifetime.total_seconds()
    wrong = requests.get(url, headers={"Authorization": "OAuth wrong"}, timeout=5)
    assert wrong.status_code == 401


def test_channels_show_title_and_category_live_or_offline(
    twitch: Simulator, client: Client, shroud: str
) -> None:
    twitch.world.update_channel("shroud", title="Soon", category="Chess")
    (channel,) = client.get("channels", broadcaster_id=[shroud]).json()["data"]
    assert (channel["title"], channel["game_name"], channel["game_id"]) == ("Soon", "Chess", "743")
    assert client.get("channels").status_code == 400


@pytest.mark.parametrize("path", ["streams", "users", "nothing/here"])
def test_every_helix_response_has_the_rate_limit_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Ratelimit-Limit"] == "800"
    assert int(headers["Ratelimit-Remaining"]) < 800
    assert int(headers["Ratelimit-Reset"]) > 0


def test_an_unknown_path_is_404(client: Client) -> None:
    assert client.get("clips").status_code == 404
