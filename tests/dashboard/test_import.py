"""Manage: export and import."""

import json
import re
from io import BytesIO

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, stream_encode_multipart

from streamwatch.twitch.base import TwitchUnavailable
from tests.api.world import World, build_world

KEY = "first-key"
PATH = "/dashboard/manage/import"


@pytest.fixture
def world() -> World:
    world = build_world(api_keys=(KEY,), rate_limit=0)
    for login in ("shroud", "ann"):
        world.twitch.add_user(login)
    world.client.post("/dashboard/login", data={"key": KEY})
    return world


def send(world: World, content: bytes) -> TestResponse:
    page = world.client.get("/dashboard/manage").text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    form = {"token": token[1], "file": FileStorage(BytesIO(content), "file")}
    # Werkzeug's client does not close the temporary file of a large form.
    body, _, boundary = stream_encode_multipart(form, use_tempfile=False)
    content_type = f"multipart/form-data; boundary={boundary}"
    return world.client.post(PATH, data=body.read(), content_type=content_type)


def shown(response: TestResponse, world: World) -> str:
    """The page to which the response redirects."""
    assert response.status_code == 303
    return world.client.get(response.location or "").text


def monitored(world: World) -> set[str]:
    return {streamer.login for streamer in world.storage.streamers()}


def test_lines_of_a_file_are_added_and_unusable_lines_named(world: World) -> None:
    page = send(world, b"https://www.twitch.tv/Shroud\n\nnot-a-name\n@ann, nobody_here\n<b>\n").text
    assert monitored(world) == {"shroud", "ann"}
    assert "Line 3: &#39;not-a-name&#39;: Not a login:" in page
    assert "Line 5: &#39;&lt;b&gt;&#39;: Not a login:" in page
    assert "nobody_here" in page


def test_an_export_is_imported_even_if_it_is_larger_than_other_bodies(world: World) -> None:
    name = "x" * 256
    streamers = [
        {"user_id": str(n), "username": f"user_{n}", "display_name": name} for n in range(4_000)
    ]
    content = json.dumps({"streamers": streamers}).encode()
    assert len(content) > 1024 * 1024
    page = shown(send(world, content), world)
    assert len(monitored(world)) == 4_000
    assert "user_0, user_1" in page


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "The file has no names."),
        (b"\xff\xfe", "neither an export nor a text in UTF-8"),
        (b"{", "The file is not JSON"),
        (b'{"streamers": [7]}', "streamers.0: Neither an object nor a login."),
        (b"\n".join(b"user_%d" % n for n in range(10_001)), "at most 10,000 are allowed"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    world: World, content: bytes, fault: str
) -> None:
    response = send(world, content)
    assert response.status_code == 422
    assert fault in response.text
    assert monitored(world) == set()


def test_a_file_with_many_unusable_lines_is_answered_with_the_first_of_them(world: World) -> None:
    page = send(world, b"not-a-name\n" * 100_000).text
    assert "Line 100: " in page
    assert "Line 101: " not in page
    assert "99,900 more like these." in page


def test_a_result_that_fits_into_no_url_is_answered_at_once_and_polls_nothing(
    world: World,
) -> None:
    world.twitch.errors["subscribe"] = TwitchUnavailable("Twitch is down.")
    page = send(world, b"shroud\nnot-a-name\n").text
    assert monitored(world) == {"shroud"}
    assert "Line 2: " in page
    assert "data-poll" not in page


def test_the_export_can_be_downloaded_by_a_login_session(world: World) -> None:
    send(world, b"shroud")
    page = world.client.get("/dashboard/manage").text
    assert 'href="/admin/export"' in page
    assert 'href="/admin/export?secrets=true"' in page
    export = world.client.get("/admin/export")
    assert export.get_json()["streamers"][0]["username"] == "shroud"
    assert "attachment" in export.headers["Content-Disposition"]
