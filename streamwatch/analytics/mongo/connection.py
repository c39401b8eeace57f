"""The one way to MongoDB: a client for each process, time limits, and the port's errors."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from threading import Lock
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DocumentTooLarge, PyMongoError, WriteError

from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.circuit_breaker import CircuitBreaker

Document = dict[str, Any]

READ_SECONDS = 1.5
"""How long a read may take as a whole. The port promises an answer or an error within 3, and the
webhook its own within 2 although threads wait here; the driver looks for a server every half
second, and may be that late."""

WRITE_SECONDS = 60.0
"""How long projecting a batch may take, many times what it does: a batch that is too long would be
tried for ever."""

AT_ONCE = 10_000
"""How many documents one answer may have where many are wanted: MongoDB's own first answer is 101,
and every further one a round trip."""

_CONNECT_MS = 2000
_DUPLICATE_KEY = 11000
_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)


class Connection:
    """A database whose client is made when it is first needed in a process: pymongo's does not
    survive a fork."""

    def __init__(self, url: str, database: str) -> None:
        self._url = url
        self._name = database
        self._lock = Lock()
        self._client: pymongo.MongoClient[Document] | None = None
        self._process: int | None = None
        self._silence = CircuitBreaker(_is_silence, _silent)

    def __repr__(self) -> str:
        return f"Connection(database={self._name!r})"

    def collection(self, name: str) -> Collection[Document]:
        return self.database[name]

    @property
    def database(self) -> Database[Document]:
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._client = pymongo.MongoClient(
                    self._url,
                    connectTimeoutMS=_CONNECT_MS,
                    serverSelectionTimeoutMS=_CONNECT_MS,
                    timeoutMS=int(READ_SECONDS * 1000),
                    # On disk before the feed may forget it: else a crash loses the last 100 ms.
                    w="majority",
                    journal=True,
                    appname="streamwatch",
                )
                self._process = os.getpid()
            return self._client.get_database(self._name, codec_options=_CODEC)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around every read: as `within`, and of many who would wait for a database that does not
        answer one does."""
        with self._silence, within(READ_SECONDS):
            yield

    def close(self) -> None:
        with self._lock:
            if self._client is not None and self._process == os.getpid():
                self._client.close()
            self._client = None


def _is_silence(error: BaseException | None) -> bool:
    return isinstance(error, AnalyticsUnavailable)


def _silent() -> AnalyticsUnavailable:
    return AnalyticsUnavailable("MongoDB does not answer")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let what is done inside take so long as a whole, and fail with the port's errors.

    What the driver cannot encode, or the server refuses to write, is wrong in itself. Everything
    else, a refused login or a full disk too, is the database's trouble and may pass.
    """
    try:
        with pymongo.timeout(seconds):
            yield
    except (BSONError, DocumentTooLarge, OverflowError, UnicodeError) as error:
        raise AnalyticsError(f"MongoDB cannot keep it: {type(error).__name__}") from error
    except (BulkWriteError, WriteError) as error:
        if error.timeout:
            raise AnalyticsUnavailable("MongoDB did not answer in time") from error
        raise AnalyticsError(f"MongoDB did not write it: {type(error).__name__}") from error
    except PyMongoError as error:
        raise AnalyticsUnavailable(f"MongoDB does not answer: {type(error).__name__}") from error


def write_all(
    collection: Collection[Document], writes: Sequence[InsertOne[Document] | UpdateOne]
) -> None:
    """Do all of these inserts and upserts, in no order. An insert of a document that is there is
    done already. Of two upserts that insert the same document at once MongoDB fails one: it is done
    again and finds the document."""
    while writes:
        try:
            collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            again = [writes[place] for place in _duplicates(error)]
            writes = [write for write in again if isinstance(write, UpdateOne)]
        else:
            return


def add_all(collection: Collection[Document], documents: Sequence[Document]) -> set[Any]:
    """Insert these documents, in no order; the ids of those that were there already."""
    if not documents:
        return set()
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        return {documents[place]["_id"] for place in _duplicates(error)}
    return set()


def _duplicates(error: BulkWriteError) -> list[int]:
    """The places of the writes whose document was there. Raises `error` where any failed of another
    reason."""
    failed = error.details["writeErrors"]
    if any(one["code"] != _DUPLICATE_KEY for one in failed):
        raise error
    return [one["index"] for one in failed]


def newer(key: Document, value: Document, stays: str | None = None) -> UpdateOne:
    """Replace the document with this key by `value`, unless it was written with a later ticket. The
    field `stays` keeps the value that it was first written with."""
    replaced: Document = {"$literal": value}
    if stays is not None:
        first = {"$ifNull": [f"${stays}", {"$literal": value[stays]}]}
        replaced = {"$mergeObjects": [replaced, {stays: first}]}
    is_later = {"$gt": ["$ticket", value["ticket"]]}
    replacement = {"$cond": [is_later, "$$ROOT", replaced]}
    return UpdateOne(key, [{"$replaceWith": replacement}], upsert=True)
