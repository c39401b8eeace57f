"""Adding up, as MongoDB does it: the accumulators of $group, and what they are grouped into."""

from collections import defaultdict

from pymongo.collection import Collection

from streamwatch.analytics.mongo.codec import COUNTS, SUMS, category_from, totals_from
from streamwatch.analytics.mongo.connection import AT_ONCE, Document
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import Totals, categories


def sums_of(path: str) -> Document:
    """The accumulators that add up the sums under a path."""
    return {name: {"$max" if name == "max_viewers" else "$sum": f"${path}{name}"} for name in SUMS}


def _of_ended(value: object) -> Document:
    return {"$sum": {"$cond": [{"$eq": ["$ended_at", None]}, 0, value]}}


OF_SESSIONS: Document = {
    "streams": {"$sum": 1},
    "ended_streams": _of_ended(1),
    "airtime_ms": {"$sum": "$airtime_ms"},
    "ended_airtime_ms": _of_ended("$airtime_ms"),
    "last_stream_at": {"$max": "$started_at"},
    **sums_of(""),
}
"""The accumulators that make totals of sessions."""

OF_TOTALS: Document = {
    **{name: {"$sum": f"${name}"} for name in COUNTS},
    "last_stream_at": {"$max": "$last_stream_at"},
    **sums_of(""),
}
"""The accumulators that make totals of totals."""


def totals_by_user(
    collection: Collection[Document], match: Document, accumulators: Document
) -> dict[str, Totals]:
    """What the documents of each user that `match` add up to."""
    group = {"_id": "$broadcaster_id", **accumulators}
    found = collection.aggregate([{"$match": match}, {"$group": group}], batchSize=AT_ONCE)
    return {value["_id"]: totals_from(value) for value in found}


def categories_by_user(
    collection: Collection[Document], match: Document
) -> dict[str, list[CategorySums]]:
    """What each user played, by the categories of the documents that `match`."""
    pipeline: list[Document] = [
        {"$match": match},
        {"$unwind": "$categories"},
        {"$group": _BY_CATEGORY},
    ]
    played: dict[str, list[CategorySums]] = defaultdict(list)
    for value in collection.aggregate(pipeline, batchSize=AT_ONCE):
        key = value["_id"]
        played[key["user"]].append(category_from(value | {"category_id": key["category"]}))
    return {user_id: categories(several) for user_id, several in played.items()}


_BY_CATEGORY: Document = {
    "_id": {"user": "$broadcaster_id", "category": "$categories.category_id"},
    "category_name": {"$max": "$categories.category_name"},
    **sums_of("categories."),
}
