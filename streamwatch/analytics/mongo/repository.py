"""The repository in MongoDB: no transactions, so that one server is enough.

A document is replaced only if it still has the version that was read. Versions are random numbers:
a writer that reads a version back knows whether it is its own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Collection as Items
from dataclasses import replace
from secrets import randbits
from typing import Any, TypeVar

from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from streamwatch.analytics.base import AnalyticsError, History, Repository
from streamwatch.analytics.mongo.codec import (
    Document,
    decode_event,
    decode_sample,
    decode_state,
    decode_stored_session,
    decode_version,
    encode_event,
    encode_sample,
    encode_session,
    encode_state,
)
from streamwatch.analytics.mongo.connection import Connection
from streamwatch.analytics.mongo.schema import EVENTS, SESSIONS, SNAPSHOTS, STATS
from streamwatch.analytics.reading import ValueReader, state_from_history
from streamwatch.analytics.state import StoredSession, StreamerState, Update
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.session_events import Kind, SessionEvent

BATCH_SIZE = 10_000
"""How many documents one answer may have: MongoDB's own first answer is 101."""

_DUPLICATE_KEY = 11000

T = TypeVar("T")

Write = InsertOne[Document] | ReplaceOne[Document] | UpdateOne


class MongoRepository(Repository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reader = ValueReader("MongoDB")

    def states(self, user_ids: Items[str]) -> dict[str, StreamerState]:
        return {document["_id"]: self._state(document) for document in self._find(STATS, user_ids)}

    def _state(self, document: Document) -> StreamerState:
        user_id = document["_id"]
        try:
            version = decode_version(document)
        except ValueError:
            text = f"The version of the analytics of user {user_id} is damaged."
            raise AnalyticsError(text) from None
        state = self._reader.read(f"state of user {user_id}", document, decode_state)
        state = state or state_from_history(user_id, self.history(user_id))
        return replace(state, version=version)

    def stored_sessions(self, stream_ids: Items[str]) -> dict[str, StoredSession]:
        return self._stored(self._find(SESSIONS, stream_ids))

    def stored_samples(self, stream_ids: Items[str]) -> dict[str, list[StreamSnapshot]]:
        samples = defaultdict(list)
        found = self._find(SNAPSHOTS, stream_ids, "stream_id")
        for sample in self._decoded("sample", found, decode_sample):
            samples[sample.stream_id].append(sample)
        return samples

    def history(self, user_id: str) -> History:
        found = self._find(EVENTS, [user_id], "broadcaster_id")
        events = self._decoded("event", found, decode_event)
        sessions = self._find(SESSIONS, [user_id], "broadcaster_id")
        return History({event.id: event for event in events}, self._stored(sessions))

    def _stored(self, documents: Iterable[Document]) -> dict[str, StoredSession]:
        """The sessions by stream id. Damaged ones are deleted: an insert would always conflict."""
        found = {}
        for document in documents:
            stream_id = document["_id"]
            stored = self._reader.read(f"session {stream_id}", document, decode_stored_session)
            if stored is not None:
                found[stream_id] = stored
            else:
                self._collection(SESSIONS).delete_one(document)
        return found

    def _decoded(
        self, kind: str, documents: Iterable[Document], decode: Callable[[Document], T]
    ) -> Iterator[T]:
        """The decoded documents, without those that are damaged."""
        named = ((document["_id"], document) for document in documents)
        return self._reader.each(kind, named, decode)

    def save(self, updates: Sequence[Update]) -> set[str]:
        events = [_addition(event) for update in updates for event in update.events]
        _write(self._collection(EVENTS), events)
        samples = [sample for update in updates for new in update.samples for sample in new.samples]
        _write(
            self._collection(SNAPSHOTS), [InsertOne(encode_sample(sample)) for sample in samples]
        )
        version = randbits(62) or 1
        conflicts = self._replace(
            SESSIONS,
            [
                (encode_session(item.session), item.stored.version if item.stored else None)
                for update in updates
                for item in update.sessions
            ],
            version,
        )
        updates = [
            update
            for update in updates
            if not any(item.session.stream_id in conflicts for item in update.sessions)
        ]
        states = [(encode_state(update.state), update.state.version) for update in updates]
        conflicts = self._replace(STATS, states, version)
        return {update.user_id for update in updates} - conflicts

    def _replace(
        self, name: str, documents: Sequence[tuple[Document, int | None]], version: int
    ) -> set[str]:
        """Replace the documents that still have the version they were read with, and insert those
        that had none. Returns the ids of those that were not written."""
        writes: list[Write] = []
        for document, known in documents:
            document["version"] = version
            if known is None:
                writes.append(InsertOne(document))
                continue
            matching = {"_id": document["_id"], "version": known or None}
            if name == SESSIONS:
                matching["broadcaster_id"] = document["broadcaster_id"]  # the shard key
            writes.append(ReplaceOne(matching, document))
        collection = self._collection(name)
        if _write(collection, writes) == len(writes):
            return set()
        ids = {document["_id"] for document, _ in documents}
        written = collection.find({"_id": {"$in": list(ids)}, "version": version}, {"_id": 1})
        return ids - {document["_id"] for document in written}

    def _find(self, name: str, values: Iterable[str], field: str = "_id") -> Iterable[Document]:
        query = {field: {"$in": list(values)}}
        return self._collection(name).find(query, batch_size=BATCH_SIZE)

    def _collection(self, name: str) -> Collection[Document]:
        return self._connection.collection(name)


def _addition(event: SessionEvent) -> Write:
    """An insert, which fails where the event is stored. Of SEEN events the earlier is stored, as in
    `domain.session_events.merge_events`."""
    document = encode_event(event)
    if event.kind is not Kind.SEEN:
        return InsertOne(document)
    key = {name: document.pop(name) for name in ("_id", "broadcaster_id")}
    least = {name: document.pop(name) for name in ("at", "started_at")}
    return UpdateOne(key, {"$min": least, "$setOnInsert": document}, upsert=True)


def _write(collection: Collection[Document], writes: Sequence[Write]) -> int:
    """Do all of these writes, in no order. An insert of a document that exists does nothing. Of two
    upserts that insert the same document at once MongoDB fails one: it is repeated, and finds the
    document. Returns how many documents were inserted or found."""
    done = 0
    while writes:
        try:
            result = collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            details: Any = error.details
            if any(item["code"] != _DUPLICATE_KEY for item in details["writeErrors"]):
                raise
            if details["writeConcernErrors"]:  # written, but a failover may lose it
                raise
            done += details["nInserted"] + details["nMatched"] + details["nUpserted"]
            failed = [writes[item["index"]] for item in details["writeErrors"]]
            writes = [write for write in failed if isinstance(write, UpdateOne)]
        else:
            return done + result.inserted_count + result.matched_count + result.upserted_count
    return done
