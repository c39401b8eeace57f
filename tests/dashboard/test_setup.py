"""The set-up page of a first run."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from streamwatch.services.monitoring.twitch_state import TwitchMonitor
from streamwatch.settings import Settings
from streamwatch.settings.credentials import credentials_file, load_credentials
from streamwatch.simulator import Simulator
from streamwatch.twitch.base import TwitchDenied, TwitchNotConfigured, TwitchUnavailable
from tests.api.world import World

PAGE = "/dashboard/setup"


@pytest.fixture
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def first_run(tmp_path: Path, twitch: Simulator, **settings: object) -> World:
    """A `streamwatch dev` on loopback with an empty data folder."""
    values: dict[str, object] = {
        "storage_type": "embedded",
        "data_dir": tmp_path / "data",
        "host": "127.0.0.1",
        "api_keys": ("the-api-key",),
        "twitch_api_url": twitch.api_url,
        "twitch_auth_url": twitch.auth_url,
    }
    return World(Settings(**(values | settings)))  # type: ignore[arg-type]  # by name


def credentials(twitch: Simulator) -> dict[str, object]:
    """The credentials as the environment would set them."""
    return {"twitch_client_id": twitch.client_id, "twitch_client_secret": twitch.client_secret}


def enter(world: World, client_id: str, client_secret: str) -> tuple[int, str]:
    answer = world.client.post(
        f"{PAGE}/credentials", data={"client_id": client_id, "client_secret": client_secret}
    )
    return answer.status_code, answer.text


def test_without_credentials_the_dashboard_leads_to_the_set_up(
    tmp_path: Path, twitch: Simulator
) -> None:
    client = first_run(tmp_path, twitch).client
    answer = client.get("/dashboard/")
    assert (answer.status_code, answer.location) == (302, PAGE)
    assert "dev.twitch.tv/console/apps" in client.get(PAGE).text


def test_a_visitor_who_skips_the_set_up_is_not_led_to_it_again(
    tmp_path: Path, twitch: Simulator
) -> None:
    world = first_run(tmp_path, twitch)
    skip = "/dashboard/?setup=later"
    assert f'href="{skip}"' in world.client.get(PAGE).text
    assert world.client.get(skip).location == "/dashboard/"
    assert world.client.get("/dashboard/").status_code == 200
    assert world.app.test_client().get("/dashboard/").location == PAGE


def test_accepted_credentials_are_stored_for_their_owner_only(
    tmp_path: Path, twitch: Simulator
) -> None:
    world = first_run(tmp_path, twitch)
    status, _ = enter(world, f" {twitch.client_id} ", twitch.client_secret)
    assert status == 303
    file = credentials_file(tmp_path / "data")
    assert file.stat().st_mode & 0o777 == 0o600
    stored = load_credentials(tmp_path / "data")
    assert stored is not None
    assert (stored.client_id, stored.client_secret) == (twitch.client_id, twitch.client_secret)
    page = world.client.get(PAGE).text
    assert "restarting" in page
    assert twitch.client_secret not in page


@pytest.mark.parametrize(
    "secret", ["0123456789abcdefghij0123456789", "short", "", "not alphanumeric!!", "x" * 5000]
)
def test_refused_credentials_are_not_stored(secret: str, tmp_path: Path, twitch: Simulator) -> None:
    world = first_run(tmp_path, twitch)
    status, text = enter(world, twitch.client_id, secret)
    assert status == 422
    assert 'role="alert"' in text
    assert secret == "" or secret not in text
    assert not credentials_file(tmp_path / "data").exists()


def test_a_refused_form_does_not_stop_the_page_from_following_the_restart(
    tmp_path: Path, twitch: Simulator
) -> None:
    world = first_run(tmp_path, twitch)
    enter(world, twitch.client_id, twitch.client_secret)
    _, text = enter(world, twitch.client_id, "short")
    assert f'<meta http-equiv="refresh" content="2; url={PAGE}">' in text


def test_an_unreachable_twitch_stores_nothing(tmp_path: Path, twitch: Simulator) -> None:
    world = first_run(tmp_path, twitch, twitch_auth_url="http://127.0.0.1:9")
    status, text = enter(world, twitch.client_id, twitch.client_secret)
    assert status == 422
    assert "The check with Twitch failed" in text
    assert not credentials_file(tmp_path / "data").exists()


def test_credentials_of_the_environment_take_precedence_and_the_page_says_so(
    tmp_path: Path, twitch: Simulator
) -> None:
    world = first_run(tmp_path, twitch, **credentials(twitch))
    assert "take precedence" in world.client.get(PAGE).text
    status, _ = enter(world, twitch.client_id, twitch.client_secret)
    assert status == 403


@pytest.mark.parametrize(
    "public",
    [{"host": "0.0.0.0"}, {"trusted_proxies": 1}],  # noqa: S104
    ids=["on another address", "behind a proxy"],
)
def test_in_public_the_set_up_needs_a_login(
    public: dict[str, object], tmp_path: Path, twitch: Simulator
) -> None:
    world = first_run(tmp_path, twitch, **public)
    page = world.client.get(PAGE).text
    assert "/dashboard/login" in page
    assert "client_secret" not in page
    status, _ = enter(world, twitch.client_id, twitch.client_secret)
    assert status == 403
    assert not credentials_file(tmp_path / "data").exists()


def test_another_site_cannot_enter_credentials(tmp_path: Path, twitch: Simulator) -> None:
    answer = first_run(tmp_path, twitch).client.post(
        f"{PAGE}/credentials",
        data={"client_id": twitch.client_id, "client_secret": twitch.client_secret},
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert not credentials_file(tmp_path / "data").exists()


def test_names_links_and_a_file_are_added(tmp_path: Path, twitch: Simulator) -> None:
    world = first_run(tmp_path, twitch, **credentials(twitch))
    world.twitch.add_user("shroud")
    world.twitch.add_user("pokimane")
    world.twitch.add_user("lirik")
    file = (BytesIO(b"lirik\nhttps://example.com/nobody\n"), "names.txt")
    answer = world.client.post(
        f"{PAGE}/streamers",
        data={"logins": "@shroud, https://www.twitch.tv/pokimane", "file": file},
    )
    assert answer.status_code == 200
    assert {s.login for s in world.storage.streamers()} == {"shroud", "pokimane", "lirik"}
    assert "https://example.com/nobody" in answer.text


def test_credentials_that_twitch_refuses_are_not_shown_as_connected(
    tmp_path: Path, twitch: Simulator
) -> None:
    world = first_run(tmp_path, twitch, **credentials(twitch))
    assert "Twitch refuses the credentials" not in world.client.get(PAGE).text
    TwitchMonitor(world.storage.coordination).observe("/token", 403)
    page = world.client.get(PAGE).text
    assert "Twitch refuses the credentials" in page
    assert "take precedence" not in page
    assert "Twitch refuses the credentials" in world.client.get("/dashboard/").text


def test_names_that_are_not_added_remain_in_the_form(tmp_path: Path, twitch: Simulator) -> None:
    world = first_run(tmp_path, twitch, **credentials(twitch))
    form = {"logins": "@Shroud not-a-name"}
    world.twitch.error = TwitchDenied("Twitch refused the credentials.", 403)
    answer = world.client.post(f"{PAGE}/streamers", data=form)
    assert answer.status_code == 422
    assert 'role="alert">Twitch refused the credentials.</p>' in answer.text
    assert ">@Shroud not-a-name</textarea>" in answer.text
    world.twitch.error = TwitchUnavailable("Twitch did not answer.")
    page = world.client.post(f"{PAGE}/streamers", data=form).text
    assert "Not added, as Twitch gave no usable answer" in page
    assert ">shroud</textarea>" in page


def test_more_than_a_thousand_names_are_refused(tmp_path: Path, twitch: Simulator) -> None:
    world = first_run(tmp_path, twitch, **credentials(twitch))
    names = " ".join(f"name_{number}" for number in range(1001))
    answer = world.client.post(f"{PAGE}/streamers", data={"logins": names})
    assert answer.status_code == 422
    assert "At most 1000 names" in answer.text
    assert names in answer.text  # for correction
    assert world.storage.streamers() == []


def test_other_storages_cannot_store_credentials(tmp_path: Path, twitch: Simulator) -> None:
    world = first_run(tmp_path, twitch, storage_type="memory")
    page = world.client.get(PAGE).text
    assert "Set <code>TWITCH_CLIENT_ID</code> and <code>TWITCH_CLIENT_SECRET</code>" in page
    assert "client_secret" not in page
    status, _ = enter(world, twitch.client_id, twitch.client_secret)
    assert status == 403
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("storage_type", ["embedded", "memory"])
def test_a_page_that_needs_credentials_leads_to_the_set_up_where_it_takes_them(
    tmp_path: Path, twitch: Simulator, storage_type: str
) -> None:
    world = first_run(tmp_path, twitch, storage_type=storage_type)
    world.twitch.error = TwitchNotConfigured("Not set.")
    headers = {"Authorization": "Bearer the-api-key"}
    form = {"logins": "shroud"}
    answer = world.client.post("/dashboard/manage/streamers", data=form, headers=headers)
    assert answer.status_code == 503
    assert "set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET" in answer.text
    assert "Load the page again" not in answer.text
    assert (f'href="{PAGE}"' in answer.text) == (storage_type == "embedded")
