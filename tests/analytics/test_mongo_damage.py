"""Damaged documents in MongoDB: they are logged and left out, and recalculated from the others."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.testing import CAP
from streamwatch.analytics.testing.build import START, as_input, offline, online, snapshot
from streamwatch.domain.totals import Ranking
from tests.analytics.calls import HOUR, history
from tests.analytics.recomputation import check_recomputation

Document = dict[str, Any]

pytestmark = pytest.mark.xdist_group("mongo")

STREAMS = 4
DAMAGE = [
    ("stream_sessions", {"_id": "bad-3"}, "started_at"),
    ("stream_sessions", {"_id": "bad-3"}, "seen_at"),
    ("streamer_stats", {"_id": "bad"}, "state"),
    ("streamer_stats", {"_id": "bad"}, "last_stream_at"),
    ("streamer_stats", {"_id": "bad"}, "updated_at"),
    ("streamer_stats", {"_id": "bad"}, "categories"),
    ("stream_events", {"stream_id": "bad-3"}, "at"),
    ("stream_snapshots", {"stream_id": "bad-3"}, "viewer_count"),
]
"""A collection, one of its documents, and a field that is damaged."""

damaged = pytest.mark.parametrize(
    ("collection", "document", "field"),
    DAMAGE,
    ids=[f"{name}-{field}" for name, _, field in DAMAGE],
)
changed = pytest.mark.parametrize("operator", ["$unset", "$set"])


@pytest.fixture
def analytics(mongodb_url: str, mongodb_database: str) -> Iterator[MongoAnalytics]:
    """With two streamers, `good` and `bad`, that another process projected."""
    analytics, another = (MongoAnalytics(mongodb_url, mongodb_database, CAP) for _ in "12")
    for user_id in ("good", "bad"):
        another.project(as_input(*history(user_id, STREAMS)))
    another.close()
    yield analytics
    analytics.close()


@damaged
@changed
def test_a_damaged_document_is_logged_and_affects_no_other(
    analytics: MongoAnalytics,
    database: Database[Document],
    caplog: pytest.LogCaptureFixture,
    collection: str,
    document: Document,
    field: str,
    operator: str,
) -> None:
    before = analytics.find("bad"), analytics.sessions("bad", 10), analytics.categories("bad")
    good = analytics.find("good")
    database[collection].update_many(document, {operator: {field: "damaged"}})
    assert analytics.find("good") == good
    assert good in analytics.top(Ranking.HOURS, 10)
    assert analytics.summary().streamers >= 1
    assert len(analytics.sessions("good", 10)) == STREAMS
    assert {item.broadcaster_id for item in analytics.snapshots(None, 1000)} == {"good", "bad"}
    for read in (analytics.find, analytics.categories, analytics.samples):
        read("bad")
    analytics.top_categories(10)
    analytics.watched_since(START)
    analytics.sessions("bad", 10)
    list(analytics.each_session("bad"))
    analytics.recalculate("bad")
    assert "damaged" in caplog.text
    if collection in {"stream_sessions", "streamer_stats"}:
        after = analytics.find("bad"), analytics.sessions("bad", 10), analytics.categories("bad")
        assert after == before


@damaged
def test_a_streamer_with_a_damaged_document_is_projected_further(
    analytics: MongoAnalytics,
    database: Database[Document],
    collection: str,
    document: Document,
    field: str,
) -> None:
    database[collection].update_many(document, {"$unset": {field: 1}})
    start = 100 * HOUR * STREAMS
    analytics.project(as_input(offline("bad-3", start - 98 * HOUR, user_id="bad", login="bad")))
    analytics.project(as_input(online("new", start, user_id="bad", login="bad")))
    analytics.project(
        as_input(snapshot("new", start + 60, started=start, user_id="bad", login="bad"))
    )
    analytics.project(as_input(offline("new", start + 90, user_id="bad", login="bad")))
    session = analytics.session("new")
    assert session is not None
    assert session.ended_at is not None
    assert session.sample_totals.sums.samples == 1


@pytest.mark.parametrize("version", ["damaged", None, 0, {}])
def test_a_damaged_version_is_an_error_and_not_an_endless_conflict(
    analytics: MongoAnalytics, database: Database[Document], version: object
) -> None:
    database["streamer_stats"].update_one({"_id": "bad"}, {"$set": {"version": version}})
    with pytest.raises(AnalyticsError) as caught:
        analytics.project(as_input(online("new", 0, user_id="bad", login="bad")))
    assert not isinstance(caught.value, AnalyticsUnavailable)
    database["stream_sessions"].update_many({}, {"$set": {"version": version}})
    analytics.project(as_input(offline("good-3", 400 * HOUR, user_id="good", login="good")))


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_damaged_session_of_the_latest_stream_is_computed_from_its_samples_at_the_next_event(
    analytics: MongoAnalytics, database: Database[Document], *, is_missing: bool
) -> None:
    sessions = database["stream_sessions"]

    def damage() -> None:
        if is_missing:
            sessions.delete_one({"_id": "new"})
        else:
            sessions.update_one({"_id": "new"}, {"$unset": {"started_at": 1}})

    check_recomputation(analytics, 100 * HOUR * STREAMS, damage)
