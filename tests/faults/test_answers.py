"""Twitch is answered within two seconds, whatever hangs and however many ask."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from streamwatch.domain.models import User
from streamwatch.simulator import CallFault, Simulator
from tests import messages
from tests.e2e.conftest import SECRET, twitch_settings
from tests.processes import Deployment, deployment
from tests.servers import Server, mongo_server, redis_server
from tests.waiting import wait_for

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("answers")]  # seconds are measured

SECONDS = 4.0
"""How long the messages come."""

CROWD = 24
"""More than there are web threads."""


@contextmanager
def web(folder: Path, redis: Server, twitch: Simulator, **settings: str) -> Iterator[Deployment]:
    """The web tier alone, its analytics in memory unless `settings` say otherwise."""
    with deployment(folder / "service", **twitch_settings(twitch)) as service:
        service.environment |= {
            "STORAGE_TYPE": "redis",
            "REDIS_URL": redis.url,
            "ANALYTICS_TYPE": "memory",
            "RATE_LIMIT": "0",
            "LOOKUP_LIMIT": "0",
        }
        service.start("web", **settings)
        service.wait_until_up()
        yield service


def flood(service: Deployment, senders: int) -> tuple[Counter[int], float]:
    """Messages from so many connections at once: how they were answered, and the slowest."""
    until = time.monotonic() + SECONDS

    def send(sender: int) -> list[tuple[int, float]]:
        answers = []
        user = User(f"{sender}", f"user_{sender}", f"User_{sender}")
        while time.monotonic() < until:
            message = messages.online(user, f"{time.monotonic_ns()}", secret=SECRET)
            start = time.monotonic()
            answer = requests.post(
                service.webhook_url,
                data=message.body,
                headers=message.headers | {"Connection": "close"},
                timeout=20,
            )
            answers.append((answer.status_code, time.monotonic() - start))
        return answers

    with ThreadPoolExecutor(senders) as threads:
        answers = [answer for some in threads.map(send, range(senders)) for answer in some]
    return Counter(status for status, _ in answers), max(seconds for _, seconds in answers)


def test_a_frozen_redis_is_told_in_time_to_many_at_once(tmp_path: Path) -> None:
    with (
        Simulator() as twitch,
        redis_server() as redis,
        web(tmp_path, redis, twitch) as service,
    ):
        statuses, _ = flood(service, 4)
        assert set(statuses) == {204}
        redis.freeze()
        statuses, slowest = flood(service, 32)
        redis.thaw()
        assert set(statuses) == {503}
        assert slowest < 2
        statuses, _ = flood(service, 4)
        assert statuses[204] > statuses[503]


def crowd(threads: ThreadPoolExecutor, service: Deployment, path: str) -> list[Future[set[int]]]:
    """Clients who ask for `path`, with their number in it, for as long as messages come; how they
    are answered."""
    until = time.monotonic() + 2 * SECONDS

    def ask(client: int) -> set[int]:
        statuses = set()
        while time.monotonic() < until:
            answer = requests.get(service.url + path.format(client), timeout=60)
            statuses.add(answer.status_code)
            time.sleep(0.05)
        return statuses

    return [threads.submit(ask, client) for client in range(CROWD)]


def test_messages_are_taken_while_lookups_hang(tmp_path: Path) -> None:
    with (
        Simulator() as twitch,
        redis_server() as redis,
        web(tmp_path, redis, twitch) as service,
        ThreadPoolExecutor(CROWD) as threads,
    ):
        for path in ("/oauth2/token", "/helix/users"):
            twitch.faults.on_call(path, CallFault(delay=5), times=10_000)
        asking = crowd(threads, service, "/streamers/nobody_{}/status")
        time.sleep(1)
        statuses, slowest = flood(service, 4)
        assert set(statuses) == {204}
        assert slowest < 2
        assert set().union(*(one.result() for one in asking)) >= {503}


def test_messages_are_taken_while_mongodb_is_frozen(tmp_path: Path) -> None:
    with (
        Simulator() as twitch,
        redis_server() as redis,
        mongo_server() as mongo,
        web(tmp_path, redis, twitch, ANALYTICS_TYPE="mongodb", MONGODB_URL=mongo.url) as service,
        ThreadPoolExecutor(CROWD) as threads,
    ):
        assert service.get("/analytics/summary")
        mongo.freeze()
        asking = crowd(threads, service, "/analytics/summary?client={}")
        time.sleep(1)
        statuses, slowest = flood(service, 4)
        assert set().union(*(one.result() for one in asking)) >= {503}
        mongo.thaw()
        assert set(statuses) == {204}
        assert slowest < 2
        wait_for(lambda: service.answers("/analytics/summary"))
