"""How `make demo` starts and ends, and what it ignores."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamwatch.settings import from_env
from streamwatch.simulator import Simulator
from streamwatch.simulator.demo import API_KEY, environment
from tests.demo import COMMAND, Demo, running_demo


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with running_demo(tmp_path / "output") as demo:
        yield demo


def test_the_demo_ends_with_the_web_process(demo: Demo) -> None:
    demo.wait_until_ready()
    os.kill(demo.web_process(), signal.SIGKILL)
    assert demo.process.wait(timeout=10) == 128 + signal.SIGKILL


def test_sigterm_ends_the_demo_while_it_starts(demo: Demo) -> None:
    demo.web_process()
    assert demo.end(signal.SIGTERM) == 0


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
