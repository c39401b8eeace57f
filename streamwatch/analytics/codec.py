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


def event_document(event: SessionEvent) -> Document:
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
        document["video"] = video_document(event.video)
    return document


def event_from(document: Document) -> SessionEvent:
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
        video=video_from(document.get("video")),
    )


def video_document(video: Video) -> Document:
    return {name: getattr(video, name) for name in _VIDEO_FIELDS}


def video_from(document: Document | None) -> Video | None:
    if document is None:
        return None
    times = {name: _required_time(document[name]) for name in ("started_at", "ended_at")}
    return Video(**document | times)


def sample_document(sample: StreamSnapshot) -> Document:
    return {name: getattr(sample, name) for name in SAMPLE_FIELDS}


def sample_from(document: Document) -> StreamSnapshot:
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


def session_document(session: StreamSession) -> Document:
    totals = session.sample_totals
    return {
        "_id": session.stream_id,
        "broadcaster_id": session.broadcaster_id,
        "broadcaster_login": session.broadcaster_login,
        "broadcaster_name": session.broadcaster_name,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "seen_at": session.seen_at,
        **_sums_document(totals.sums),
        "categories": _category_documents(totals.categories),
        "quarters": [[item.quarter, item.observed_ms, item.viewer_ms] for item in totals.quarters],
        "first_at": totals.first_at,
        "last": sample_document(totals.last) if totals.last else None,
        "last_parts": [list(part) for part in totals.last_parts],
        "updates": [[update.at, *update.info] for update in session.updates],
        "video": video_document(session.video) if session.video else None,
        "is_observed": session.is_observed,
    }


def session_from(document: Document) -> StreamSession:
    return StreamSession(
        stream_id=document["_id"],
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        started_at=_required_time(document["started_at"]),
        ended_at=_time(document["ended_at"]),
        seen_at=_required_time(document["seen_at"]),
        sample_totals=SampleTotals(
            sums=_sums_from(document),
            categories=tuple(map(category_from, document["categories"])),
            quarters=tuple(map(quarter_from, document["quarters"])),
            first_at=_time(document["first_at"]),
            last=sample_from(document["last"]) if document["last"] else None,
            last_parts=_last_parts(document),
        ),
        updates=tuple(
            ChannelUpdate(_required_time(at), ChannelInfo(*info))
            for at, *info in document.get("updates", ())
        ),
        video=video_from(document.get("video")),
        is_observed=document.get("is_observed", True),
    )


def _last_parts(document: Document) -> tuple[tuple[str, int], ...]:
    """Version 0.1 stored the duration of the last sample only: it had one category."""
    if "last_ms" not in document:
        return tuple((category_id, part_ms) for category_id, part_ms in document["last_parts"])
    last, last_ms = document["last"], document["last_ms"]
    return ((last["category_id"] or "", last_ms),) if last and last_ms else ()


def category_from(document: Document) -> CategorySums:
    return CategorySums(document["category_id"], document["category_name"], _sums_from(document))


def quarter_from(value: list[int] | dict[str, int]) -> QuarterSums:
    """Version 0.1 stored the same three numbers with their names."""
    return QuarterSums(**value) if isinstance(value, dict) else QuarterSums(*value)


def stats_document(state: StreamerState) -> Document:
    """What is read of a state: identity and statistics."""
    figures = state.figures()
    return {
        **identity_document(state.identity),
        **_contribution_document(figures),
        "average": figures.totals.sums.average,
    }


def identity_document(identity: Identity) -> Document:
    return {
        "_id": identity.broadcaster_id,
        "broadcaster_login": identity.latest_name.login,
        "broadcaster_name": identity.latest_name.name,
        "first_seen_at": identity.first_seen_at,
        "is_observed": identity.is_observed,
        "updated_at": identity.latest_name.at,
    }


def stats_from(document: Document) -> StreamerStats:
    return StreamerStats(_identity_from(document), totals_from(document))


def state_document(state: StreamerState) -> Document:
    """What the projection reads of a state, beside the identity and the version."""
    return {
        "settled": _contribution_document(state.settled),
        "recent": [
            {"stream_id": stream_id, **_contribution_document(contribution)}
            for stream_id, contribution in state.recent.items()
        ],
        "events": [event_document(event) for event in state.events.values()],
        "last_settled": state.last_settled,
        "since": state.since,
        "updates_since": state.updates_since,
    }


def state_from(document: Document, version: int) -> StreamerState:
    """The state in a document that has the identity, too."""
    return StreamerState(
        identity=_identity_from(document),
        settled=_contribution_from(document["settled"]),
        recent={item["stream_id"]: _contribution_from(item) for item in document["recent"]},
        events={item["_id"]: event_from(item) for item in document["events"]},
        last_settled=_key_from(document["last_settled"]),
        since=_time(document["since"]),
        updates_since=_time(document.get("updates_since")),
        version=version,
    )


def totals_from(document: Document) -> Totals:
    return Totals(
        **{name: document[name] for name in COUNTS},
        sums=_sums_from(document),
        last_stream_at=_time(document["last_stream_at"]),
    )


def _identity_from(document: Document) -> Identity:
    name = ObservedName(
        _required_time(document["updated_at"]),
        document["broadcaster_login"],
        document["broadcaster_name"],
    )
    first_seen_at = _required_time(document["first_seen_at"])
    return Identity(document["_id"], name, first_seen_at, document.get("is_observed", True))


def _contribution_document(contribution: Contribution) -> Document:
    totals = contribution.totals
    return {
        "last_stream_at": totals.last_stream_at,
        **{name: getattr(totals, name) for name in COUNTS},
        **_sums_document(totals.sums),
        "categories": _category_documents(contribution.categories),
    }


def _contribution_from(document: Document) -> Contribution:
    return Contribution(totals_from(document), tuple(map(category_from, document["categories"])))


def _category_documents(categories: Iterable[CategorySums]) -> list[Document]:
    return [
        {
            "category_id": category.category_id,
            "category_name": category.category_name,
            **_sums_document(category.sums),
        }
        for category in categories
    ]


def _sums_document(sums: Sums) -> Document:
    return {name: getattr(sums, name) for name in SUMS}


def _sums_from(document: Document) -> Sums:
    return Sums(
        document["samples"],
        document["viewer_sum"],
        document["max_viewers"],
        document["observed_ms"],
        document["viewer_ms"],
    )


def _key_from(value: list[Any] | None) -> tuple[datetime, str] | None:
    return (_required_time(value[0]), value[1]) if value else None


def _time(value: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _required_time(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
