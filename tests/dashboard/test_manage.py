"""The operator's pages: settings, keys and diagnostics."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from flask.testing import FlaskClient

from streamwatch.api import webhooks
from streamwatch.dashboard import diagnostics
from streamwatch.settings import Origin
from streamwatch.storage.base import JobRun
from streamwatch.worker.jobs import build_jobs
from tests import messages
from tests.api.world import World, build_world
from tests.messages import SECRET

KEYS = ("first-key", "second-key")
READ_KEY = "the-reading-key"


@pytest.fixture
def world() -> World:
    world = build_world(
        api_keys=KEYS,
        api_read_keys=(READ_KEY,),
        twitch_client_id="id",
        twitch_client_secret="secret",
        refresh_seconds=60,
        origins={
            "API_KEY": Origin.STORED,
            "API_READ_KEY": Origin.DOTENV,
            "REFRESH_SECONDS": Origin.ENVIRONMENT,
            "TWITCH_CLIENT_ID": Origin.STORED,
        },
    )
    world.client.post("/dashboard/login", data={"key": KEYS[0]})
    return world


def cells(client: FlaskClient, path: str) -> dict[str, list[str]]:
    """The cells of all tables, without tags, by the first cell of their row."""
    rows = re.findall(r"<tr>(.*?)</tr>", client.get(path).text, re.DOTALL)
    texts = [
        [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in re.split("</t[hd]>", row)[:-1]]
        for row in rows
    ]
    return {first: rest for first, *rest in texts}


def test_settings_page_says_where_each_value_comes_from(world: World) -> None:
    rows = cells(world.client, "/dashboard/manage/settings")
    assert rows["REFRESH_SECONDS"] == ["60", "environment"]
    assert rows["PORT"] == ["8000", "default"]
    assert rows["TWITCH_CLIENT_ID"][1] == "entered in the browser, stored in DATA_DIR"
    assert rows["API_KEY"] == ["2 values", "stored in DATA_DIR"]
    assert not any(name.endswith(("_IS_NEW", "_STORED")) for name in rows)


def test_settings_page_describes_the_keys_and_shows_no_secret(world: World) -> None:
    page = " ".join(world.client.get("/dashboard/manage/settings").text.split())
    assert '2 keys</td><td class="wrap">everything<' in page
    assert '1 key</td><td class="wrap">read all but /admin and /notifications<' in page
    assert "Without a key everybody can read, and add and remove streamers." in page
    assert not any(secret in page for secret in (*KEYS, READ_KEY, SECRET))


def test_diagnostics_without_a_problem_say_so(world: World) -> None:
    world.storage.coordination.heartbeat(datetime.now(UTC), seconds=60)
    page = world.client.get("/dashboard/manage/diagnostics").text
    assert "No problem was found" in page


def test_diagnostics_explain_problems_and_what_to_do(world: World) -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    world.storage.coordination.record_job(JobRun("refresh", at, 0.5, "Twitch did not answer."))
    world.storage.coordination.heartbeat(at, seconds=0)
    world.storage.feed.register("analytics")
    world.send(messages.online())
    [entry] = world.storage.feed.read("analytics", "test", 1, reclaim_seconds=60)
    world.storage.feed.add_dead_letter("analytics", entry, "cannot be read", at)
    page = " ".join(world.client.get("/dashboard/manage/diagnostics").text.split())
    assert "No problem was found" not in page
    for text in (
        "The worker has stopped",
        "streamwatch dev",  # with this storage the worker is a part of it
        "The job refresh failed",
        "Twitch did not answer. It runs again by itself",
        "streamwatch feed replay",
        "Polls viewers, titles and categories",
        "Computes sessions and statistics",
    ):
        assert text in page, text


def test_each_job_and_each_outcome_of_a_message_is_explained(world: World) -> None:
    jobs = build_jobs(world.app.extensions["streamwatch"])
    assert {job.name for job in jobs} == diagnostics.JOBS.keys()
    assert set(webhooks.OUTCOMES) == diagnostics.OUTCOMES.keys()


def test_streamers_are_searched_by_a_part_of_a_tag(world: World) -> None:
    world.add("ann")
    world.add("bob")
    headers = {"Authorization": f"Bearer {KEYS[0]}"}
    world.client.patch("/streamers/ann", json={"tags": ["friends"]}, headers=headers)
    page = world.client.get("/dashboard/manage?q=FRIEND").text
    assert "/dashboard/streamer/ann" in page
    assert "/dashboard/streamer/bob" not in page


def test_a_page_that_shows_refused_tags_can_be_searched(world: World) -> None:
    world.add("ann")
    token = re.search(r'name="token" value="([^"]+)"', world.client.get("/dashboard/manage").text)
    assert token
    form = {"token": token[1], "tags": "not a tag!"}
    refused = world.client.post("/dashboard/manage/streamers/ann/tags", data=form)
    assert refused.status_code == 422
    search = re.search(r'<form class="inline" role="search" action="([^"]+)"', refused.text)
    assert search
    assert "/dashboard/streamer/ann" in world.client.get(f"{search[1]}?q=ann").text


def test_a_removal_leads_back_to_the_filtered_list(world: World) -> None:
    for login in ("ann", "anna", "bob"):
        world.add(login)
    page = world.client.get("/dashboard/manage?q=ann").text
    token = re.search(r'name="token" value="([^"]+)"', page)
    action = re.search(r'action="([^"]+/streamers/anna/remove[^"]*)"', page)
    assert token
    assert action
    answer = world.client.post(unescape(action[1]), data={"token": token[1]})
    assert answer.location == "/dashboard/manage?q=ann&removed=anna"
    shown = world.client.get(answer.location).text
    assert "No longer monitored: anna." in shown
    assert "/dashboard/streamer/ann" in shown
    assert "/dashboard/streamer/bob" not in shown


def test_the_confirmation_of_a_removal_says_what_is_lost(world: World) -> None:
    world.add("ann")
    page = world.client.get("/dashboard/manage").text
    question = "Stop monitoring Ann? The history remains, tags are deleted."
    assert f'data-confirm="{question}"' in page
