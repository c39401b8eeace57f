"""The documents of the collections.

A document has the fields of a dataclass of the domain. Sums are on its first level: indexes and
aggregations use those of a streamer. Documents of version 0.1 have no `version`; they are read as
well.
"""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import convert

from streamwatch.analytics.state import UNVERSIONED, StoredSession, StreamerState
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.session_events import Identity, SessionEvent
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums, QuarterSums
from streamwatch.domain.times import format_time
from streamwatch.domain.totals import CategoryRank, StreamerStats, Summary, Totals

Document = dict[str, Any]

_NEVER = datetime.max.replace(microsecond=0, tzinfo=UTC)

# pymongo reads large numbers as a subclass of int, which `enc_hook` makes an int again.
_fields = partial(msgspec.to_builtins, builtin_types=(datetime,), enc_hook=int)
_json = msgspec.json.Encoder(enc_hook=int)
_STATE = msgspec.json.Decoder(StreamerState)


def encode_event(event: SessionEvent) -> Document:
    fields = {name: value for name, value in _fields(event).items() if value is not None}
    return {"_id": fields.pop("id"), **fields}


def decode_event(document: Document) -> SessionEvent:
    return convert({"stream_id": None, **document, "id": document["_id"]}, SessionEvent)


def encode_sample(sample: StreamSnapshot) -> Document:
    sample_id = f"{sample.stream_id}:{format_time(sample.captured_at)}"
    return {"_id": sample_id, **_fields(sample)}


def decode_sample(document: Document) -> StreamSnapshot:
    return convert(document, StreamSnapshot)


def encode_session(session: StreamSession) -> Document:
    fields = _fields(session)
    totals = _flat(fields.pop("sample_totals"))
    return {"_id": fields.pop("stream_id"), **fields, **totals}


def decode_session(document: Document) -> StreamSession:
    totals = {**document, "sums": document}
    if "version" not in document:
        totals |= _totals_of_0_1(document)
    fields = {**document, "stream_id": document["_id"], "sample_totals": totals}
    return convert(fields, StreamSession)


def _totals_of_0_1(document: Document) -> Document:
    """The totals that have another form now. The last sample had one category only."""
    last, last_ms = document["last"], document["last_ms"]
    return {
        "categories": [item | {"sums": item} for item in document["categories"]],
        "quarters": [[item[name] for name in QuarterSums._fields] for item in document["quarters"]],
        "last_parts": [(last["category_id"] or "", last_ms)] if last and last_ms else [],
    }


def decode_stored_session(document: Document) -> StoredSession:
    return StoredSession(decode_session(document), decode_version(document))


def decode_version(document: Document) -> int:
    """The version. Raises ValueError if it is damaged: every save would conflict."""
    version = document.get("version", UNVERSIONED)
    if not isinstance(version, int) or (version == UNVERSIONED and "version" in document):
        raise ValueError("The version is no number.")
    return version


def encode_state(state: StreamerState) -> Document:
    """The statistics, and the state as JSON: it is read by the projection only."""
    identity, total = state.identity, state.statistics.total
    return {
        "_id": identity.broadcaster_id,
        "broadcaster_login": identity.latest_name.login,
        "broadcaster_name": identity.latest_name.name,
        "updated_at": identity.latest_name.at,
        "first_seen_at": identity.first_seen_at,
        "is_observed": identity.is_observed,
        **_flat(_fields(total.totals)),
        "average": total.totals.sums.average,
        "categories": [_flat(item) for item in _fields(total.categories)],
        "state": _json.encode(state).decode(),
    }


def decode_state(document: Document) -> StreamerState:
    """A state of version 0.1 has no events, so that everything is read from the history."""
    if "version" not in document:
        identity = decode_stats(document).identity
        return StreamerState(identity, last_settled=(_NEVER, ""), since=_NEVER, version=UNVERSIONED)
    return replace(_STATE.decode(document["state"]), version=document["version"])


def decode_stats(document: Document) -> StreamerStats:
    name = [document[key] for key in ("updated_at", "broadcaster_login", "broadcaster_name")]
    fields = {**document, "broadcaster_id": document["_id"], "latest_name": name}
    return StreamerStats(convert(fields, Identity), _totals(document))


def _totals(document: Document) -> Totals:
    fields = {**document, "sums": document, "last_live_at": _last_live_at(document)}
    return convert(fields, Totals)


def _last_live_at(document: Document) -> datetime | None:
    """Documents of version 0.1 have no such time: there it is the time of the newest observation,
    or of the latest start."""
    last_stream_at: datetime | None = document["last_stream_at"]
    default = document.get("updated_at", last_stream_at) if last_stream_at else None
    known: datetime | None = document.get("last_live_at", default)
    return known


def decode_summary(document: Document) -> Summary:
    return Summary(document["streamers"], _totals(document))


def decode_categories(document: Document) -> list[CategorySums]:
    return [_category(item) for item in document["categories"]]


def decode_rank(document: Document) -> CategoryRank:
    return CategoryRank(
        document["streamers"], _category({**document, "category_id": document["_id"]})
    )


def _category(document: Document) -> CategorySums:
    return convert({**document, "sums": document}, CategorySums)


def _flat(fields: Document) -> Document:
    """Fields of which one is `sums`, with the sums among the others."""
    sums: Document = fields.pop("sums")
    return fields | sums
