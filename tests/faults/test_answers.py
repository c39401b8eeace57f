"""A webhook message is answered within two seconds while databases or Twitch do not answer."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest
import requests

from streamwatch.domain.models import User
from streamwatch.simulator import CallFault, Simulator
from tests import messages
from tests.e2e.conftest import SECRET, twitch_settings
from tests.processes import Deployment, deployment
from tests.servers import Server, mongo_server, redis_server
from tests.waiting import wait_for

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("answers")]  # they measure seconds

SECONDS = 4.0
"""How long messages are sent."""

CLIENTS = 24
"""More clients than web threads."""


@contextmanager
def web(folder: Path, redis: Server, twitch: Simulator, **settings: str) -> Iterator[Deployment]:
    """Web processes without a worker; analytics in memory unless `settings` name another."""
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
    """Send messages from `senders` connections at once: answers by status, and the slowest in s."""
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
        answers = [answer for batch in threads.map(send, range(senders)) for answer in batch]
    return Counter(status for status, _ in answers), max(seconds for _, seconds in answers)


def test_frozen_redis_gives_503_within_two_seconds_to_many_senders(tmp_path: Path) -> None:
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


def start_clients(
    threads: ThreadPoolExecutor, service: Deployment, path: str
) -> list[Future[set[int]]]:
    """Start CLIENTS clients that request `path`, with their number in it, while messages are sent;
    each future gives the set of statuses that its client got. Returns once all have begun."""
    until = time.monotonic() + 2 * SECONDS
    all_begun = Barrier(CLIENTS + 1)

    def ask(client: int) -> set[int]:
        statuses = set()
        all_begun.wait(timeout=30)
        while time.monotonic() < until:
            answer = requests.get(service.url + path.format(client), timeout=60)
            statuses.add(answer.status_code)
            time.sleep(0.05)
        return statuses

    clients = [threads.submit(ask, client) for client in range(CLIENTS)]
    all_begun.wait(timeout=30)
    return clients


def test_messages_are_answered_while_lookups_hang(tmp_path: Path) -> None:
    with (
        Simulator() as twitch,
        redis_server() as redis,
        web(tmp_path, redis, twitch) as service,
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        for path in ("/oauth2/token", "/helix/users"):
            twitch.faults.on_call(path, CallFault(delay=5), times=10_000)
        clients = start_clients(threads, service, "/streamers/nobody_{}/status")
        statuses, slowest = flood(service, 4)
        assert set(statuses) == {204}
        assert slowest < 2
        assert set().union(*(client.result() for client in clients)) >= {503}


def test_messages_are_answered_while_mongodb_is_frozen(tmp_path: Path) -> None:
    with (
        Simulator() as twitch,
        redis_server() as redis,
        mongo_server() as mongo,
        web(tmp_path, redis, twitch, ANALYTICS_TYPE="mongodb", MONGODB_URL=mongo.url) as service,
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        assert service.get("/analytics/summary")
        mongo.freeze()
        clients = start_clients(threads, service, "/analytics/summary?_={}")
        statuses, slowest = flood(service, 4)
        assert set().union(*(client.result() for client in clients)) >= {503}
        mongo.thaw()
        assert set(statuses) == {204}
        assert slowest < 2
        wait_for(lambda: service.answers("/analytics/summary"))
