"""Sessions and statistics of the whole service, with MongoDB and in memory."""

from typing import Any

import pytest

from streamwatch.simulator import Simulator
from tests.processes import Deployment
from tests.waiting import wait_for


def sessions(service: Deployment, login: str) -> list[dict[str, Any]]:
    path = f"/analytics/streamer/{login}/sessions"
    if not service.answers(path):
        return []
    found: list[dict[str, Any]] = service.get(path)["sessions"]
    return found


@pytest.mark.xdist_group("e2e")
def test_a_stream_becomes_a_session_with_statistics(
    shared_service: Deployment, shared_twitch: Simulator, streamer: str
) -> None:
    service, twitch = shared_service, shared_twitch
    wait_for(lambda: service.get("/analytics/summary")["active_sessions"] == 0)
    completed = service.get("/analytics/summary")["completed_sessions"]
    twitch.world.go_online(streamer, viewers=100)
    twitch.wait_until_delivered()
    wait_for(lambda: [s["ended_at"] for s in sessions(service, streamer)] == [None])
    wait_for(lambda: any(s["snapshot_count"] >= 2 for s in sessions(service, streamer)))
    assert service.get("/analytics/summary")["active_sessions"] == 1

    twitch.world.go_offline(streamer)
    twitch.wait_until_delivered()
    wait_for(lambda: any(s["ended_at"] is not None for s in sessions(service, streamer)))
    [session] = sessions(service, streamer)
    assert session["avg_viewers"] == session["max_viewers"] == 100
    assert session["category_name"]
    stats = service.get(f"/analytics/streamer/{streamer}/stats")
    assert (stats["total_streams"], stats["max_concurrent_viewers"]) == (1, 100)
    top = service.get("/analytics/top-streamers/hours")["top_streamers"]
    assert [item["broadcaster_login"] for item in top].count(streamer) == 1
    assert service.get(f"/analytics/snapshots?broadcaster_login={streamer}")["count"] >= 2
    assert service.get("/analytics/summary")["completed_sessions"] == completed + 1
