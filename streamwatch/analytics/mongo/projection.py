"""How sessions and figures follow what was observed, with any number of processes at it.

There are three layers: sessions are made of facts and samples, a streamer's months of the
sessions, and the streamer's figures of the months. Each is made anew of what it depends on, never
added to, so that repetition changes nothing. Which of two processes may write is decided by
tickets, numbers that only grow:

- A layer takes its ticket after its input was written and before it reads. So whoever has the later
  ticket has read all that anybody with an earlier one knew: a document is written only over one
  with an earlier ticket.
- A fact can say something about a session that it does not name: an online that becomes known late
  takes an offline without a name from the stream before, and shows that to be over. Who adds facts
  therefore renews the sessions that, as they are stored, contradict them. A session that is being
  written at that moment is not found so. Hence who renews looks afterwards whether facts of the
  streamer were added meanwhile, by the streamer's `revision`, and if so does it again. That ends,
  because renewing adds no facts.

A process that dies in between leaves no more than its batch undone, which the feed hands out again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument, UpdateOne

from streamwatch.analytics.mongo.codec import identity_from, named_value, stats_value
from streamwatch.analytics.mongo.connection import Connection, Document, newer, write_all
from streamwatch.analytics.mongo.facts import Facts
from streamwatch.analytics.mongo.months import Months, UserMonths
from streamwatch.analytics.mongo.schema import STATS, STREAMERS, TICKETS
from streamwatch.analytics.mongo.sessions import Sessions
from streamwatch.domain.sessions import Kind, ProjectionInput, SessionEvent, identities, spans
from streamwatch.domain.totals import Totals


@dataclass(slots=True)
class _Touched:
    """What was added about one streamer: the streams that were named, those of them that went on,
    and when there were offlines without a name."""

    named: set[str] = field(default_factory=set)
    went_on: set[str] = field(default_factory=set)
    unnamed_offlines: set[datetime] = field(default_factory=set)


class Projection:
    def __init__(self, connection: Connection, cap: timedelta) -> None:
        self._connection = connection
        self._facts = Facts(connection)
        self._sessions = Sessions(connection, cap)
        self._months = Months(connection)

    def project(self, observed: ProjectionInput) -> None:
        """Keep what was observed, and renew what it touches."""
        self._facts.keep(observed.events)
        self._sessions.keep(observed.samples)
        self._keep_identities(observed.events)
        touched = _touched(observed.events)
        while touched:
            revisions = self._revisions(touched)
            self._renew(touched, revisions)
            after = self._revisions(touched)
            touched = {
                user_id: what
                for user_id, what in touched.items()
                if after[user_id]["revision"] != revisions[user_id]["revision"]
            }

    def recalculate(self, user_id: str) -> None:
        """Renew all sessions of a streamer from all facts."""
        while revisions := self._revisions([user_id]):
            ticket = self._ticket()
            facts = self._facts.of_streamer(user_id)
            self._sessions.renew(dict.fromkeys(spans(facts), facts), ticket)
            self._renew_figures(revisions, self._months.of_streamer(user_id))
            if self._revisions([user_id]) == revisions:
                return

    def _keep_identities(self, facts: Iterable[SessionEvent]) -> None:
        updates = [
            UpdateOne(
                {"_id": user_id},
                {
                    "$inc": {"revision": 1},
                    "$min": {"first_seen_at": identity.first_seen_at},
                    "$max": {"named": named_value(identity.latest_name)},
                },
                upsert=True,
            )
            for user_id, identity in identities(facts).items()
        ]
        write_all(self._connection.collection(STREAMERS), updates)

    def _revisions(self, user_ids: Iterable[str]) -> dict[str, Document]:
        """Who these streamers are, and how often facts about them were added."""
        found = self._connection.collection(STREAMERS).find({"_id": {"$in": list(user_ids)}})
        return {value["_id"]: value for value in found}

    def _ticket(self) -> int:
        """The next ticket. Beginning with the time, tickets grow even if the last was lost."""
        now = {"$toLong": "$$NOW"}
        value: Any = self._connection.collection(TICKETS).find_one_and_update(
            {"_id": "ticket"},
            [{"$set": {"last": {"$max": [{"$add": ["$last", 1]}, now]}}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(value["last"])

    def _renew(self, touched: dict[str, _Touched], revisions: dict[str, Document]) -> None:
        ticket = self._ticket()
        deciding = self._deciding(touched)
        self._sessions.renew(deciding, ticket)
        self._renew_figures(revisions, self._months.of_streams(deciding))

    def _renew_figures(self, revisions: dict[str, Document], months: UserMonths) -> None:
        self._months.renew(months, self._ticket())
        ticket = self._ticket()
        totals, played = self._months.totals(revisions), self._months.categories(revisions)
        writes = [
            newer(
                {"_id": user_id},
                stats_value(
                    identity_from(value),
                    totals.get(user_id, Totals()),
                    played.get(user_id, []),
                    ticket,
                ),
            )
            for user_id, value in revisions.items()
        ]
        write_all(self._connection.collection(STATS), writes)

    def _deciding(self, touched: dict[str, _Touched]) -> dict[str, list[SessionEvent]]:
        """The sessions to renew, by stream id, with the facts that decide them."""
        named = {stream_id for what in touched.values() for stream_id in what.named}
        own = self._own(named, touched)
        own |= self._own(self._contradicted(touched, own) - named, touched)
        return self._facts.deciding(own, self._facts.latest(touched))

    def _own(
        self, stream_ids: Collection[str], user_ids: Iterable[str]
    ) -> dict[str, list[SessionEvent]]:
        own: dict[str, list[SessionEvent]] = defaultdict(list)
        if stream_ids:
            for fact in self._facts.of_streams(stream_ids, user_ids):
                own[fact.stream_id or ""].append(fact)
        return own

    def _contradicted(
        self, touched: dict[str, _Touched], own: dict[str, list[SessionEvent]]
    ) -> set[str]:
        """The streams whose sessions may be other than stored, though no fact names them."""
        offlines = {
            (user_id, at): (user_id, at)
            for user_id, what in touched.items()
            for at in what.unnamed_offlines
        }
        ended = {fact.stream_id or "" for fact in self._facts.started_last(offlines).values()}
        onlines = [
            _as_one_online(own[stream_id])
            for what in touched.values()
            for stream_id in what.named
            if _went_on(stream_id, what, own[stream_id])
        ]
        if not onlines:
            return ended
        kept_from = self._facts.unnamed_offlines_after(onlines)
        user_ids = {online.broadcaster_id for online in onlines}
        return ended | self._sessions.ending_at(user_ids, kept_from)


def _touched(facts: Iterable[SessionEvent]) -> dict[str, _Touched]:
    touched: dict[str, _Touched] = defaultdict(_Touched)
    for fact in facts:
        what = touched[fact.broadcaster_id]
        if fact.stream_id is None:
            what.unnamed_offlines.add(fact.at)
        else:
            what.named.add(fact.stream_id)
        if fact.kind is Kind.ONLINE:
            what.went_on.add(fact.stream_id or "")
    return touched


def _went_on(stream_id: str, what: _Touched, own: list[SessionEvent]) -> bool:
    """Whether what was added can tell that a stream went on: by an online, or by a poll before
    every online. Later polls tell nothing new."""
    if stream_id in what.went_on:
        return True
    onlines = [fact for fact in own if fact.kind is Kind.ONLINE]
    return any(
        fact.kind is Kind.SEEN
        and not any(one.at <= fact.at and one.key >= fact.key for one in onlines)
        for fact in own
    )


def _as_one_online(own: list[SessionEvent]) -> SessionEvent:
    """The onlines of a stream as one that has the say of them all."""
    onlines = [fact for fact in own if fact.kind is not Kind.OFFLINE]
    latest = max(onlines, key=lambda fact: fact.key)
    return replace(latest, at=min(fact.at for fact in onlines))
