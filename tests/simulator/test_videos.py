"""The simulated archive of videos."""

from datetime import timedelta
from typing import Any

import requests

from streamwatch.simulator import Simulator
from tests.simulator.conftest import Client


def videos(client: Client, user_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = client.get("videos", user_id=user_id, type="archive", **params)
    assert answer.status_code == 200
    listed: list[dict[str, Any]] = answer.json()["data"]
    return listed


def test_the_video_of_a_stream_grows_until_its_end(
    twitch: Simulator, client: Client, shroud: str
) -> None:
    stream = twitch.world.go_online("shroud", title="Growing")
    [video] = videos(client, shroud)
    assert (video["stream_id"], video["title"], video["type"]) == (stream.id, "Growing", "archive")
    end = stream.started_at + timedelta(hours=1, minutes=2, seconds=3)
    twitch.world.go_offline("shroud", at=end)
    [video] = videos(client, shroud)
    assert video["duration"] == "1h2m3s"
    twitch.world.resume("shroud")
    [video] = videos(client, shroud)
    assert video["stream_id"] == stream.id
    assert "h" not in video["duration"]


def test_a_video_may_be_late_deleted_muted_or_without_a_stream(
    twitch: Simulator, client: Client, shroud: str
) -> None:
    stream = twitch.world.go_online("shroud")
    begin = stream.started_at - timedelta(days=3)
    twitch.videos.add("shroud", None, begin, timedelta(seconds=90), is_muted=True)
    deleted = twitch.videos.add("shroud", "gone", begin, timedelta(hours=1))
    twitch.videos.delete(deleted.id)
    twitch.world.go_offline("shroud")
    twitch.videos.late = timedelta(hours=1)
    twitch.videos.name_streams = False
    twitch.world.go_online("shroud")
    assert [
        (video["stream_id"], bool(video["muted_segments"])) for video in videos(client, shroud)
    ] == [
        (stream.id, False),
        (None, True),
    ]


def test_videos_are_listed_in_pages(twitch: Simulator, client: Client, shroud: str) -> None:
    stream = twitch.world.go_online("shroud")
    for number in range(1, 5):
        begin = stream.started_at - timedelta(days=number)
        twitch.videos.add("shroud", f"s{number}", begin, timedelta(hours=1))
    page = client.get("videos", user_id=shroud, first=2).json()
    assert [video["stream_id"] for video in page["data"]] == [stream.id, "s1"]
    assert [
        video["stream_id"] for video in videos(client, shroud, after=page["pagination"]["cursor"])
    ] == [
        "s2",
        "s3",
        "s4",
    ]
    assert client.get("videos").status_code == 400
    assert videos(client, "1") == []


def test_the_control_api_adds_and_deletes_videos(
    twitch: Simulator, client: Client, shroud: str
) -> None:
    wanted = {"stream_id": "s1", "started_at": "2026-05-01T12:00:00Z", "seconds": 61, "muted": True}
    added = requests.post(f"{twitch.control_url}/videos/shroud", json=wanted, timeout=5)
    [video] = videos(client, shroud)
    assert (video["id"], video["duration"]) == (added.json()["id"], "1m1s")
    for command in (f"videos/delete/{video['id']}", "videos/late/60.5"):
        assert requests.post(f"{twitch.control_url}/{command}", timeout=5).status_code == 204
    assert videos(client, shroud) == []
