"""One refresh of many streamers and its projection: Helix calls, round trips, time, memory.

`python -m bench.polling --streamers 50000 --live 10000` measures it by itself.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from pymongo import monitoring

from bench.deployments import DURABLE, SECRET
from bench.processes import resident_megabytes
from streamwatch.analytics import open_analytics
from streamwatch.bootstrap import Services, assemble
from streamwatch.domain.models import Streamer
from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.services.monitoring.counters import JOBS
from streamwatch.settings import Settings
from streamwatch.simulator import Simulator
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.twitch.client import Helix
from tests.counting import CountingConnection
from tests.processes import deployment
from tests.servers import Server, mongo_server, redis_server
from tests.waiting import wait_for

STREAMERS = 10_000
LIVE = 1_000
REFRESHES = 3
WORKER_SECONDS = 900
DATABASE = "polling"


class Commands(monitoring.CommandListener):
    """Counts the commands sent to MongoDB."""

    def __init__(self) -> None:
        self.sent = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:  # noqa: ARG002  pymongo's signature
        self.sent += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Not counted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Not counted; the refresh raises."""


@dataclass(frozen=True, slots=True)
class Polling:
    """The cost of one refresh."""

    helix_calls: int
    redis_trips: int
    mongo_trips: int
    refresh_seconds: float
    projection_seconds: float
    worker_megabytes: float


def main() -> None:
    """Print the cost of one refresh."""
    parser = argparse.ArgumentParser(prog="python -m bench.polling", description=__doc__)
    parser.add_argument("--streamers", type=int, default=STREAMERS)
    parser.add_argument("--live", type=int, default=LIVE)
    options = parser.parse_args()
    with mongo_server() as mongo:
        for name, value in asdict(measure(mongo, options.streamers, options.live)).items():
            sys.stdout.write(f"{name}: {value:,.5g}\n")


def measure(mongo: Server, streamers: int = STREAMERS, live: int = LIVE) -> Polling:
    """Measure the second refresh of `streamers` streamers, `live` of them live; the first refresh
    stores every streamer for the first time."""
    listener = Commands()
    with redis_server(*DURABLE) as server, Simulator() as twitch:
        users = [twitch.world.add_user(f"Streamer_{number}") for number in range(streamers)]
        for user in users[:: streamers // live]:
            twitch.world.go_online(user.login)
        services = _services(server, mongo, twitch, listener)
        now = datetime.now(UTC)
        services.storage.add_streamers(
            [Streamer(user.user_id, user.login, user.display_name, now) for user in users]
        )
        _refresh(services)
        before = len(twitch.calls), CountingConnection.sent, listener.sent
        refresh_seconds, projection_seconds = _refresh(services)
        after = len(twitch.calls), CountingConnection.sent, listener.sent
        services.close()
        calls, trips, commands = (b - a for a, b in zip(before, after, strict=True))
        worker = _worker_megabytes(server, mongo, twitch)
    return Polling(calls, trips, commands, refresh_seconds, projection_seconds, worker)


def _refresh(services: Services) -> tuple[float, float]:
    """Seconds of one refresh, and seconds of its projection into the analytics."""
    start = time.perf_counter()
    services.poller.poll_all()
    refreshed = time.perf_counter()
    while services.projector.run_once():
        pass
    return refreshed - start, time.perf_counter() - refreshed


def _services(
    server: Server, mongo: Server, twitch: Simulator, listener: monitoring.CommandListener
) -> Services:
    monitoring.register(listener)
    settings = Settings(
        storage_type="redis",
        redis_url=server.url,
        analytics_type="mongodb",
        mongodb_url=mongo.url,
        mongodb_database=DATABASE,
        twitch_client_id=twitch.client_id,
        twitch_client_secret=twitch.client_secret,
        twitch_api_url=twitch.api_url,
        twitch_auth_url=twitch.auth_url,
    )
    pool = redis.ConnectionPool.from_url(
        server.url, connection_class=CountingConnection, protocol=2, driver_info=None
    )
    storage = RedisStorage(Connection(lambda: redis.Redis(connection_pool=pool)))
    helix = Helix.from_settings(settings, storage.coordination)
    return assemble(settings, storage, helix, open_analytics(settings))


def _worker_megabytes(server: Server, mongo: Server, twitch: Simulator) -> float:
    """Resident memory of the worker after REFRESHES refreshes of all streamers."""
    with (
        TemporaryDirectory(prefix="streamwatch-bench-") as folder,
        redis.Redis.from_url(server.url) as client,
        deployment(
            Path(folder),
            STORAGE_TYPE="redis",
            REDIS_URL=server.url,
            MONGODB_URL=mongo.url,
            MONGODB_DATABASE=DATABASE,
            WEBHOOK_SECRET=SECRET,
            TWITCH_CLIENT_ID=twitch.client_id,
            TWITCH_CLIENT_SECRET=twitch.client_secret,
            TWITCH_API_URL=twitch.api_url,
            TWITCH_AUTH_URL=twitch.auth_url,
            REFRESH_SECONDS="2",
        ) as deployed,
    ):
        storage = RedisStorage(Connection(lambda: client))
        worker = deployed.start("worker")
        wait_for(lambda: _runs(storage) > REFRESHES, WORKER_SECONDS)
        return resident_megabytes(worker.pid)


def _runs(storage: RedisStorage) -> int:
    return storage.coordination.counts().get(f"{JOBS}:{REFRESH} runs", 0)


if __name__ == "__main__":
    main()
