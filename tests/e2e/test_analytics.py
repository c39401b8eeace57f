"""Sessions and statistics of the whole service, with MongoDB and in memory."""

from typing import Any

from streamwatch.simulator import Simulator
from tests.e2e.conftest import wait_for_subscriptions
from tests.processes import Deployment
from tests.waiting import wait_for


def sessions(service: Deployment, login: str) -> list[dict[str, Any]]:
    path = f"/analytics/streamer/{login}/sessions"
    if not service.answers(path):
        return []
    found: list[dict[str, Any]] = service.get(path)["sessions"]
    return found


def test_a_stream_becomes_a_session_with_statistics(service: Deployment, twitch: Simulator) -> None:
    wait_for_subscriptions(service, twitch)
    twitch.world.go_online("shroud", viewers=100)
    twitch.wait_until_delivered()
    wait_for(lambda: [s["ended_at"] for s in sessions(service, "shroud")] == [None])
    wait_for(lambda: any(s["snapshot_count"] >= 2 for s in sessions(service, "shroud")))
    assert service.get("/analytics/summary")["active_sessions"] == 1

    twitch.world.go_offline("shroud")
    twitch.wait_until_delivered()
    wait_for(lambda: any(s["ended_at"] is not None for s in sessions(service, "shroud")))
    [session] = sessions(service, "shroud")
    assert session["avg_viewers"] == session["max_viewers"] == 100
    assert session["category_name"]
    stats = service.get("/analytics/streamer/shroud/stats")
    assert (stats["total_streams"], stats["max_concurrent_viewers"]) == (1, 100)
    top = service.get("/analytics/top-streamers/hours")["top_streamers"]
    assert [item["broadcaster_login"] for item in top] == ["shroud"]
    assert service.get("/analytics/snapshots?broadcaster_login=shroud")["count"] >= 2
    assert service.get("/analytics/summary")["completed_sessions"] == 1
