"""What is measured: a StreamWatch as in production, with streamers and a history, on servers of its
own; and the yardstick."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import processes
from bench.requests import Webhooks
from streamwatch.bootstrap import Services, build
from streamwatch.domain.models import Stream, Streamer, User
from streamwatch.domain.observations import SeenLive
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.settings import Settings
from tests.processes import ROOT, Deployment, Process, deployment
from tests.servers import Server, redis_server
from tests.waiting import wait_for

SECRET = "a-secret-for-the-benchmark"  # noqa: S105  nobody else's
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""As config/redis.conf has it."""

_AT_ONCE = 1000


@dataclass
class Target:
    """Processes that serve on a port, and the Redis that they use."""

    port: int
    master: Process
    redis: Server

    @property
    def workers(self) -> list[int]:
        return processes.children(self.master.pid)

    def cpu_seconds(self) -> tuple[float, float]:
        """What the web processes have computed so far, and Redis."""
        return processes.cpu_seconds(self.workers), processes.cpu_seconds([self.redis.pid])


@dataclass
class World:
    """StreamWatch with `users` who are monitored, and what is signed in their names."""

    target: Target
    services: Services
    users: list[User]
    webhooks: Webhooks
    deployed: Deployment


@contextmanager
def yardstick() -> Iterator[Target]:
    with _deployed(None) as (deployed, redis):
        command = ["gunicorn", "-c", str(ROOT / "bench" / "gunicorn_conf.py")]
        command += ["--pythonpath", str(ROOT), "bench.yardstick:create_app()"]
        master = Process(command, deployed.environment, deployed.folder)
        deployed.processes.append(master)
        wait_for(lambda: deployed.answers("/"), 20)
        yield Target(deployed.port, master, redis)


@contextmanager
def world(streamers: int, live: int, mongo: Server, database: str) -> Iterator[World]:
    """`streamers` who are monitored, the first `live` of whom are on. The history has as many
    events as it keeps."""
    with _deployed(mongo, MONGODB_DATABASE=database) as (deployed, redis), ExitStack() as stack:
        services = build(
            Settings(
                storage_type="redis",
                redis_url=redis.url,
                analytics_type="mongodb",
                mongodb_url=mongo.url,
                mongodb_database=database,
                webhook_secrets=(SECRET,),
            )
        )
        stack.callback(services.close)
        users = [
            User(str(40_000_001 + number), f"streamer_{number}", f"Streamer_{number}")
            for number in range(streamers)
        ]
        fill(services, users, live)
        master = deployed.start("web")
        deployed.wait_until_up()
        target = Target(deployed.port, master, redis)
        yield World(target, services, users, Webhooks(users, SECRET), deployed)


def fill(services: Services, users: list[User], live: int) -> None:
    now = datetime.now(UTC)
    for start in range(0, len(users), _AT_ONCE):
        some = users[start : start + _AT_ONCE]
        services.storage.add_streamers(
            [Streamer(user.user_id, user.login, user.display_name, now) for user in some]
        )
    observer = ObservationRecorder(services.storage)
    went_on = now - timedelta(hours=2)
    for start in range(0, live, _AT_ONCE):
        some = users[start : min(start + _AT_ONCE, live)]
        observer.record([_seen(user, went_on, now - timedelta(minutes=30)) for user in some])


def _seen(user: User, started_at: datetime, at: datetime) -> SeenLive:
    stream = Stream(
        id=f"7{user.user_id}",
        started_at=started_at,
        viewer_count=int(user.user_id) % 10_007,
        game_id="509658",
        game_name="Just Chatting",
        title="A title of ordinary length: what we play tonight, and with whom",
        language="en",
        tags=("English", "Cosy", "Chill", "FirstPlaythrough"),
        thumbnail_url=f"https://static-cdn.jtvnw.net/previews-ttv/live_user_{user.login}"
        "-{width}x{height}.jpg",
    )
    return SeenLive(user.user_id, user.login, user.display_name, stream, at)


@contextmanager
def _deployed(mongo: Server | None, **settings: str) -> Iterator[tuple[Deployment, Server]]:
    with (
        TemporaryDirectory(prefix="streamwatch-bench-") as folder,
        redis_server(*DURABLE) as redis,
        deployment(
            Path(folder),
            STORAGE_TYPE="redis",
            REDIS_URL=redis.url,
            MONGODB_URL=mongo.url if mongo else "mongodb://127.0.0.1:1",
            WEBHOOK_SECRET=SECRET,
            WEB_CONCURRENCY="2",
            RATE_LIMIT="0",
            LOG_FORMAT="json",
            **settings,
        ) as deployed,
    ):
        yield deployed, redis
