"""Documents of events, samples, sessions and states, as MongoDB and Redis store them.

All sums are whole numbers and nothing is rounded. Times are `datetime`s; JSON stores them as text,
and they are read from both.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from streamwatch.analytics.state import Contribution, StreamerState
from streamwatch.domain.channel import ChannelUpdate
from streamwatch.domain.models import ChannelInfo, StreamSnapshot, Video
from streamwatch.domain.sessions import Identity, Kind, ObservedName, SessionEvent, StreamSession
from streamwatch.domain.statistics import CategorySums, QuarterSums, SampleTotals, Sums
from streamwatch.domain.totals import StreamerStats, Totals

Document = dict[str, Any]

SUMS = ("samples", "viewer_sum", "max_viewers", "observed_ms", "viewer_ms")
COUNTS = ("streams", "ended_streams", "airtime_ms", "ended_airtime_ms")

SAMPLE_FIELDS = tuple(StreamSnapshot.__dataclass_fields__)
_VIDEO_FIELDS = tuple(Video.__dataclass_fields__)


_KINDS = {kind.value: kind for kind in Kind}


def encode_event(event: SessionEvent) -> Document:
    document: Document = {
        "_id": event.id,
        "kind": event.kind.value,
        "at": event.at,
        "broadcaster_id": event.broadcaster_id,
        "broadcaster_login": event.broadcaster_login,
        "broadcaster_name": event.broadcaster_name,
        "stream_id": event.stream_id,
    }
    for name in ("started_at", "estimated_at", "replaces"):
        value = getattr(event, name)
        if value is not None:
            document[name] = value
    if event.info is not None:
        document["info"] = list(event.info)
    if event.video is not None:
        document["video"] = encode_video(event.video)
    return document


def decode_event(document: Document) -> SessionEvent:
    return SessionEvent(
        id=document["_id"],
        kind=_KINDS[document["kind"]],
        at=_required_time(document["at"]),
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        stream_id=document["stream_id"],
        started_at=_time(document.get("started_at")),
        estimated_at=_time(document.get("estimated_at")),
        replaces=document.get("replaces"),
        info=ChannelInfo(*document["info"]) if document.get("info") else None,
        video=decode_video(document.get("video")),
    )


def encode_video(video: Video) -> Document:
    return {name: getattr(video, name) for name in _VIDEO_FIELDS}


def decode_video(document: Document | None) -> Video | None:
    if document is None:
        return None
    times = {name: _required_time(document[name]) for name in ("started_at", "ended_at")}
    return Video(**document | times)


def encode_sample(sample: StreamSnapshot) -> Document:
    return {name: getattr(sample, name) for name in SAMPLE_FIELDS}


def decode_sample(document: Document) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=document["stream_id"],
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        captured_at=_required_time(document["captured_at"]),
        started_at=_required_time(document["started_at"]),
        viewer_count=document["viewer_count"],
        category_id=document["category_id"],
        category_name=document["category_name"],
        title=document["title"],
        language=document["language"],
        tags=tuple(document["tags"]),
    )


def encode_session(session: StreamSession) -> Document:
    totals = session.sample_totals
    return {
        "_id": session.stream_id,
        "broadcaster_id": session.broadcaster_id,
        "broadcaster_login": session.broadcaster_login,
        "broadcaster_name": session.broadcaster_name,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "seen_at": session.seen_at,
        **_encode_sums(totals.sums),
        "categories": _encode_categories(totals.categories),
        "quarters": [[item.quarter, item.observed_ms, item.viewer_ms] for item in totals.quarters],
        "first_at": totals.first_at,
        "last": encode_sample(totals.last) if totals.last else None,
        "last_parts": [list(part) for part in totals.last_parts],
        "updates": [[update.at, *update.info] for update in session.updates],
        "video": encode_video(session.video) if session.video else None,
        "is_observed": session.is_observed,
    }


def decode_session(document: Document) -> StreamSession:
    return StreamSession(
        stream_id=document["_id"],
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        started_at=_required_time(document["started_at"]),
        ended_at=_time(document["ended_at"]),
        seen_at=_required_time(document["seen_at"]),
        sample_totals=SampleTotals(
            sums=_decode_sums(document),
            categories=tuple(map(decode_category, document["categories"])),
            quarters=tuple(map(decode_quarter, document["quarters"])),
            first_at=_time(document["first_at"]),
            last=decode_sample(document["last"]) if document["last"] else None,
            last_parts=_last_parts(document),
        ),
        updates=tuple(
            ChannelUpdate(_required_time(at), ChannelInfo(*info))
            for at, *info in document.get("updates", ())
        ),
        video=decode_video(document.get("video")),
        is_observed=document.get("is_observed", True),
    )


def _last_parts(document: Document) -> tuple[tuple[str, int], ...]:
    """Version 0.1 stored the duration of the last sample only: it had one category."""
    if "last_ms" not in document:
        return tuple((category_id, part_ms) for category_id, part_ms in document["last_parts"])
    last, last_ms = document["last"], document["last_ms"]
    return ((last["category_id"] or "", last_ms),) if last and last_ms else ()


def decode_category(document: Document) -> CategorySums:
    return CategorySums(document["category_id"], document["category_name"], _decode_sums(document))


def decode_quarter(value: list[int] | dict[str, int]) -> QuarterSums:
    """Version 0.1 stored the same three numbers with their names."""
    return QuarterSums(**value) if isinstance(value, dict) else QuarterSums(*value)


def encode_stats(state: StreamerState) -> Document:
    """What is read of a state: identity and statistics."""
    total = state.total()
    return {
        **encode_identity(state.identity),
        **_encode_contribution(total),
        "average": total.totals.sums.average,
    }


def encode_identity(identity: Identity) -> Document:
    return {
        "_id": identity.broadcaster_id,
        "broadcaster_login": identity.latest_name.login,
        "broadcaster_name": identity.latest_name.name,
        "first_seen_at": identity.first_seen_at,
        "is_observed": identity.is_observed,
        "updated_at": identity.latest_name.at,
    }


def decode_stats(document: Document) -> StreamerStats:
    return StreamerStats(_decode_identity(document), decode_totals(document))


def encode_state(state: StreamerState) -> Document:
    """What the projection reads of a state, beside the identity and the version."""
    return {
        "settled": _encode_contribution(state.settled),
        "recent": [
            {"stream_id": stream_id, **_encode_contribution(contribution)}
            for stream_id, contribution in state.recent.items()
        ],
        "events": [encode_event(event) for event in state.events.values()],
        "last_settled": state.last_settled,
        "since": state.since,
        "updates_since": state.updates_since,
    }


def decode_state(document: Document, version: int) -> StreamerState:
    """The state in a document that has the identity, too."""
    return StreamerState(
        identity=_decode_identity(document),
        settled=_decode_contribution(document["settled"]),
        recent={item["stream_id"]: _decode_contribution(item) for item in document["recent"]},
        events={item["_id"]: decode_event(item) for item in document["events"]},
        last_settled=_decode_key(document["last_settled"]),
        since=_time(document["since"]),
        updates_since=_time(document.get("updates_since")),
        version=version,
    )


def decode_totals(document: Document) -> Totals:
    return Totals(
        **{name: document[name] for name in COUNTS},
        sums=_decode_sums(document),
        last_stream_at=_time(document["last_stream_at"]),
        last_live_at=_last_live_at(document),
    )


def _last_live_at(document: Document) -> datetime | None:
    """Until `migrate`, documents of version 0.1 have no such time: there it is the time of the
    newest observation, or of the latest start."""
    last_stream_at = document["last_stream_at"]
    if last_stream_at is None or "last_live_at" in document:
        return _time(document.get("last_live_at"))
    return _time(document.get("updated_at", last_stream_at))


def _decode_identity(document: Document) -> Identity:
    name = ObservedName(
        _required_time(document["updated_at"]),
        document["broadcaster_login"],
        document["broadcaster_name"],
    )
    first_seen_at = _required_time(document["first_seen_at"])
    return Identity(document["_id"], name, first_seen_at, document.get("is_observed", True))


def _encode_contribution(contribution: Contribution) -> Document:
    totals = contribution.totals
    return {
        "last_stream_at": totals.last_stream_at,
        "last_live_at": totals.last_live_at,
        **{name: getattr(totals, name) for name in COUNTS},
        **_encode_sums(totals.sums),
        "categories": _encode_categories(contribution.categories),
    }


def _decode_contribution(document: Document) -> Contribution:
    return Contribution(
        decode_totals(document), tuple(map(decode_category, document["categories"]))
    )


def _encode_categories(categories: Iterable[CategorySums]) -> list[Document]:
    return [
        {
            "category_id": category.category_id,
            "category_name": category.category_name,
            **_encode_sums(category.sums),
        }
        for category in categories
    ]


def _encode_sums(sums: Sums) -> Document:
    return {name: getattr(sums, name) for name in SUMS}


def _decode_sums(document: Document) -> Sums:
    return Sums(
        document["samples"],
        document["viewer_sum"],
        document["max_viewers"],
        document["observed_ms"],
        document["viewer_ms"],
    )


def _decode_key(value: list[Any] | None) -> tuple[datetime, str] | None:
    return (_required_time(value[0]), value[1]) if value else None


def _time(value: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _required_time(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
