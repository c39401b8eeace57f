"""A Redis that does not answer: how soon its silence is reported, and what works meanwhile."""

import time
from functools import partial

import pytest

from streamwatch.analytics.redis import RedisAnalytics
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.testing import CAP
from streamwatch.analytics.testing.build import as_input, together
from streamwatch.app import create_app
from streamwatch.bootstrap import assemble
from streamwatch.redis_urls import client_maker
from streamwatch.settings import Settings
from streamwatch.storage.memory import MemoryStorage
from tests import messages
from tests.analytics.calls import CALLS, READS, answers, check_unavailable, history
from tests.fakes import FakeTwitch
from tests.servers import free_port, redis_server
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("redis")


def connected(url: str) -> RedisAnalytics:
    return RedisAnalytics(Connection(client_maker(url)), CAP)


def test_a_frozen_redis_is_reported_by_every_call_and_holds_up_nothing_else() -> None:
    with redis_server() as server:
        analytics = connected(server.url)
        analytics.project(as_input(*history("user-0", 8)))
        settings = Settings(webhook_secrets=(messages.SECRET,), webhook_url=messages.CALLBACK)
        services = assemble(settings, MemoryStorage(), FakeTwitch(), analytics)
        client = create_app(services=services).test_client()
        server.freeze()
        together(*(partial(check_unavailable, call, analytics) for call in CALLS.values()))
        message = messages.online()
        answer = client.post("/webhooks/eventsub", headers=message.headers, data=message.body)
        assert answer.status_code == 204
        assert client.get("/events").get_json()["count"] == 1
        assert client.get("/analytics/summary").status_code == 503
        health = client.get("/health").get_json()
        assert (health["status"], health["analytics"]) == ("degraded", "disconnected")
        server.thaw()
        wait_for(partial(answers, analytics))
        together(*(partial(read, analytics) for read in READS.values()))
        services.broadcaster.close()
        analytics.close()


def test_an_absent_redis_is_reported_within_three_seconds() -> None:
    analytics = connected(f"redis://127.0.0.1:{free_port()}")
    start = time.monotonic()
    together(*(partial(check_unavailable, call, analytics) for call in CALLS.values()))
    assert time.monotonic() - start < 3
    analytics.close()
