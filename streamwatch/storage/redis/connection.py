"""The one way to Redis: commands, pipelines and scripts, with the port's errors."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from struct import pack
from threading import Lock, local
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from hiredis import pack_command
from redis.client import PubSub
from redis.cluster import RedisCluster
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
    TimeoutError,  # noqa: A004  redis-py's own
    TryAgainError,
)

from streamwatch.circuit_breaker import CircuitBreaker
from streamwatch.storage.base import StorageError, StorageUnavailable
from streamwatch.storage.redis.urls import ANSWER_SECONDS, Client, client_maker

if TYPE_CHECKING:
    from redis import Redis

PIPELINED = 100
"""How many scripts are sent together: few round trips, and answers within the timeout."""

IDLE_SECONDS = 0.02
"""A connection that was used so shortly ago is taken to be good without a look: no Redis is
restarted faster."""

_TIMEVAL = pack("@ll", int(ANSWER_SECONDS), int(ANSWER_SECONDS % 1 * 1_000_000))
"""ANSWER_SECONDS for the kernel."""

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
_REFUSALS = ("MISCONF", "NOREPLICAS", "BUSY ", "LOADING", "MASTERDOWN", "CLUSTERDOWN")
"""Answers of a Redis that takes no commands now, for which redis-py may have no own error."""


class port_errors:  # noqa: N801  used like a function, as contextlib's are
    """Turns redis-py's errors into the port's."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, RedisError):
            raise _port_error(error) from error


def _port_error(error: RedisError) -> StorageError:
    if _is_silence(error):
        return StorageUnavailable("Redis cannot be used: it did not answer in time")
    if isinstance(error, _UNAVAILABLE) or str(error).startswith(_REFUSALS):
        return StorageUnavailable(f"Redis cannot be used: {error}")
    return StorageError(f"Redis refused: {error}")


def _is_silence(error: BaseException | None) -> bool:
    """Whether Redis did not answer in time: as redis-py tells it or, where the kernel keeps the
    time, of that."""
    return isinstance(error, TimeoutError) or (
        isinstance(error, ConnectionError) and isinstance(error.__context__, BlockingIOError)
    )


def _silent() -> StorageUnavailable:
    return StorageUnavailable("Redis cannot be used: it does not answer")


@dataclass(frozen=True, slots=True)
class Script:
    text: str
    sha: str

    @classmethod
    def load(cls, name: str) -> Self:
        """The script in the file `name`.lua."""
        text = (files("streamwatch.storage") / "lua" / f"{name}.lua").read_text()
        return cls(text, sha1(text.encode()).hexdigest())  # noqa: S324  Redis's name for a script


class Own(local):
    """What a thread has for itself: a client with one connection. To take one from the pool and to
    give it back costs as much as a command does."""

    def __init__(self) -> None:
        self._client: Redis | None = None
        self._used_at = 0.0

    def client(self, shared: Client) -> Client:
        """The thread's client, connected anew if Redis has closed its connection meanwhile."""
        if isinstance(shared, RedisCluster):
            return shared
        now = monotonic()
        if self._client is None:
            self._client = shared.client()
            connection: Any = self._client.connection
            connection.register_connect_callback(self._connected)
            self._connected(connection)
        elif now - self._used_at > IDLE_SECONDS:
            _renew_if_closed(self._client.connection)
        self._used_at = now
        return self._client

    def _connected(self, connection: Any) -> None:
        """Have the kernel keep the time of what waits on a socket. Python does it with a call of
        the system before each that may wait, and hands the interpreter to another thread at it."""
        own = getattr(connection, "_sock", None)
        if type(own) is not socket.socket:  # but TLS, which waits in its own way
            return
        own.settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            own.setsockopt(socket.SOL_SOCKET, option, _TIMEVAL)


def _renew_if_closed(connection: Any) -> None:
    """What redis-py's pool does before it hands out a connection."""
    try:
        is_stale = connection.can_read()
    except RedisError:
        is_stale = True
    if is_stale:
        connection.disconnect()  # the next command connects


class Connection:
    """A client that is made when it is first needed, in each process. Safe for threads."""

    def __init__(self, make_client: Callable[[], Client]) -> None:
        self._make_client = make_client
        self._client: Client | None = None
        self._own = Own()
        self._lock = Lock()
        self._silence = CircuitBreaker(_is_silence, _silent)

    @classmethod
    def to(cls, url: str) -> Self:
        """Raises ValueError for a URL in none of the forms of REDIS_URL."""
        return cls(client_maker(url))

    def call(self, *command: Any) -> Any:
        """One command. Those of two words are given as redis-py names them: "XINFO GROUPS"."""
        with port_errors(), self._silence:
            return _exchange(self._own.client(self._connected()), *command)

    def call_all(self, commands: Sequence[Command]) -> list[Any]:
        """Several commands in one round trip, none of which undoes another that fails."""
        return _without_errors(self._pipelined(commands))

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """One run of a script: a plain command, which costs less than a pipeline of one."""
        with port_errors(), self._silence:
            client = self._own.client(self._connected())
            try:
                return _exchange(client, "EVALSHA", script.sha, len(keys), *keys, *arguments)
            except NoScriptError:  # a Redis that was restarted has forgotten it
                return _exchange(client, "EVAL", script.text, len(keys), *keys, *arguments)

    def run_all(self, script: Script, runs: Sequence[Arguments]) -> list[Any]:
        """A script many times, each run by itself."""
        if len(runs) == 1:
            return [self.run(script, *runs[0])]
        answers = []
        for start in range(0, len(runs), PIPELINED):
            commands = [
                ("EVALSHA", script.sha, len(keys), *keys, *arguments)
                for keys, arguments in runs[start : start + PIPELINED]
            ]
            answers += self._run(script, commands)
        return answers

    def pubsub(self) -> PubSub:
        """A new subscriber, which takes a connection for itself with its first subscription."""
        with port_errors():
            client: Any = self._connected()
            subscriber: PubSub = client.pubsub()
            return subscriber

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _run(self, script: Script, commands: list[Command]) -> list[Any]:
        """Those runs that found the script forgotten are run again, the first with its text, from
        which Redis learns it for the rest."""
        answers = self._pipelined(commands)
        unknown = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            again = [commands[i] for i in unknown]
            again[0] = ("EVAL", script.text, *again[0][2:])
            for i, answer in zip(unknown, self._pipelined(again), strict=True):
                answers[i] = answer
        return _without_errors(answers)

    def _pipelined(self, commands: Sequence[Command]) -> list[Any]:
        """The answers; an error among them is given as one."""
        with (
            port_errors(),
            self._silence,
            self._connected().pipeline(transaction=False) as pipeline,
        ):
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute(raise_on_error=False)
            return answers

    def _connected(self) -> Client:
        """Makes a client without the lock: nobody waits for another who cannot connect."""
        return self._client or self._keep(self._make_client())

    def _keep(self, client: Client) -> Client:
        """The client that was made first."""
        with self._lock:
            kept = self._client = self._client or client
        if kept is not client:
            client.close()
        return kept


def _exchange(client: Any, name: str, *arguments: Any) -> Any:
    """What `client.execute_command` does, but for what it prepares at each command in case that it
    is retried or measured: a third of its time. A Cluster's has to find the node."""
    connection = getattr(client, "connection", None)
    if connection is None:
        return client.execute_command(name, *arguments)
    connection.send_packed_command([pack_command((*name.split(), *arguments))])
    return client.parse_response(connection, name)


def _without_errors(answers: list[Any]) -> list[Any]:
    """The answers, unless one is an error."""
    with port_errors():
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
    return answers
