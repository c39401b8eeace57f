"""The start of the processes: wrong settings, absent servers, early challenges."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from streamwatch.simulator import CallFault, Simulator
from tests import messages
from tests.e2e.conftest import SECRET, challenge, twitch_settings
from tests.processes import Deployment, deployment
from tests.servers import free_port, redis_server
from tests.waiting import wait_for


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path / "service", WEBHOOK_SECRET=SECRET) as deployed:
        yield deployed


@pytest.mark.parametrize("name", ["web", "worker"])
def test_each_wrong_setting_is_one_line_at_the_start(service: Deployment, name: str) -> None:
    process = service.start(
        name, WEBHOOK_SECRET="short", PORT="http", REQUIRE_API_KEY="true", STORAGE_TYPE="redis"
    )
    assert process.wait() != 0
    lines = process.log.splitlines()
    assert [line.split(":")[0] for line in lines] == ["WEBHOOK_SECRET", "PORT", "API_KEY"]
    assert "short" not in process.log.replace("too short", "")


def test_an_unknown_backend_stops_the_start_and_lists_the_known_backends(
    service: Deployment,
) -> None:
    process = service.start("web", STORAGE_TYPE="sqlite")
    assert process.wait() != 0
    [line] = process.log.splitlines()
    assert line.startswith("STORAGE_TYPE: 'sqlite'")
    assert "memory" in line
    assert "redis" in line


def test_memory_storage_refuses_two_web_processes(service: Deployment) -> None:
    process = service.start("web", WEB_CONCURRENCY="2")
    assert process.wait() != 0
    assert process.log.startswith("WEB_CONCURRENCY: ")


MESSAGE = "STORAGE_TYPE=memory: the web process does the worker's work"


def test_a_worker_exits_with_0_beside_memory_storage_and_logs_json_without_a_terminal(
    service: Deployment,
) -> None:
    process = service.start("worker")
    assert process.wait() == 0
    assert [json.loads(line)["message"] for line in process.log.splitlines()] == [MESSAGE]


def test_a_console_gets_plain_lines(service: Deployment) -> None:
    done = service.run("streamwatch", "worker", LOG_FORMAT="console")
    assert done.returncode == 0
    assert re.fullmatch(rf"[\d-]+ [\d:,]+ INFO +streamwatch.worker: {MESSAGE}\n", done.stdout)


def test_a_challenge_is_answered_while_a_call_of_twitch_is_under_way(
    service: Deployment, twitch: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls_begun: list[str] = []
    fault_of_call = twitch.faults.of_call

    def delayed(path: str) -> CallFault:
        calls_begun.append(path)
        return fault_of_call(path)

    monkeypatch.setattr(twitch.faults, "of_call", delayed)
    twitch.faults.on_call("/oauth2/token", CallFault(delay=60), times=1000)
    settings = twitch_settings(twitch) | {"DEFAULT_STREAMERS": "shroud"}
    service.start("web", **settings, WEBHOOK_URL=service.webhook_url)
    service.wait_until_up()
    wait_for(lambda: bool(calls_begun))
    assert challenge(service).text == "pogchamp"
    assert twitch.calls == []  # none has ended yet


def test_processes_start_without_redis_and_work_once_it_is_there(
    service: Deployment, twitch: Simulator
) -> None:
    port = free_port()
    settings = twitch_settings(twitch) | {
        "STORAGE_TYPE": "redis",
        "REDIS_URL": f"redis://127.0.0.1:{port}",
        "ANALYTICS_TYPE": "memory",
        "DEFAULT_STREAMERS": "shroud",
        "WEBHOOK_URL": service.webhook_url,
    }
    web = service.start("web", **settings)
    worker = service.start("worker", **settings)
    service.wait_until_up()
    health = requests.get(f"{service.url}/health", timeout=5)
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert challenge(service).text == "pogchamp"
    event = messages.online(secret=SECRET)
    start = time.monotonic()
    refused = requests.post(service.webhook_url, data=event.body, headers=event.headers, timeout=5)
    assert time.monotonic() - start < 2
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    wait_for(lambda: "could not be renewed" in worker.log)
    with redis_server(port=port):
        wait_for(
            lambda: (
                service.answers("/streamers")
                and [s["is_active"] for s in service.get("/streamers")["streamers"]] == [True]
            ),
            30,
        )
    assert web.is_running
    assert worker.is_running
    assert "Traceback" not in service.logs


def test_a_restart_of_redis_loses_no_acknowledged_event(
    service: Deployment, tmp_path: Path
) -> None:
    with redis_server("--appendonly", "yes", "--appendfsync", "always") as redis:
        service.start("web", STORAGE_TYPE="redis", REDIS_URL=redis.url, ANALYTICS_TYPE="memory")
        service.wait_until_up()
        acknowledged, waiting = set(), []
        for number in range(60):
            if number == 20:
                redis.kill()
            if number == 40:
                redis.start()
            event = messages.online(stream_id=f"{9000 + number}", secret=SECRET)
            waiting.append(event)
            for message in list(waiting):  # Twitch sends again what was not acknowledged
                answer = requests.post(
                    service.webhook_url, data=message.body, headers=message.headers, timeout=5
                )
                if answer.status_code == 204:
                    waiting.remove(message)
                    acknowledged.add(message.headers["Twitch-Eventsub-Message-Id"])
                    continue
                assert answer.status_code == 503
                break
        assert not waiting
        assert len(acknowledged) == 60
        events = service.get("/events?limit=1000")["events"]
        # Each stream ends when the next one starts; those ends have the source `poll`.
        stored = [event["id"] for event in events if event["source"] == "eventsub"]
        assert len(stored) == 60
        assert set(stored) == acknowledged
        [status] = service.get("/streams/live")["live_streams"]
        assert status["stream_data"]["id"] == "9059"
