"""Past streams from archived videos, over the API."""

from datetime import timedelta
from typing import Any

import pytest

from streamwatch.analytics.testing.build import as_input, offline, online, snapshot
from streamwatch.domain.models import Video
from streamwatch.domain.times import utc_now
from streamwatch.services.analytics.backfills import IDLE_SECONDS, Backfills
from tests.api.world import World, build_world, problem

BACKFILL = "/analytics/streamer/Ann/backfill"

NEVER = {
    "status": "never",
    "found": 0,
    "added": 0,
    "known": 0,
    "skipped": 0,
    "skipped_reasons": {},
    "error": None,
}


def make_world(**settings: Any) -> World:
    credentials = {"twitch_client_id": "id", "twitch_client_secret": "secret"}
    return build_world(**credentials | {"backfill_on_add": False} | settings)


@pytest.fixture
def world() -> World:
    return make_world()


def read_videos(world: World) -> None:
    """What the worker does."""
    backfills = Backfills(world.storage, world.twitch, world.analytics, utc_now)
    while backfills.run_next() != IDLE_SECONDS:
        pass


def give_video(world: World, user_id: str, stream_id: str | None, days_ago: int) -> None:
    start = utc_now().replace(microsecond=0) - timedelta(days=days_ago)
    end = start + timedelta(hours=2)
    url = f"https://www.twitch.tv/videos/{days_ago}"
    video = Video(str(days_ago), stream_id, start, end, "Past", "de", url)
    world.twitch.videos_of.setdefault(user_id, []).append(video)


def test_a_monitored_streamer_without_statistics_is_backfilled(world: World) -> None:
    world.add("ann")
    assert world.get(BACKFILL).get_json() == NEVER
    give_video(world, "id-of-ann", "s1", 3)
    give_video(world, "id-of-ann", None, 9)

    response = world.post(BACKFILL)
    assert (response.status_code, response.get_json()) == (202, {"message": "Queued: ann"})
    assert world.get(BACKFILL).get_json() == NEVER | {"status": "queued"}
    read_videos(world)

    assert world.get(BACKFILL).get_json() == NEVER | {
        "status": "done",
        "found": 2,
        "added": 1,
        "skipped": 1,
        "skipped_reasons": {"no stream id": 1},
    }
    [session] = world.get("/analytics/streamer/ann/sessions").get_json()["sessions"]
    expected = {
        "stream_id": "s1",
        "duration_minutes": 120,
        "avg_viewers": None,
        "max_viewers": None,
        "hours_watched": None,
        "snapshot_count": 0,
        "coverage": 0,
        "title": "Past",
        "language": "de",
        "source": "vod",
        "vod_url": "https://www.twitch.tv/videos/3",
    }
    assert session | expected == session
    details = world.get("/analytics/streamer/ann/sessions/s1").get_json()
    assert details["source"] == "vod"
    stats = world.get("/analytics/streamer/ann/stats?days=7").get_json()
    assert (stats["total_hours_streamed"], stats["avg_viewers_all_time"]) == (2, None)
    assert stats["window"]["hours_streamed"] == 2
    days = world.get("/analytics/streamer/ann/trend?days=7").get_json()["days"]
    assert sum(day["hours_streamed"] for day in days) == 2
    cells = world.get("/analytics/streamer/ann/schedule").get_json()["schedule"]
    assert round(sum(cell["hours_live"] for cell in cells)) == 2
    top = world.get("/analytics/top-streamers/hours").get_json()["top_streamers"]
    assert [stats["broadcaster_login"] for stats in top] == ["ann"]
    assert world.get("/events").get_json()["count"] == 0


def test_an_observed_session_gets_the_address_of_its_video(world: World) -> None:
    seconds = -3 * 86_400.0
    start = utc_now().replace(microsecond=0) - timedelta(days=3)
    observed = as_input(
        online("s1", seconds, user_id="id-of-ann", login="ann"),
        snapshot("s1", seconds + 60, 7, started=seconds, user_id="id-of-ann", login="ann"),
        offline("s1", seconds + 600, user_id="id-of-ann", login="ann"),
    )
    world.analytics.project(observed)
    [before] = world.get("/analytics/streamer/ann/sessions").get_json()["sessions"]
    assert (before["source"], before["vod_url"]) == ("observed", None)
    url = "https://www.twitch.tv/videos/1"
    video = Video("1", "s1", start, start + timedelta(hours=2), "Past", "de", url)
    world.twitch.videos_of["id-of-ann"] = [video]
    assert world.post(BACKFILL).status_code == 202
    read_videos(world)
    [after] = make_sessions(world)
    assert after == before | {"vod_url": url}


def make_sessions(world: World) -> Any:
    return world.get("/analytics/streamer/ann/sessions").get_json()["sessions"]


@pytest.mark.parametrize("is_on", [True, False])
def test_a_new_streamer_is_backfilled_unless_it_is_switched_off(
    is_on: bool,
) -> None:
    world = make_world(backfill_on_add=is_on)
    world.add("ann")
    assert world.get(BACKFILL).get_json()["status"] == ("queued" if is_on else "never")


def test_the_backfill_of_an_unknown_streamer_is_404(world: World) -> None:
    problem(world.post(BACKFILL), 404)
    problem(world.get(BACKFILL), 404)


def test_without_credentials_it_is_503() -> None:
    world = build_world()
    world.add("ann")
    assert "TWITCH_CLIENT_ID" in problem(world.post(BACKFILL), 503)["detail"]
