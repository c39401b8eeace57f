from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streamwatch.cli import main
from streamwatch.settings import VARIABLES
from streamwatch.simulator import Simulator
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests.simulator.receiver import SECRET, Receiver


class Shell:
    """Runs commands on a Redis, with a simulated Twitch."""

    def __init__(self, twitch: Simulator, receiver: Receiver, redis_url: str) -> None:
        self.twitch = twitch
        self.receiver = receiver
        self.storage = RedisStorage(Connection.to(redis_url))
        self.environment: dict[str, str | None] = dict.fromkeys(VARIABLES) | {
            "TWITCH_CLIENT_ID": twitch.client_id,
            "TWITCH_CLIENT_SECRET": twitch.client_secret,
            "TWITCH_API_URL": twitch.api_url,
            "TWITCH_AUTH_URL": twitch.auth_url,
            "WEBHOOK_URL": receiver.callback,
            "WEBHOOK_SECRET": SECRET,
            "WATCH_UPDATES": "false",
            "STORAGE_TYPE": "redis",
            "REDIS_URL": redis_url,
            "ANALYTICS_TYPE": "memory",
        }

    def run(self, *command: str, answer: str = "", **environment: str | None) -> Result:
        """Run a command with `answer` as its standard input."""
        return CliRunner(env=self.environment | environment).invoke(main, command, input=answer)

    def does(self, *command: str, answer: str = "", **environment: str | None) -> str:
        """Run a command that must succeed; returns its standard output."""
        result = self.run(*command, answer=answer, **environment)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    with Simulator() as twitch, Receiver() as receiver:
        shell = Shell(twitch, receiver, redis_url)
        yield shell
        shell.storage.close()
