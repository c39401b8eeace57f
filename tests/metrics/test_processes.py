"""The metrics of real processes, on a real Redis."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import gettempdir

import pytest
import requests

from streamwatch.simulator import Simulator
from tests import messages
from tests.child_processes import children
from tests.e2e.conftest import SECRET, twitch_settings
from tests.metrics.reading import Scrape, promtool
from tests.processes import Deployment, Process, deployment
from tests.servers import Server, redis_server
from tests.waiting import wait_for


@pytest.fixture
def redis() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, redis: Server) -> Iterator[Deployment]:
    """Two web processes on Redis."""
    settings = {
        "STORAGE_TYPE": "redis",
        "REDIS_URL": redis.url,
        "ANALYTICS_TYPE": "memory",
        "WEBHOOK_SECRET": SECRET,
        "WEB_CONCURRENCY": "2",
        "LOG_FORMAT": "json",
        "TMPDIR": str(tmp_path),
    }
    with deployment(tmp_path / "service", **settings) as deployed:
        yield deployed


def started(service: Deployment, **settings: str) -> Process:
    web = service.start("web", **settings)
    service.wait_until_up()
    return web


def workers(web: Process) -> set[int]:
    """The processes that gunicorn's master has forked."""
    return set(children(web.pid))


def is_replaced(web: Process, old: set[int]) -> bool:
    """Whether two processes serve, and none of them is one of `old`."""
    return len(workers(web)) == 2 and workers(web).isdisjoint(old)


def ask_on_new_connections(service: Deployment, times: int) -> None:
    """Connections spread over gunicorn's processes."""
    for _ in range(times):
        service.get("/streams/live")


def live_requests(service: Deployment) -> float:
    return Scrape(service.url).sum("http_requests_total", route="/streams/live", status="200")


def metrics_folders(folder: Path) -> list[Path]:
    return list(folder.glob("streamwatch-metrics-*"))


def test_requests_add_up_over_processes_restarts_and_a_reload(
    service: Deployment, tmp_path: Path
) -> None:
    web = started(service)
    asked = 0

    def have_both_answered() -> bool:
        nonlocal asked
        ask_on_new_connections(service, 5)
        asked += 5
        return len(list(tmp_path.glob("streamwatch-metrics-*/counter_*.db"))) == 2

    wait_for(have_both_answered, 20)
    assert live_requests(service) == asked

    before = workers(web)
    assert len(before) == 2
    for pid in before:  # one after the other, as with max_requests
        os.kill(pid, signal.SIGTERM)
        wait_for(partial(is_replaced, web, {pid}), 20)
    assert workers(web).isdisjoint(before)
    wait_for(lambda: service.answers("/health/live"))
    ask_on_new_connections(service, 10)
    assert live_requests(service) == asked + 10

    before = workers(web)
    (service.folder / ".env").write_text("REFRESH_SECONDS=often\n")  # a fault ends nothing
    web.signal(signal.SIGHUP)
    wait_for(partial(is_replaced, web, before), 20)
    wait_for(lambda: service.answers("/health/live"))
    assert len(metrics_folders(tmp_path)) == 1
    ask_on_new_connections(service, 5)
    assert live_requests(service) == asked + 15

    assert web.stop()[0] == 0
    assert "REFRESH_SECONDS: 'often' cannot be used" in web.log
    assert metrics_folders(tmp_path) == [], "the last process deletes the files of the counters"


def test_a_full_disk_does_not_concern_the_files_of_the_counters() -> None:
    code = "import streamwatch.server.metrics_directory as m; print(m.prepare().parent); m.remove()"
    environment = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    in_memory = os.access("/dev/shm", os.W_OK)  # noqa: S108
    assert said.stdout.strip() == ("/dev/shm" if in_memory else gettempdir())  # noqa: S108


def recorded_messages(service: Deployment) -> float:
    """The messages that were recorded: as duplicates where a poll was faster."""
    scrape = Scrape(service.url)
    outcomes = ("accepted", "duplicate")
    return sum(scrape.sum("webhook_messages_total", outcome=outcome) for outcome in outcomes)


def test_metrics_cover_all_processes_and_pass_promtool(service: Deployment, redis: Server) -> None:
    with Simulator() as twitch:
        settings = twitch_settings(twitch) | {
            "DEFAULT_STREAMERS": "shroud,QuillAndCopper",
            "REFRESH_SECONDS": "2",
            "VERIFY_SECONDS": "2",
            "WEBHOOK_URL": service.webhook_url,
            "WATCH_UPDATES": "false",
        }
        started(service, **settings)
        worker = service.start("worker", **settings)
        wait_for(lambda: Scrape(service.url).sum("subscriptions", status="enabled") == 4, 30)
        twitch.world.go_online("shroud")
        twitch.wait_until_delivered()
        forged = messages.online(secret="somebody-elses-secret")
        requests.post(service.webhook_url, data=forged.body, headers=forged.headers, timeout=5)
        wait_for(lambda: Scrape(service.url).labels("stream_viewers", "login") == {"shroud"}, 20)
        wait_for(lambda: Scrape(service.url).sum("helix_rate_limit_points") == 800, 30)
        wait_for(
            lambda: Scrape(service.url).sum("webhook_messages_total", outcome="refused:forged") == 1
        )
        wait_for(lambda: recorded_messages(service) == 1)
        wait_for(lambda: Scrape(service.url).sum("webhook_messages_total", outcome="verified") == 4)
        found = Scrape(service.url)
        assert found.sum("monitored_streamers") == 2
        assert found.sum("live_streamers") == 1
        assert found.sum("subscriptions_wanted") == 4
        assert found.sum("subscriptions_missing") == 0
        assert found.sum("subscription_cost_limit") == 10_000
        assert found.sum("webhook_messages_total", outcome="verified") == 4
        assert found.sum("leader_present") == 1
        assert found.sum("job_duration_seconds_count", job_name="refresh") >= 1
        assert found.sum("job_failing") == 0
        assert found.sum("helix_requests_total", path="/streams", status="200") >= 1
        assert found.sum("helix_requests_total", path="/token", status="200") == 1
        assert 0 < found.sum("helix_rate_limit_remaining_points") <= 800
        assert found.sum("last_event_timestamp_seconds") > 1_700_000_000
        assert found.sum("storage_up") == found.sum("analytics_up") == 1
        promtool("check", "metrics", stdin=found.text)
        runs = found.sum("job_duration_seconds_count", job_name="refresh")
        assert worker.stop()[0] == 0
        again = Scrape(service.url)
        assert again.sum("leader_present") == 0
        assert again.sum("job_duration_seconds_count", job_name="refresh") >= runs
        redis.freeze()
        dark = Scrape(service.url)
        redis.thaw()
        assert dark.sum("storage_up") == 0
        assert dark.sum("http_requests_total") > 0
        assert "streamwatch_live_streamers" not in dark.names
