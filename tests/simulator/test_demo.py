"""`make demo`, from the outside."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from streamwatch.settings import from_env
from streamwatch.simulator import Simulator
from streamwatch.simulator.demo import API_KEY, environment
from tests.servers import free_port
from tests.waiting import wait_for

COMMAND = [sys.executable, "-m", "streamwatch.simulator.demo"]


class Demo:
    """A running demo on a free port, and what it has printed."""

    def __init__(self, output: Path, **variables: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._output = output
        env = {**os.environ, **variables, "PORT": str(port)}
        with output.open("wb") as stream:
            self.process = subprocess.Popen(COMMAND, env=env, stdout=stream, stderr=stream)

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
        children = Path(f"/proc/{pid}/task/{pid}/children")
        wait_for(lambda: bool(children.read_text().split()), 30)
        [child] = children.read_text().split()
        return int(child)

    def end(self, number: signal.Signals) -> int:
        """Send the signal; the exit code, within the ten seconds that it may take."""
        self.process.send_signal(number)
        return self.process.wait(timeout=10)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(
        tmp_path / "output",
        TWITCH_CLIENT_ID="real-id",
        TWITCH_CLIENT_SECRET="real-secret",
        STORAGE_TYPE="redis",
        GUNICORN_CMD_ARGS="--workers=7",
    )
    try:
        wait_for(lambda: "Ctrl-C ends it" in demo.printed(), 40)
        yield demo
    finally:
        demo.process.terminate()
        demo.process.wait(timeout=15)


def test_the_demo_watches_the_simulated_streamers_and_ends_on_ctrl_c(demo: Demo) -> None:
    assert f"curl {demo.url}/streams/live" in demo.printed()
    wait_for(lambda: demo.get("/streamers")["count"] == 30, 20)
    wait_for(lambda: demo.get("/streams/live")["count"] >= 8, 40)
    wait_for(_has_heard_by_webhook(demo), 60)
    month, quarter, year = (_past_streams(demo, days) for days in (30, 90, 365))
    assert 0 < month < quarter < year, "its past is longer than 90 days"
    assert demo.end(signal.SIGINT) == 0
    with pytest.raises(requests.ConnectionError):
        demo.get("/health")


def _past_streams(demo: Demo, days: int) -> int:
    """How many streams a streamer's trend of so many days shows."""
    trend = demo.get(f"/analytics/streamer/shroud/trend?days={days}")
    return sum(day["streams"] for day in trend["days"])


def _has_heard_by_webhook(demo: Demo) -> Any:
    return lambda: any(event["source"] == "eventsub" for event in demo.get("/events")["events"])


def test_the_demo_ends_with_the_web_process(demo: Demo) -> None:
    os.kill(demo.web_process(), signal.SIGKILL)
    assert demo.process.wait(timeout=10) == 128 + signal.SIGKILL


def test_a_port_in_use_is_an_error_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = subprocess.run(
            COMMAND,
            env={**os.environ, "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert demo.returncode == 1
    assert demo.stderr == f"Port {port} is taken. Take another: PORT={port + 1} make demo\n"


def test_the_demo_ignores_the_environment_and_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWITCH_CLIENT_SECRET", "real-secret")
    monkeypatch.setenv("REDIS_URL", "redis://:password@production")
    dotenv = tmp_path / ".env"
    dotenv.write_text("TWITCH_CLIENT_ID=real-id\nMONGODB_URL=mongodb://production\nPORT=80\n")
    with Simulator() as twitch:
        env = environment(twitch, 8000, str(tmp_path))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    settings = from_env(dotenv)
    assert settings.twitch_client_id == twitch.client_id
    assert settings.twitch_client_secret == twitch.client_secret
    assert (settings.redis_url, settings.mongodb_url) == (
        "redis://localhost:6379",
        "mongodb://localhost:27017",
    )
    assert (settings.port, settings.api_keys, settings.web_concurrency) == (8000, (API_KEY,), 1)
    assert settings.webhook_url == "http://127.0.0.1:8000/webhooks/eventsub"
