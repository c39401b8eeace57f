"""What can happen to a process, as functions that return when it is over."""

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
from streamwatch.storage.redis import codec, keys
from tests.faults.stack import Stack
from tests.waiting import wait_for

OUTAGE_SECONDS = 2.0
"""How long a killed database is away."""


def web_worker_killed(stack: Stack) -> None:
    os.kill(stack.web_workers[0], signal.SIGKILL)


def web_killed(stack: Stack) -> None:
    """The master alone: its workers notice, and let go of the port."""
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
    """As when the power fails, but for what the disk had not got."""
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
    """The process is there, its port is open, and it does nothing."""
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
    """It forgets the scripts that it was taught; and once more while it runs."""
    stack.redis_server.stop()
    stack.redis_server.start()
    for _ in range(20):
        with Redis.from_url(stack.redis_server.url) as client:
            client.script_flush()
        time.sleep(0.1)


def redis_filled(stack: Stack) -> None:
    """No room for anything new, until somebody gives it some."""
    with Redis.from_url(stack.redis_server.url) as client:
        _fill(client, stack)
        time.sleep(OUTAGE_SECONDS)
        client.config_set("maxmemory", 0)


def feed_filled(stack: Stack) -> None:
    """Nobody reads the feed until it has filled the memory. What gives it room is its being read
    and trimmed, once MongoDB is back."""
    stack.mongo.kill()
    with Redis.from_url(stack.redis_server.url) as client:
        _lengthen_feed(client, RESUMABLE + 6_000)
        _fill(client, stack)
    stack.mongo.start()


def _fill(client: Redis, stack: Stack) -> None:
    """Leave no more memory than is used."""

    def is_full() -> bool:
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        return _is_refused(stack)

    wait_for(is_full, 60)


def _lengthen_feed(client: Redis, entries: int) -> None:
    """With samples of streams that are not the load's."""
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
            record = codec.record_value(user_id, [], sample)
            pipeline.xadd(keys.FEED, {"record": record})
        pipeline.execute()


def slow_down_disk(stack: Stack, milliseconds: int) -> None:
    """Let every write of Redis to its log take so long."""
    with Redis.from_url(stack.redis_server.url) as client:
        client.execute_command("DEBUG", "AOF-FLUSH-SLEEP", milliseconds * 1000)


def _is_refused(stack: Stack) -> bool:
    """Whether Twitch was told to come back just now."""
    return any(delivery.status == 503 for delivery in stack.twitch.deliveries[-20:])
