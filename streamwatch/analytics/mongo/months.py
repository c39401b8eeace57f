"""What a streamer's sessions come to, month by month: so that figures of all time are made of a few
documents, and cost the same after years."""

from collections import defaultdict
from collections.abc import Iterable

from pymongo.collection import Collection

from streamwatch.analytics.mongo.codec import month_value
from streamwatch.analytics.mongo.connection import AT_ONCE, Connection, Document, newer, write_all
from streamwatch.analytics.mongo.schema import MONTHS, SESSIONS
from streamwatch.analytics.mongo.sums import (
    OF_SESSIONS,
    OF_TOTALS,
    categories_by_user,
    totals_by_user,
)
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import Totals

UserMonths = set[tuple[str, str]]
"""User ids, each with a month."""


class Months:
    """A session counts for the month into which it was first put, whatever is learned about its
    start later: so nobody has to take it out of another."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_streams(self, stream_ids: Iterable[str]) -> UserMonths:
        """Those for which the sessions of these streams count."""
        fields = {"broadcaster_id": 1, "month": 1}
        found = self._sessions.find({"_id": {"$in": list(stream_ids)}}, fields, batch_size=AT_ONCE)
        return {(value["broadcaster_id"], value["month"]) for value in found}

    def of_streamer(self, user_id: str) -> UserMonths:
        """All of a streamer's, also those that no session counts for any more."""
        query = {"broadcaster_id": user_id}
        months = {*self._sessions.distinct("month", query), *self._months.distinct("month", query)}
        return {(user_id, month) for month in months}

    def renew(self, months: UserMonths, ticket: int) -> None:
        """Make these anew of their sessions."""
        users: dict[str, list[str]] = defaultdict(list)
        for user_id, month in months:
            users[month].append(user_id)
        for month, user_ids in users.items():
            match = {"broadcaster_id": {"$in": user_ids}, "month": month}
            totals = totals_by_user(self._sessions, match, OF_SESSIONS)
            played = categories_by_user(self._sessions, match)
            values = [
                month_value(
                    user_id, month, totals.get(user_id, Totals()), played.get(user_id, []), ticket
                )
                for user_id in user_ids
            ]
            writes = [
                newer({"_id": value["_id"], "broadcaster_id": value["broadcaster_id"]}, value)
                for value in values
            ]
            write_all(self._months, writes)

    def totals(self, user_ids: Iterable[str]) -> dict[str, Totals]:
        """What all months of each streamer add up to."""
        return totals_by_user(self._months, _of(user_ids), OF_TOTALS)

    def categories(self, user_ids: Iterable[str]) -> dict[str, list[CategorySums]]:
        """What each streamer played, over all months."""
        return categories_by_user(self._months, _of(user_ids))

    @property
    def _months(self) -> Collection[Document]:
        return self._connection.collection(MONTHS)

    @property
    def _sessions(self) -> Collection[Document]:
        return self._connection.collection(SESSIONS)


def _of(user_ids: Iterable[str]) -> Document:
    return {"broadcaster_id": {"$in": list(user_ids)}}
