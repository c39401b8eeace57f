"""What is measured: StreamWatch as in production, with streamers and a history, and the yardstick.

Each has a Redis of its own with the durability of config/redis.conf.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import processes
from bench.payloads import Webhooks
from streamwatch.bootstrap import Services, build
from streamwatch.domain.batches import batched
from streamwatch.domain.models import Stream, Streamer, User
from streamwatch.domain.observations import SeenAbsent, SeenLive
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.push.broadcaster import MAX_LISTENERS
from streamwatch.settings import Settings
from tests.child_processes import children
from tests.processes import ROOT, Deployment, Process, deployment
from tests.servers import Server, redis_server
from tests.waiting import wait_for

SECRET = "a-secret-for-the-benchmark"  # noqa: S105  of no real installation
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")

_BATCH_SIZE = 1000


@dataclass
class Target:
    """The web processes that serve a port, and the Redis that they use."""

    port: int
    master: Process
    redis: Server

    @property
    def workers(self) -> list[int]:
        return children(self.master.pid)

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU time so far of the web processes, and of Redis."""
        return processes.cpu_seconds(self.workers), processes.cpu_seconds([self.redis.pid])


@dataclass
class Deployed:
    """A running StreamWatch that monitors `users`, and webhook messages signed for them."""

    target: Target
    services: Services
    users: list[User]
    webhooks: Webhooks
    processes: Deployment


@contextmanager
def yardstick() -> Iterator[Target]:
    """The plain Flask application under gunicorn with its defaults, and as many processes and
    threads as ours: a thread that serves a client competes with the others for the interpreter."""
    threads = Settings().web_threads + MAX_LISTENERS
    with _deployment(None) as (deployed, redis):
        command = ["gunicorn", "--workers", "2", "--worker-class", "gthread"]
        command += ["--threads", str(threads)]
        command += ["--bind", f"127.0.0.1:{deployed.port}", "--pythonpath", str(ROOT)]
        command += ["--no-control-socket", "bench.yardstick:create_app()"]
        master = Process(command, deployed.environment, deployed.folder)
        deployed.processes.append(master)
        wait_for(lambda: deployed.answers("/"), 20)
        yield Target(deployed.port, master, redis)


@contextmanager
def streamwatch(
    streamers: int, live: int, mongo: Server, database: str, *, worker: bool = False
) -> Iterator[Deployed]:
    """StreamWatch that monitors `streamers` streamers. The first `live` of them are live.

    With `worker`, a worker process runs beside the web processes and projects into MongoDB.
    """
    with _deployment(mongo, MONGODB_DATABASE=database) as (deployed, redis), ExitStack() as stack:
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
        add_streamers(services, users, live)
        master = deployed.start("web")
        deployed.wait_until_up()
        if worker:
            deployed.start("worker")
        target = Target(deployed.port, master, redis)
        yield Deployed(target, services, users, Webhooks(users, SECRET), deployed)


def add_streamers(services: Services, users: list[User], live: int) -> None:
    """Monitor `users`. A poll has seen the first `live` live, and that the others are not."""
    now = datetime.now(UTC)
    for batch in batched(users, _BATCH_SIZE):
        services.storage.add_streamers(
            [Streamer(user.user_id, user.login, user.display_name, now) for user in batch]
        )
    recorder = ObservationRecorder(services.storage)
    started_at = now - timedelta(hours=2)
    seen_at = now - timedelta(minutes=30)
    observations = [
        _seen_live(user, started_at, seen_at)
        if number < live
        else SeenAbsent(user.user_id, user.login, user.display_name, seen_at)
        for number, user in enumerate(users)
    ]
    for observed in batched(observations, _BATCH_SIZE):
        recorder.record(observed)


def _seen_live(user: User, started_at: datetime, at: datetime) -> SeenLive:
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
def _deployment(mongo: Server | None, **settings: str) -> Iterator[tuple[Deployment, Server]]:
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
