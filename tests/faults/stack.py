"""A whole StreamWatch: web and two workers as in the Procfile, Redis as config/redis.conf says,
MongoDB, the simulated Twitch, and a supervisor that starts again what has ended."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import redis
import requests

from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.leadership import LEADER
from streamwatch.simulator import Simulator
from streamwatch.storage.redis import RedisStorage, keys
from streamwatch.storage.redis.connection import Connection
from tests.e2e.conftest import API_KEY, twitch_settings
from tests.faults.load import Load
from tests.processes import ROOT, Deployment, Process, deployment
from tests.servers import Server, mongo_server, redis_server
from tests.waiting import wait_for

DATABASE = "twitch_analytics"

_RESTART_SECONDS = 1.0
"""How often the supervisor looks, as systemd's RestartSec."""


@dataclass
class Stack:
    """`storage` and `analytics` are those of the service, from outside."""

    redis_server: Server
    mongo: Server
    storage: RedisStorage
    analytics: MongoAnalytics
    twitch: Simulator
    load: Load
    service: Deployment
    web: Process
    workers: list[Process]

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
        """None while nobody leads, or one who is dead."""
        lease = self.storage.coordination.lease(LEADER)
        pids = {worker.pid: worker for worker in self.workers if worker.is_running}
        return pids.get(int(lease.holder.split(":")[1])) if lease else None

    def redis_client(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_server.url)

    def supervise(self) -> None:
        """Start again whatever process of the Procfile has ended."""
        if not self.web.is_running:
            self.web = self.service.start("web")
        for number, worker in enumerate(self.workers):
            if not worker.is_running:
                self.workers[number] = self.service.start("worker")

    def is_healthy(self) -> bool:
        """Whether all is well, and a worker leads that is alive."""
        try:
            health = requests.get(f"{self.service.url}/health", timeout=5)
        except requests.RequestException:
            return False
        return bool(health.json()["status"] == "healthy" and self._leader())

    def waiting(self) -> int:
        """How many entries of the feed some reader has not processed."""
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


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


@contextmanager
def stack(
    folder: Path, *, rate: float, streamers: int = 50, redis_options: tuple[str, ...] = ()
) -> Iterator[Stack]:
    """All of it, with every streamer subscribed to; no load yet."""
    with (
        Simulator() as twitch,
        redis_server("--include", str(ROOT / "config" / "redis.conf"), *redis_options) as redis_,
        mongo_server() as mongo,
    ):
        load = Load(twitch, streamers, rate)
        settings = twitch_settings(twitch) | {
            "STORAGE_TYPE": "redis",
            "REDIS_URL": redis_.url,
            "MONGODB_URL": mongo.url,
            "DEFAULT_STREAMERS": ",".join(load.logins),
            "REFRESH_SECONDS": "2",
            "EVENTS_KEPT": "100000",
            "API_KEY": API_KEY,
            "RATE_LIMIT": "0",
            "LOOKUP_LIMIT": "0",
        }
        with deployment(folder / "service", **settings) as service:
            service.environment["WEBHOOK_URL"] = service.webhook_url
            web = service.start("web")
            service.wait_until_up()
            workers = [service.start("worker"), service.start("worker")]
            storage = RedisStorage(Connection.to(redis_.url))
            analytics = MongoAnalytics(mongo.url, DATABASE, timedelta(seconds=600))
            made = Stack(redis_, mongo, storage, analytics, twitch, load, service, web, workers)
            wait_for(lambda: _all_subscribed(service, len(load.logins)), 60)
            with _supervised(made):
                yield made
            storage.close()
            analytics.close()


def _all_subscribed(service: Deployment, count: int) -> bool:
    known = service.get("/streamers")["streamers"]
    return len(known) == count and all(streamer["is_active"] for streamer in known)


@contextmanager
def _supervised(supervised: Stack) -> Iterator[None]:
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(_RESTART_SECONDS):
            supervised.supervise()

    thread = threading.Thread(target=watch, name="supervisor")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
