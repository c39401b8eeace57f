"""Real worker processes on a Redis, which can be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.messages import SECRET
from tests.processes import ROOT


@dataclass
class Workers:
    """Processes that send notifications."""

    redis_url: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "STORAGE_TYPE": "redis",
            "REDIS_URL": self.redis_url,
            "ANALYTICS_TYPE": "memory",
            "WEBHOOK_SECRET": SECRET,
            "EVENTSUB_TRANSPORT": "none",
            "NOTIFICATIONS_ALLOW_PRIVATE": "true",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "-m", "streamwatch.worker"]
        self.processes.append(subprocess.Popen(command, env=environment, cwd=ROOT))

    def kill_oldest(self) -> None:
        """`kill -9` the process that has run longest, and start another."""
        victim = self.processes.pop(0)
        victim.kill()
        victim.wait()
        self.start()


@contextmanager
def working(redis_url: str, count: int) -> Iterator[Workers]:
    workers = Workers(redis_url)
    for _ in range(count):
        workers.start()
    try:
        yield workers
    finally:
        for process in workers.processes:
            process.kill()
            process.wait()
