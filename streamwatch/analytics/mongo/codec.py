"""The forms of facts, samples, sessions and figures in MongoDB. Times are dates, all sums whole
numbers; nothing is rounded."""

from typing import Any

from streamwatch.analytics.mongo.connection import Document
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import Identity, Kind, ObservedName, SessionEvent, StreamSession
from streamwatch.domain.statistics import CategorySums, QuarterSums, SampleTotals, Sums
from streamwatch.domain.totals import StreamerStats, Totals

SUMS = ("samples", "viewer_sum", "max_viewers", "observed_ms", "viewer_ms")
COUNTS = ("streams", "ended_streams", "airtime_ms", "ended_airtime_ms")


def fact_value(fact: SessionEvent) -> Document:
    """Without its id."""
    value: Document = {
        "kind": fact.kind.value,
        "at": fact.at,
        "broadcaster_id": fact.broadcaster_id,
        "broadcaster_login": fact.broadcaster_login,
        "broadcaster_name": fact.broadcaster_name,
        "stream_id": fact.stream_id,
    }
    return value if fact.started_at is None else value | {"started_at": fact.started_at}


def fact_from(value: Document) -> SessionEvent:
    return SessionEvent(
        id=value["_id"],
        kind=Kind(value["kind"]),
        at=value["at"],
        broadcaster_id=value["broadcaster_id"],
        broadcaster_login=value["broadcaster_login"],
        broadcaster_name=value["broadcaster_name"],
        stream_id=value["stream_id"],
        started_at=value.get("started_at"),
    )


def sample_value(sample: StreamSnapshot) -> Document:
    return {
        "stream_id": sample.stream_id,
        "broadcaster_id": sample.broadcaster_id,
        "broadcaster_login": sample.broadcaster_login,
        "broadcaster_name": sample.broadcaster_name,
        "captured_at": sample.captured_at,
        "started_at": sample.started_at,
        "viewer_count": sample.viewer_count,
        "category_id": sample.category_id,
        "category_name": sample.category_name,
        "title": sample.title,
        "language": sample.language,
        "tags": sample.tags,
    }


def sample_from(value: Document) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=value["stream_id"],
        broadcaster_id=value["broadcaster_id"],
        broadcaster_login=value["broadcaster_login"],
        broadcaster_name=value["broadcaster_name"],
        captured_at=value["captured_at"],
        started_at=value["started_at"],
        viewer_count=value["viewer_count"],
        category_id=value["category_id"],
        category_name=value["category_name"],
        title=value["title"],
        language=value["language"],
        tags=tuple(value["tags"]),
    )


def session_value(session: StreamSession, ticket: int) -> Document:
    sample_totals = session.sample_totals
    return {
        "_id": session.stream_id,
        "broadcaster_id": session.broadcaster_id,
        "broadcaster_login": session.broadcaster_login,
        "broadcaster_name": session.broadcaster_name,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "seen_at": session.seen_at,
        "airtime_ms": session.airtime_ms,
        **_sums_value(sample_totals.sums),
        "categories": [category_value(one) for one in sample_totals.categories],
        "quarters": [_quarter_value(one) for one in sample_totals.quarters],
        "first_at": sample_totals.first_at,
        "last": sample_value(sample_totals.last) if sample_totals.last else None,
        "last_ms": sample_totals.last_ms,
        "month": f"{session.started_at:%Y-%m}",
        "ticket": ticket,
    }


def session_from(value: Document) -> StreamSession:
    return StreamSession(
        stream_id=value["_id"],
        broadcaster_id=value["broadcaster_id"],
        broadcaster_login=value["broadcaster_login"],
        broadcaster_name=value["broadcaster_name"],
        started_at=value["started_at"],
        ended_at=value["ended_at"],
        seen_at=value["seen_at"],
        sample_totals=SampleTotals(
            sums=_sums_from(value),
            categories=tuple(category_from(one) for one in value["categories"]),
            quarters=tuple(QuarterSums(**one) for one in value["quarters"]),
            first_at=value["first_at"],
            last=sample_from(value["last"]) if value["last"] else None,
            last_ms=value["last_ms"],
        ),
    )


def category_value(category: CategorySums) -> Document:
    return {
        "category_id": category.category_id,
        "category_name": category.category_name,
        **_sums_value(category.sums),
    }


def category_from(value: Document) -> CategorySums:
    return CategorySums(value["category_id"], value["category_name"], _sums_from(value))


def named_value(named: ObservedName) -> Document:
    """Its fields stand in this order so that MongoDB, too, finds the newest to be the greatest."""
    return {"at": named.at, "login": named.login, "name": named.name}


def identity_from(value: Document) -> Identity:
    return Identity(value["_id"], ObservedName(**value["named"]), value["first_seen_at"])


def month_value(
    user_id: str, month: str, totals: Totals, played: list[CategorySums], ticket: int
) -> Document:
    return {
        "_id": f"{user_id}:{month}",
        "broadcaster_id": user_id,
        "month": month,
        **_totals_value(totals, played),
        "ticket": ticket,
    }


def stats_value(
    identity: Identity, totals: Totals, played: list[CategorySums], ticket: int
) -> Document:
    return {
        "_id": identity.broadcaster_id,
        "broadcaster_login": identity.latest_name.login,
        "broadcaster_name": identity.latest_name.name,
        "first_seen_at": identity.first_seen_at,
        "updated_at": identity.latest_name.at,
        **_totals_value(totals, played),
        "average": totals.sums.average,
        "ticket": ticket,
    }


def stats_from(value: Document) -> StreamerStats:
    named = ObservedName(value["updated_at"], value["broadcaster_login"], value["broadcaster_name"])
    identity = Identity(value["_id"], named, value["first_seen_at"])
    return StreamerStats(identity, totals_from(value))


def totals_from(value: Document) -> Totals:
    return Totals(
        **{name: value[name] for name in COUNTS},
        sums=_sums_from(value),
        last_stream_at=value.get("last_stream_at"),
    )


def _totals_value(totals: Totals, played: list[CategorySums]) -> Document:
    return {
        "last_stream_at": totals.last_stream_at,
        **{name: getattr(totals, name) for name in COUNTS},
        **_sums_value(totals.sums),
        "categories": [category_value(one) for one in played],
    }


def _quarter_value(one: QuarterSums) -> Document:
    return {"quarter": one.quarter, "observed_ms": one.observed_ms, "viewer_ms": one.viewer_ms}


def _sums_value(sums: Sums) -> Document:
    return {name: getattr(sums, name) for name in SUMS}


def _sums_from(value: Document) -> Sums:
    numbers: dict[str, Any] = {name: value[name] for name in SUMS}
    return Sums(**numbers)
