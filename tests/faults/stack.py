"""A complete StreamWatch: web and two workers as in the Procfile, Redis with config/redis.conf,
MongoDB, the simulated Twitch, and a supervisor that restarts processes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import redis
import requests

from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.services.locks import LEADER_LEASE
from streamwatch.simulator import Simulator
from streamwatch.storage.redis import RedisStorage, keys
from streamwatch.storage.redis.connection import Connection
from tests.child_processes import children
from tests.e2e.conftest import SECRET, twitch_settings
from tests.faults.load import Load
from tests.processes import ROOT, Deployment, Process, deployment
from tests.servers import Server, mongo_server, redis_server
from tests.waiting import wait_for

DATABASE = "faults"

_RESTART_SECONDS = 1.0
"""The interval of the supervisor, as systemd's RestartSec."""


@dataclass
class Stack:
    """`storage` and `analytics` are connected to the databases of the service."""

    redis_server: Server
    redis_password: str
    mongo: Server
    storage: RedisStorage
    analytics: MongoAnalytics
    twitch: Simulator
    load: Load
    service: Deployment
    web: Process
    workers: list[Process]
    supervisor: "Supervisor" = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.supervise)

    @property
    def web_workers(self) -> list[int]:
        """The processes that gunicorn's master has forked."""
        return children(self.web.pid)

    @property
    def leader(self) -> Process:
        """The worker that leads."""
        process = self._leader()
        assert process is not None
        return process

    def _leader(self) -> Process | None:
        """None while no worker leads, or the lease is held by a dead one."""
        lease = self.storage.coordination.lease(LEADER_LEASE)
        pids = {worker.pid: worker for worker in self.workers if worker.is_running}
        return pids.get(int(lease.holder.split(":")[1])) if lease else None

    def redis_client(self) -> redis.Redis:
        return redis.Redis.from_url(with_password(self.redis_server.url, self.redis_password))

    def supervise(self) -> None:
        """Restart the processes of the Procfile that have ended."""
        if not self.web.is_running:
            self.web = self.service.start("web")
        for number, worker in enumerate(self.workers):
            if not worker.is_running:
                self.workers[number] = self.service.start("worker")

    def stop_workers(self) -> None:
        """Stop the workers for good, so that nothing changes any more."""
        self.supervisor.stop()
        for worker in self.workers:
            worker.stop()

    def is_healthy(self) -> bool:
        """Whether /health is healthy and a running worker leads."""
        try:
            health = requests.get(f"{self.service.url}/health", timeout=5)
        except requests.RequestException:
            return False
        return bool(health.json()["status"] == "healthy" and self._leader())

    def unprocessed(self) -> int:
        """The number of feed entries that readers have not processed yet."""
        return sum(reader.lag + reader.pending for reader in self.storage.feed.readers())

    def feed_end(self) -> bytes:
        """The id of the newest entry of the feed."""
        end: bytes = self.redis_client().xinfo_stream(keys.FEED)["last-generated-id"]
        return end

    def is_processed(self, entry: bytes) -> bool:
        """Whether every reader has processed `entry` of the feed and all before it."""
        client = self.redis_client()
        return all(
            _order(group["last-delivered-id"]) >= _order(entry)
            and not client.xpending_range(keys.FEED, group["name"], "-", entry, 1)
            for group in client.xinfo_groups(keys.FEED)
        )


def _order(entry: bytes) -> tuple[int, ...]:
    return tuple(map(int, entry.split(b"-")))


@contextmanager
def stack(
    folder: Path,
    *,
    rate: float,
    streamers: int = 50,
    redis_options: tuple[str, ...] = (),
    redis_password: str = "",
    events_kept: int = 100_000,
    transport: str = "webhook",
) -> Iterator[Stack]:
    """Start the stack, and wait until every streamer has subscriptions. The load is not running."""
    options = ("--include", str(ROOT / "config" / "redis.conf"), "--requirepass", redis_password)
    with (
        Simulator() as twitch,
        redis_server(*options, *redis_options) as redis_,
        mongo_server() as mongo,
        closing(RedisStorage(Connection.to(with_password(redis_.url, redis_password)))) as storage,
        closing(MongoAnalytics(mongo.url, DATABASE, timedelta(seconds=600))) as analytics,
        deployment(folder / "service", **twitch_settings(twitch)) as service,
    ):
        load = Load(twitch, streamers, rate)
        del service.environment["WEBHOOK_SECRET"]
        set_webhook_secrets(service, SECRET)
        service.environment |= {
            "STORAGE_TYPE": "redis",
            "REDIS_URL": with_password(redis_.url, redis_password),
            "MONGODB_URL": mongo.url,
            "MONGODB_DATABASE": DATABASE,
            "WEBHOOK_URL": service.webhook_url,
            "DEFAULT_STREAMERS": ",".join(load.logins),
            "REFRESH_SECONDS": "2",
            "EVENTS_KEPT": f"{events_kept}",
            "RATE_LIMIT": "0",
            "LOOKUP_LIMIT": "0",
        }
        if transport == "conduit":
            service.environment |= {
                "WEBHOOK_URL": "",
                "EVENTSUB_TRANSPORT": transport,
                "TWITCH_EVENTSUB_URL": twitch.eventsub_url,
            }
            twitch.sockets.keepalive = 1.0  # silence is noticed after 6 s, not 15 s
        web = service.start("web")
        service.wait_until_up()
        workers = [service.start("worker"), service.start("worker")]
        started = Stack(
            redis_, redis_password, mongo, storage, analytics, twitch, load, service, web, workers
        )
        wait_for(lambda: _all_subscribed(service, streamers), 60)
        with started.supervisor:
            yield started


def with_password(url: str, password: str) -> str:
    return url.replace("//", f"//:{password}@") if password else url


def set_webhook_secrets(service: Deployment, secrets: str) -> None:
    """Write WEBHOOK_SECRET to the file that processes read at their start, and gunicorn at
    SIGHUP."""
    (service.folder / ".env").write_text(f"WEBHOOK_SECRET={secrets}\n")


def _all_subscribed(service: Deployment, count: int) -> bool:
    known = service.get("/streamers")["streamers"]
    return len(known) == count and all(streamer["is_active"] for streamer in known)


class Supervisor:
    """Calls `check` every _RESTART_SECONDS for as long as the context lasts."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_RESTART_SECONDS):
            self._check()
