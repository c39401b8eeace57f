"""The connection to MongoDB: one client for each process, time limits, and the port's errors."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from threading import Lock
from typing import Any

import pymongo
from bson.errors import BSONError
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DocumentTooLarge,
    OperationFailure,
    PyMongoError,
    WriteError,
)

from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.analytics.mongo.codec import Document
from streamwatch.circuit_breaker import CircuitBreaker
from streamwatch.settings import SettingsError

Client = pymongo.MongoClient[Document]

READ_SECONDS = 1.5
"""The time limit of one read. The port promises a result or an error within 3 seconds, and the
driver may exceed this limit by half a second, the interval at which it checks the servers."""

WRITE_SECONDS = 60.0
"""The time limit of projecting one batch: many times the usual duration, because a batch that
exceeds it would be retried forever."""

_CONNECT_MS = 2000


class Connection:
    """A database. Each process creates its own client on first use, because pymongo's client cannot
    be used after a fork."""

    def __init__(self, make_client: Callable[[], Client], database: str) -> None:
        self._make_client = make_client
        self._name = database
        self._lock = Lock()
        self._client: Client | None = None
        self._process: int | None = None
        self._circuit_breaker = CircuitBreaker(_is_timeout, _open_error)

    def __repr__(self) -> str:
        return f"Connection(database={self._name!r})"

    def collection(self, name: str) -> Collection[Document]:
        return self.database[name]

    @property
    def database(self) -> Database[Document]:
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._client = self._make_client()
                self._process = os.getpid()
            return self._client[self._name]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wraps a read in its time limit and the port's errors. While MongoDB does not answer, one
        caller at a time waits for it, and the others fail fast."""
        with self._circuit_breaker, time_limit(READ_SECONDS):
            yield

    @contextmanager
    def writing(self, seconds: float = WRITE_SECONDS) -> Iterator[None]:
        """Wraps what may take longer than a read, once MongoDB answers at all."""
        self.ping()
        with time_limit(seconds):
            yield

    def ping(self) -> None:
        with self.reading():
            self.database.command("ping")

    def close(self) -> None:
        with self._lock:
            if self._client is not None and self._process == os.getpid():
                self._client.close()
            self._client = None


def check_url(url: str) -> None:
    """Raise SettingsError if no client can be created for `url`. Connects to nothing."""
    try:
        with pymongo.MongoClient[Document](url, connect=False):
            pass
    except ConfigurationError as error:
        fault = str(error)
    except (OSError, ValueError) as error:  # a missing certificate; the text may hold a secret
        fault = f"{type(error).__name__} in an option after the ?"
    else:
        return
    raise SettingsError([f"MONGODB_URL: the value cannot be used ({fault.rstrip('.')})"])


def client_maker(url: str) -> Callable[[], Client]:
    """A function that creates a client for `url`. Writes are acknowledged once they are on disk:
    otherwise a crash would lose the last 100 ms, which the feed may no longer have."""
    return lambda: pymongo.MongoClient(
        url,
        tz_aware=True,
        tzinfo=UTC,
        connectTimeoutMS=_CONNECT_MS,
        serverSelectionTimeoutMS=_CONNECT_MS,
        timeoutMS=int(READ_SECONDS * 1000),
        w="majority",
        journal=True,
        appname="streamwatch",
    )


def _is_timeout(error: BaseException | None) -> bool:
    """Whether MongoDB did not answer. A command that it refused has an answer."""
    if not isinstance(error, AnalyticsUnavailable):
        return False
    cause = error.__cause__
    return not isinstance(cause, OperationFailure) or cause.timeout


def _open_error() -> AnalyticsUnavailable:
    return AnalyticsUnavailable("MongoDB does not answer")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limits the time of everything inside, and raises the port's errors.

    What the driver cannot encode, or the server refuses to write, is invalid in itself. Any other
    error, such as a refused login or a full disk, may pass.
    """
    try:
        with pymongo.timeout(seconds):
            yield
    except (BSONError, DocumentTooLarge, OverflowError, UnicodeError) as error:
        raise AnalyticsError(f"MongoDB cannot store it: {type(error).__name__}") from error
    except (BulkWriteError, WriteError) as error:
        if error.timeout:
            raise AnalyticsUnavailable("MongoDB did not answer in time") from error
        if (error.details or {}).get("writeConcernErrors"):
            raise AnalyticsUnavailable("MongoDB has not confirmed a write") from error
        raise AnalyticsError(f"MongoDB did not write it: {type(error).__name__}") from error
    except OperationFailure as error:
        if error.timeout:
            raise AnalyticsUnavailable("MongoDB did not answer in time") from error
        reason = (error.details or {}).get("codeName", f"code {error.code}")
        raise AnalyticsUnavailable(f"MongoDB refused a command: {reason}") from error
    except PyMongoError as error:
        raise AnalyticsUnavailable(f"MongoDB does not answer: {type(error).__name__}") from error


def items(connection: Connection, documents: Iterator[Any]) -> Iterator[Any]:
    """The same items, each with the time limit and the errors of a read."""
    end = object()
    while True:
        with connection.reading():
            item = next(documents, end)
        if item is end:
            return
        yield item
