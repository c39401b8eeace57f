"""The connection to Redis: commands and the save script, with the port's errors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from threading import Lock
from typing import Any

from redis.exceptions import (
    NoScriptError,
    RedisError,
    TimeoutError,  # noqa: A004  redis-py's own
)

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.circuit_breaker import CircuitBreaker
from streamwatch.redis_urls import Client

PIPELINED = 100
"""How many commands are sent together: few round trips, and answers within the timeout."""

Command = Sequence[Any]


class Connection:
    """A redis-py client, made when it is first needed in each process. Safe for threads.

    Every error of Redis is raised as AnalyticsUnavailable: a batch is then projected again later.
    """

    def __init__(self, make_client: Callable[[], Client]) -> None:
        self._make_client = make_client
        self._client: Client | None = None
        self._lock = Lock()
        self._circuit_breaker = CircuitBreaker(_is_timeout, _open_error)
        self._script = (files("streamwatch.analytics.redis") / "save.lua").read_text()
        self._sha: str | None = None

    def call(self, *command: Any) -> Any:
        with self._errors():
            return self._connected().execute_command(*command)

    def call_all(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to several commands, in their order."""
        answers: list[Any] = []
        with self._errors():
            for start in range(0, len(commands), PIPELINED):
                with self._connected().pipeline(transaction=False) as pipeline:
                    for command in commands[start : start + PIPELINED]:
                        pipeline.execute_command(*command)
                    answers += pipeline.execute()
        return answers

    def save_all(self, runs: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Run the save script for each pair of its KEYS and ARGV, each by itself."""
        with self._errors():
            if self._sha is None:
                self._sha = self._connected().script_load(self._script)
            sha = self._sha
        commands = [("EVALSHA", sha, len(keys), *keys, *arguments) for keys, arguments in runs]
        try:
            return self.call_all(commands)
        except AnalyticsUnavailable as error:
            if isinstance(error.__cause__, NoScriptError):
                self._sha = None  # Redis was restarted; the batch is projected again
            raise

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with self._circuit_breaker:
                yield
        except RedisError as error:
            raise AnalyticsUnavailable(f"Redis cannot be used: {type(error).__name__}") from error

    def _connected(self) -> Any:  # redis-py's types differ between its clients
        """The client. It is made outside the lock, because that of a Cluster connects."""
        return self._client or self._set_client(self._make_client())

    def _set_client(self, client: Client) -> Client:
        with self._lock:
            first = self._client = self._client or client
        if first is not client:
            client.close()
        return first


def _is_timeout(error: BaseException | None) -> bool:
    return isinstance(error, TimeoutError)


def _open_error() -> AnalyticsUnavailable:
    return AnalyticsUnavailable("Redis cannot be used: it does not answer")
