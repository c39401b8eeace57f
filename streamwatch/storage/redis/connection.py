"""Commands, pipelines and scripts on a Redis client, with the errors of the storage port."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from threading import Lock
from typing import Any, Self

from redis.client import PubSub
from redis.exceptions import (
    AskError,
    ClusterError,
    ConnectionError,  # noqa: A004  redis-py's own
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004  redis-py's own
    TryAgainError,
)

from streamwatch.circuit_breaker import CircuitBreaker
from streamwatch.redis_urls import Client, client_maker
from streamwatch.storage.base import StorageError, StorageUnavailable
from streamwatch.storage.redis.server_info import require_supported_version

PIPELINED = 100
"""How many runs of a script one pipeline has: few round trips, and answers within the timeout."""

Command = tuple[Any, ...]
Arguments = tuple[Sequence[str], Sequence[Any]]
"""The KEYS and the ARGV of a script."""

_UNAVAILABLE = (
    ConnectionError,
    TimeoutError,
    OutOfMemoryError,
    ReadOnlyError,
    NoPermissionError,
    ClusterError,
    RedisClusterException,
    AskError,
    TryAgainError,
)
_UNAVAILABLE_PREFIXES = ("MISCONF", "NOREPLICAS", "BUSY ", "LOADING", "MASTERDOWN", "CLUSTERDOWN")
"""Error codes of a Redis that cannot run commands now, for which redis-py may have no class."""


@contextmanager
def port_errors() -> Iterator[None]:
    """Raise redis-py's errors as errors of the storage port."""
    try:
        yield
    except RedisError as error:
        raise _port_error(error) from error


def _port_error(error: RedisError) -> StorageError:
    if _is_timeout(error):
        return StorageUnavailable("Redis cannot be used: it did not answer in time")
    if isinstance(error, _UNAVAILABLE) or str(error).startswith(_UNAVAILABLE_PREFIXES):
        return StorageUnavailable(f"Redis cannot be used: {error}")
    return StorageError(f"Redis refused: {error}")


def _is_timeout(error: BaseException | None) -> bool:
    return isinstance(error, TimeoutError)


def _open_error() -> StorageUnavailable:
    return StorageUnavailable("Redis cannot be used: it does not answer")


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script of this package."""

    name: str
    text: str

    @classmethod
    def load(cls, name: str) -> Self:
        """The script in the file `name`.lua."""
        return cls(name, (files("streamwatch.storage") / "lua" / f"{name}.lua").read_text())


class Connection:
    """A redis-py client, created on first use. Safe for threads."""

    def __init__(self, make_client: Callable[[], Client]) -> None:
        self._make_client = make_client
        self._client: Client | None = None
        self._is_version_checked = False
        self._registered: dict[str, Any] = {}
        """Scripts as redis-py's objects, by name."""
        self._lock = Lock()
        self._breaker = CircuitBreaker(_is_timeout, _open_error)

    @classmethod
    def to(cls, url: str) -> Self:
        """A connection to `url`. Raises ValueError if it has none of the forms of REDIS_URL."""
        return cls(client_maker(url))

    def info(self, section: str) -> dict[str, Any]:
        """A section of INFO; empty if the user may not run INFO or the server does not know it."""
        with port_errors(), self._breaker:
            return _info(self._connected(), section)

    def call(self, *command: Any) -> Any:
        """Run one command. A subcommand is part of the first argument, as in "XINFO GROUPS"."""
        with port_errors(), self._breaker:
            return self._connected().execute_command(*command)

    def call_all(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in one round trip. If a command fails, the others still run, and the first
        error is raised."""
        return _raise_first_error(self._pipeline(commands))

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script; redis-py loads it if Redis does not have it."""
        with port_errors(), self._breaker:
            return self._register(script)(keys, arguments)

    def run_all(self, script: Script, runs: Sequence[Arguments]) -> list[Any]:
        """Run a script once for each of `runs`, independently. Returns the results in order."""
        if len(runs) == 1:
            return [self.run(script, *runs[0])]
        answers = []
        with port_errors():
            sha = self._register(script).sha
        for start in range(0, len(runs), PIPELINED):
            commands = [
                ("EVALSHA", sha, len(keys), *keys, *arguments)
                for keys, arguments in runs[start : start + PIPELINED]
            ]
            answers += self._run_batch(script, commands)
        return answers

    def pubsub(self) -> PubSub:
        """A new subscriber. It takes a connection from the pool with its first subscription."""
        with port_errors():
            subscriber: PubSub = self._connected().pubsub()
            return subscriber

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _run_batch(self, script: Script, commands: list[Command]) -> list[Any]:
        """Run `commands`, and repeat those that failed because Redis lost its scripts in a
        restart."""
        answers = self._pipeline(commands)
        missing = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:
            with port_errors(), self._breaker:
                self._connected().script_load(script.text)
            again = self._pipeline([commands[i] for i in missing])
            for i, answer in zip(missing, again, strict=True):
                answers[i] = answer
        return _raise_first_error(answers)

    def _register(self, script: Script) -> Any:
        if script.name not in self._registered:
            self._registered[script.name] = self._connected().register_script(script.text)
        return self._registered[script.name]

    def _pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in one round trip. Returns the answers in order, errors as objects."""
        with (
            port_errors(),
            self._breaker,
            self._connected().pipeline(transaction=False) as pipeline,
        ):
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute(raise_on_error=False)
            return answers

    def _connected(self) -> Any:  # redis-py's types differ between its clients
        """The client, after a check of the server's version. It is created outside the lock,
        because a Cluster client connects when it is created, and other callers must not wait."""
        client = self._client or self._set_client(self._make_client())
        if not self._is_version_checked:
            require_supported_version(_info(client, "server"))
            self._is_version_checked = True
        return client

    def _set_client(self, client: Client) -> Client:
        """Set the client, unless another thread has set one. Returns the client that is set."""
        with self._lock:
            first = self._client = self._client or client
        if first is not client:
            client.close()
        return first


def _info(client: Any, section: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = client.execute_command("INFO", section)
    except ResponseError:
        return {}
    return found


def _raise_first_error(answers: list[Any]) -> list[Any]:
    with port_errors():
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
    return answers
