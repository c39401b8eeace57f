"""StreamWatch as in production: the processes of the Procfile, on free ports."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import requests

from streamwatch.settings import VARIABLES
from tests.servers import free_port
from tests.waiting import wait_for

ROOT = Path(__file__).parents[1]


_log_numbers = count(1)


def answers(url: str) -> bool:
    """Whether the URL is answered with a status below 400."""
    try:
        return requests.get(url, timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):  # not yet, or too busy to answer
        return False


def procfile() -> dict[str, list[str]]:
    """The commands of the Procfile, by process type."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, command in (line.split(":", 1) for line in lines)}


class Process:
    """A child process whose output is in `log`."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._file = folder / f"{Path(command[0]).name}-{next(_log_numbers)}.log"
        with self._file.open("wb") as file:
            # Tests that nohup started ignore SIGHUP, and so would their children.
            self._process = subprocess.Popen(
                ["/usr/bin/env", "--default-signal=HUP", *command],
                cwd=folder,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._file.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = 20) -> int:
        """Its exit status, once it has ended by itself."""
        return self._process.wait(seconds)

    def stop(self) -> tuple[int, float]:
        """End it with SIGTERM; returns its exit status and the seconds that it took."""
        start = time.monotonic()
        if self.is_running:
            self.signal(signal.SIGTERM)
        return self._process.wait(30), time.monotonic() - start

    def kill(self) -> None:
        if self.is_running:
            self._process.kill()
        self._process.wait(10)


class Deployment:
    """The processes of one StreamWatch, in a folder of their own, with only these settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook_url = f"{self.url}/webhooks/eventsub"
        self.processes: list[Process] = []
        for name in ("wsgi.py", "config"):
            if not (folder / name).exists():
                (folder / name).symlink_to(ROOT / name)
        bare = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        defaults = {"PATH": path, "PORT": str(self.port), "WATCH_UPDATES": "false"}
        self.environment = bare | defaults | settings

    def start(self, name: str, **settings: str) -> Process:
        """Start the Procfile's process `name`."""
        process = Process(procfile()[name], self.environment | settings, self.folder)
        self.processes.append(process)
        return process

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def wait_until_up(self) -> None:
        """Return once the web process serves."""
        wait_for(lambda: self.answers("/health/live"), 60)

    def answers(self, path: str) -> bool:
        return answers(self.url + path)

    def get(self, path: str, **arguments: Any) -> Any:
        """The JSON that a path answers with 200."""
        response = requests.get(self.url + path, timeout=15, **arguments)
        assert response.status_code == 200, (response.status_code, response.text)
        return response.json()

    @property
    def logs(self) -> str:
        return "".join(process.log for process in self.processes)

    def close(self) -> None:
        for process in self.processes:
            process.kill()


@contextmanager
def deployment(folder: Path, **settings: str) -> Iterator[Deployment]:
    """A deployment whose processes end with the test."""
    folder.mkdir(parents=True, exist_ok=True)
    deployed = Deployment(folder, **settings)
    try:
        yield deployed
    finally:
        deployed.close()
