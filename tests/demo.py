"""`make demo` as a process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.child_processes import children
from tests.servers import free_port
from tests.waiting import wait_for

COMMAND = [sys.executable, "-m", "streamwatch.simulator.demo"]

FOREIGN_VARIABLES = {
    "TWITCH_CLIENT_ID": "real-id",
    "TWITCH_CLIENT_SECRET": "real-secret",
    "STORAGE_TYPE": "redis",
    "GUNICORN_CMD_ARGS": "--workers=7",
}
"""A developer's own settings, which the demo ignores."""


class Demo:
    """A running demo on a free port, and what it has printed."""

    def __init__(self, output: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._output = output
        env = os.environ | FOREIGN_VARIABLES | {"PORT": str(port)}
        with output.open("wb") as stream:
            self.process = subprocess.Popen(COMMAND, env=env, stdout=stream, stderr=stream)

    def wait_until_ready(self) -> None:
        wait_for(lambda: "Ctrl-C ends it" in self.printed(), 60)

    def printed(self) -> str:
        return self._output.read_text()

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}{path}", timeout=5)
        answer.raise_for_status()
        return answer.json()

    def image_origin(self) -> str:
        """The origin of the simulated Twitch's pictures."""
        wait_for(lambda: self._avatar() is not None, 30)
        avatar = urlsplit(self._avatar() or "")
        return f"{avatar.scheme}://{avatar.netloc}"

    def _avatar(self) -> str | None:
        """The URL of an avatar, once one is known."""
        url: str | None = self.get("/streamers")["streamers"][0]["profile_image_url"]
        return url

    def web_process(self) -> int:
        """The pid of gunicorn, the demo's only child process."""
        pid = self.process.pid
        wait_for(lambda: bool(children(pid)), 30)
        [child] = children(pid)
        return child

    def end(self, number: signal.Signals) -> int:
        """Send the signal; the exit code, within the ten seconds that it may take."""
        self.process.send_signal(number)
        return self.process.wait(timeout=10)


@contextmanager
def running_demo(output: Path) -> Iterator[Demo]:
    """A demo that has just been started, and ends with the test."""
    demo = Demo(output)
    try:
        yield demo
    finally:
        demo.process.terminate()
        demo.process.wait(timeout=15)
