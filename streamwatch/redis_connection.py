"""Commands, pipelines and scripts on a Redis client, with the errors of a port."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Self

from redis.exceptions import (
    NoScriptError,
    RedisClusterException,
    RedisError,
    TimeoutError,  # noqa: A004  redis-py's own
)

from streamwatch.circuit_breaker import CircuitBreaker
from streamwatch.redis_urls import Client, client_maker

PIPELINED = 100
"""How many commands one pipeline has: few round trips, and answers within the timeout."""

Command = Sequence[Any]
Arguments = tuple[Sequence[str], Sequence[Any]]
"""The KEYS and the ARGV of a script."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script. A connection knows each of its scripts by name."""

    name: str
    text: str


class RedisConnection(ABC):
    """A redis-py client, created on first use. Safe for threads.

    A subclass raises redis-py's errors as those of its port.
    """

    def __init__(self, make_client: Callable[[], Client]) -> None:
        self._make_client = make_client
        self._client: Client | None = None
        self._registered: dict[str, Any] = {}
        """Scripts as redis-py's objects, by name."""
        self._lock = Lock()
        self._breaker = CircuitBreaker(is_timeout, self.open_error)

    @classmethod
    def to(cls, url: str) -> Self:
        """A connection to `url`. Raises ValueError if it has none of the forms of REDIS_URL."""
        return cls(client_maker(url))

    @abstractmethod
    def port_error(self, error: RedisError | RedisClusterException) -> Exception:
        """The error of the port for an error of redis-py."""

    @abstractmethod
    def open_error(self) -> Exception:
        """The error of the port while Redis does not answer."""

    def call(self, *command: Any) -> Any:
        """Run one command. A subcommand is part of the first argument, as in "XINFO GROUPS"."""
        with self.answering():
            return self.connected().execute_command(*command)

    def call_all(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in one round trip, or one for each 100. If a command fails, the others still
        run, and the first error is raised."""
        return self._raise_first_error(self._pipeline(commands))

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script; redis-py loads it if Redis does not have it."""
        with self.answering():
            return self._register(script)(keys, arguments)

    def run_all(self, script: Script, runs: Sequence[Arguments]) -> list[Any]:
        """Run a script once for each of `runs`, independently. Returns the results in order. Runs
        that failed because Redis lost its scripts in a restart are repeated."""
        if len(runs) == 1:
            return [self.run(script, *runs[0])]
        with self.port_errors():
            sha = self._register(script).sha
        commands = [("EVALSHA", sha, len(keys), *keys, *arguments) for keys, arguments in runs]
        answers = self._pipeline(commands)
        missing = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:
            with self.answering():
                self.connected().script_load(script.text)
            again = self._pipeline([commands[i] for i in missing])
            for i, answer in zip(missing, again, strict=True):
                answers[i] = answer
        return self._raise_first_error(answers)

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()

    def connected(self) -> Any:  # redis-py's types differ between its clients
        """The client. It is created outside the lock, because a Cluster client connects when it is
        created, and other callers must not wait."""
        return self._client or self._set_client(self._make_client())

    @contextmanager
    def port_errors(self) -> Iterator[None]:
        """Raise redis-py's errors as errors of the port."""
        try:
            yield
        except (RedisError, RedisClusterException) as error:  # the latter is no RedisError
            raise self.port_error(error) from error

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Apply the circuit breaker and the port's errors to a call that waits for Redis."""
        with self.port_errors(), self._breaker:
            yield

    def _register(self, script: Script) -> Any:
        if script.name not in self._registered:
            self._registered[script.name] = self.connected().register_script(script.text)
        return self._registered[script.name]

    def _pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands. Returns the answers in order, errors as objects."""
        answers: list[Any] = []
        for start in range(0, len(commands), PIPELINED):
            with self.answering(), self.connected().pipeline(transaction=False) as pipeline:
                for command in commands[start : start + PIPELINED]:
                    pipeline.execute_command(*command)
                answers += pipeline.execute(raise_on_error=False)
        return answers

    def _set_client(self, client: Client) -> Client:
        """Set the client, unless another thread has set one. Returns the client that is set."""
        with self._lock:
            first = self._client = self._client or client
        if first is not client:
            client.close()
        return first

    def _raise_first_error(self, answers: list[Any]) -> list[Any]:
        with self.port_errors():
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
        return answers


def is_timeout(error: BaseException | None) -> bool:
    return isinstance(error, TimeoutError)
