"""The whole service, with memory and Redis storage, and a simulated Twitch."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from streamwatch.simulator import MessageFault, Simulator
from tests import messages
from tests.e2e.conftest import API_KEY, SECRET
from tests.e2e.event_stream import listening
from tests.processes import Deployment
from tests.waiting import wait_for

shared = pytest.mark.xdist_group("e2e")  # one start for all


def live(service: Deployment) -> dict[str, Any]:
    """The live statuses by login."""
    answer = service.get("/streams/live")
    assert answer["count"] == len(answer["live_streams"])
    return {status["username"]: status for status in answer["live_streams"]}


def monitored(service: Deployment) -> dict[str, Any]:
    return {item["username"]: item for item in service.get("/streamers")["streamers"]}


def send(service: Deployment, message: messages.Message) -> int:
    answer = requests.post(
        service.webhook_url, data=message.body, headers=message.headers, timeout=5
    )
    return answer.status_code


@shared
def test_a_stream_goes_live_and_ends(
    shared_service: Deployment,
    shared_twitch: Simulator,
    streamer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, twitch = shared_service, shared_twitch
    # As Helix's, or a poll may be first to tell.
    monkeypatch.setattr(twitch.faults, "helix_lag", timedelta(seconds=3))

    twitch.world.go_online(streamer, viewers=24_000)
    twitch.wait_until_delivered()
    assert set(live(service)) == {streamer}
    wait_for(lambda: live(service)[streamer]["stream_data"]["viewer_count"] is not None)
    status = service.get(f"/streamers/{streamer}/status")
    assert status["source"] == "storage"
    assert status["is_live"] is True
    assert status["last_event_type"] == "stream.online"
    stream = twitch.world.stream(streamer)
    assert stream is not None
    assert status["stream_data"]["id"] == stream.id
    assert status["stream_data"]["game_name"]

    twitch.world.set_viewers(streamer, 31_000)
    wait_for(lambda: live(service)[streamer]["stream_data"]["viewer_count"] == 31_000)

    twitch.world.go_offline(streamer)
    twitch.wait_until_delivered()
    assert live(service) == {}
    events = service.get(f"/events/streamer/{streamer}")
    assert [event["event_type"] for event in events["events"]] == [
        "stream.offline",
        "stream.online",
    ]
    assert {event["source"] for event in events["events"]} == {"eventsub"}
    starts = service.get("/events/type/stream.online")["events"]
    assert [event["broadcaster_login"] for event in starts].count(streamer) == 1


@shared
def test_duplicate_late_and_flapping_messages_result_in_one_history(
    shared_service: Deployment, shared_twitch: Simulator, streamer: str
) -> None:
    service, twitch = shared_service, shared_twitch
    for fault in (MessageFault.DOUBLED, MessageFault.ECHOED):
        twitch.faults.on_message(fault)
        twitch.faults.on_message(fault)
        twitch.world.go_online(streamer)
        twitch.wait_until_delivered()
        twitch.world.go_offline(streamer)
        twitch.wait_until_delivered()
    twitch.faults.on_message(MessageFault.LATE)
    twitch.world.go_online(streamer)
    twitch.world.go_offline(streamer)
    twitch.wait_until_delivered()
    assert live(service) == {}
    twitch.world.go_online(streamer)
    twitch.world.flap(streamer)
    twitch.wait_until_delivered()
    assert set(live(service)) == {streamer}
    kinds = [e["event_type"] for e in service.get(f"/events/streamer/{streamer}")["events"]][::-1]
    assert kinds.count("stream.online") == 5
    assert kinds.count("stream.offline") == 4


@shared
def test_streamers_are_added_and_removed(
    shared_service: Deployment, shared_twitch: Simulator
) -> None:
    service, twitch = shared_service, shared_twitch
    twitch.world.go_online("waldkauzig")
    added = requests.post(f"{service.url}/streamers/Waldkauzig", timeout=10)
    assert (added.status_code, added.json()["message"]) == (201, "Added streamer: waldkauzig")
    wait_for(lambda: monitored(service)["waldkauzig"]["is_active"])
    assert set(live(service)) == {"waldkauzig"}
    assert requests.post(f"{service.url}/streamers/waldkauzig", timeout=10).status_code == 200
    assert requests.post(f"{service.url}/streamers/nobody_here", timeout=10).status_code == 404

    callbacks = [s.user_id for s in twitch.subscriptions.all()]
    user_id = monitored(service)["waldkauzig"]["user_id"]
    assert callbacks.count(user_id) == 2
    removed = requests.delete(f"{service.url}/streamers/waldkauzig", timeout=10)
    assert removed.json()["message"] == "Removed streamer: waldkauzig"
    assert user_id not in [s.user_id for s in twitch.subscriptions.all()]
    assert live(service) == {}
    assert service.get("/events/streamer/waldkauzig")["count"] == 1
    assert requests.delete(f"{service.url}/streamers/waldkauzig", timeout=10).status_code == 404


@shared
def test_many_streamers_are_added_at_once(shared_service: Deployment) -> None:
    service = shared_service
    names = ["TortuVeloz_ES", "moorhenmarauder", "shroud", "nobody_here"]
    added = requests.post(f"{service.url}/streamers", json={"usernames": names}, timeout=10).json()
    assert added == {
        "added": ["tortuveloz_es", "moorhenmarauder"],
        "existing": ["shroud"],
        "not_found": ["nobody_here"],
        "failed": [],
    }
    wait_for(lambda: all(item["is_active"] for item in monitored(service).values()), 20)
    for login in added["added"]:
        assert requests.delete(f"{service.url}/streamers/{login}", timeout=10).ok


@shared
def test_a_streamer_who_is_not_monitored_is_looked_up_once(
    shared_service: Deployment, shared_twitch: Simulator
) -> None:
    service, twitch = shared_service, shared_twitch
    twitch.world.go_online("ossifiedotto", viewers=5)

    def calls() -> int:
        return sum("ossifiedotto" in call.params.get("login", []) for call in twitch.calls)

    for _ in range(3):
        status = service.get("/streamers/ossifiedotto/status")
        assert (status["source"], status["is_live"]) == ("twitch_api", True)
    assert calls() == 1
    assert requests.get(f"{service.url}/streamers/nobody_here/status", timeout=9).status_code == 404


@shared
def test_a_missed_online_is_found_by_the_refresh(
    shared_service: Deployment, shared_twitch: Simulator, streamer: str
) -> None:
    shared_twitch.faults.on_message(MessageFault.DROPPED)
    shared_twitch.world.go_online(streamer)
    wait_for(lambda: streamer in live(shared_service))
    [event] = shared_service.get(f"/events/streamer/{streamer}")["events"]
    assert event["source"] == "poll"


@shared
def test_refused_messages_change_nothing(shared_service: Deployment) -> None:
    before = shared_service.get("/events")
    forged = messages.online(secret="somebody-elses-secret")
    assert send(shared_service, forged) == 403
    assert send(shared_service, messages.message("notification", b"{}", secret=SECRET)) == 400
    assert shared_service.get("/events") == before


@shared
def test_the_first_pages_of_a_newcomer_answer_and_health_reports_a_running_worker(
    shared_service: Deployment,
) -> None:
    for path in ("/", "/health", "/health/live", "/openapi.json"):
        assert shared_service.get(path)
    wait_for(lambda: shared_service.get("/health")["worker"] == "running")
    assert shared_service.get("/health")["status"] == "healthy"


@shared
def test_sigterm_ends_event_streams_and_every_process_and_the_log_has_no_secret(
    shared_service: Deployment, shared_twitch: Simulator
) -> None:
    """The last test of the group: one after it would start the service again."""
    service, twitch = shared_service, shared_twitch
    with listening(service) as events:
        twitch.world.go_online("shroud")
        twitch.wait_until_delivered()
        send(service, messages.online(secret="somebody-elses-secret"))
        service.get("/streamers/waldkauzig/status")
        wait_for(lambda: live(service)["shroud"]["stream_data"]["viewer_count"] is not None)
        expected = {"stream.online", "stream.category", "stream.title", "stream.viewers"}
        while expected:
            expected.remove(next(events)["event"])
        for process in service.processes:
            # It fails after 30 s. An event stream that does not end would take 60 s (conftest.py);
            # tests/deploy/test_dev.py has the 10 s of the settings in production.
            status, _ = process.stop()
            assert status == 0, process.log
        assert list(events) == []
    logs = service.logs
    assert "Stream online: shroud (shroud)" in logs
    assert "Initializing status for 2 monitored streamers…" in logs
    assert "nobody_by_this_name" in logs
    assert "Traceback" not in logs
    for secret in (SECRET, API_KEY, twitch.client_secret, *twitch.oauth._expiries):
        assert secret not in logs
