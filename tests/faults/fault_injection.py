"""Faults of processes and databases: functions that inject a fault and return once it is over."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from redis import Redis

from streamwatch.domain.models import StreamSnapshot
from streamwatch.services.push.broadcaster import RESUMABLE
from streamwatch.storage.base import FeedRecord
from streamwatch.storage.redis import codec, keys
from tests.faults.stack import Stack
from tests.waiting import wait_for

OUTAGE_SECONDS = 2.0
"""How long a killed database stays down."""


def web_worker_killed(stack: Stack) -> None:
    os.kill(stack.web_workers[0], signal.SIGKILL)


def web_killed(stack: Stack) -> None:
    """Kill the master alone; its workers notice and release the port."""
    stack.web.kill()


def leader_killed(stack: Stack) -> None:
    stack.leader.kill()


def redis_killed(stack: Stack) -> None:
    stack.redis_server.kill()
    time.sleep(OUTAGE_SECONDS)
    stack.redis_server.start()


def mongo_killed(stack: Stack) -> None:
    stack.mongo.kill()
    time.sleep(OUTAGE_SECONDS)
    stack.mongo.start()


def everything_killed(stack: Stack) -> None:
    """Kill all processes and both databases, as a power failure does; the disk stays intact."""
    web_workers = stack.web_workers
    stack.web.kill()
    for pid in web_workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for worker in stack.workers:
        worker.kill()
    stack.redis_server.kill()
    stack.mongo.kill()
    time.sleep(OUTAGE_SECONDS)
    stack.redis_server.start()
    stack.mongo.start()


def frozen(pid_of: Callable[[Stack], int], seconds: float, stack: Stack) -> None:
    """Stop a process for `seconds`: its port stays open and nothing is answered."""
    pid = pid_of(stack)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    with suppress(ProcessLookupError):  # gunicorn kills a worker that does nothing for too long
        os.kill(pid, signal.SIGCONT)


FREEZABLE: dict[str, Callable[[Stack], int]] = {
    "a web worker": lambda stack: stack.web_workers[0],
    "the web master": lambda stack: stack.web.pid,
    "the leading worker": lambda stack: stack.leader.pid,
    "Redis": lambda stack: stack.redis_server.pid,
    "MongoDB": lambda stack: stack.mongo.pid,
}


def freezing(name: str, seconds: float) -> Callable[[Stack], None]:
    return partial(frozen, FREEZABLE[name], seconds)


def redis_restarted(stack: Stack) -> None:
    """Restart Redis, which then has no scripts, and flush its scripts 20 times while it runs."""
    stack.redis_server.stop()
    stack.redis_server.start()
    for _ in range(20):
        with Redis.from_url(stack.redis_server.url) as client:
            client.script_flush()
        time.sleep(0.1)


def redis_filled(stack: Stack) -> None:
    """Fill Redis to `maxmemory`, and raise the limit after OUTAGE_SECONDS."""
    with Redis.from_url(stack.redis_server.url) as client:
        _fill(client, stack)
        time.sleep(OUTAGE_SECONDS)
        client.config_set("maxmemory", 0)


def feed_filled(stack: Stack) -> None:
    """Let the feed fill Redis while MongoDB is down. Reading and trimming the feed makes room once
    MongoDB is back."""
    stack.mongo.kill()
    with Redis.from_url(stack.redis_server.url) as client:
        _lengthen_feed(client, RESUMABLE + 6_000)
        _fill(client, stack)
    stack.mongo.start()


def _fill(client: Redis, stack: Stack) -> None:
    """Set `maxmemory` to the memory that is in use."""

    def is_full() -> bool:
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        return _is_refused(stack)

    wait_for(is_full, 60)


def _lengthen_feed(client: Redis, entries: int) -> None:
    """Append samples of streamers who are not part of the load."""
    now = datetime.now(UTC)
    with client.pipeline(transaction=False) as pipeline:
        for number in range(entries):
            user_id = f"filler_{number % 200}"
            sample = StreamSnapshot(
                stream_id=user_id,
                broadcaster_id=user_id,
                broadcaster_login=user_id,
                broadcaster_name=user_id,
                captured_at=now + timedelta(milliseconds=number),
                started_at=now,
                viewer_count=1,
                category_id=None,
                category_name=None,
                title=None,
                language=None,
                tags=(),
            )
            record = codec.record_value(FeedRecord(user_id, snapshot=sample), [])
            pipeline.xadd(keys.FEED, {"record": record})
        pipeline.execute()


def slow_down_disk(stack: Stack, milliseconds: int) -> None:
    """Delay every write of Redis to its append-only file."""
    with Redis.from_url(stack.redis_server.url) as client:
        client.execute_command("DEBUG", "AOF-FLUSH-SLEEP", milliseconds * 1000)


def _is_refused(stack: Stack) -> bool:
    """Whether one of the latest messages was answered with 503."""
    return any(delivery.status == 503 for delivery in stack.twitch.deliveries[-20:])
