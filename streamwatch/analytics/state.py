"""What the projection stores of a streamer beside sessions: the statistics, and recent events.

The events of the most recent streams are stored in the state itself, so that a batch in the usual
order is projected without reading older events or sessions, however long the history is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Self

from streamwatch.domain.channel import ChannelUpdate
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.session_events import Identity, Kind, SessionEvent
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.spans import Span, spans, starts
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import StreamerStats, Totals, categories, session_totals

RECENT_STREAMS = 2
"""The number of streams whose events a state contains: the current stream, and the previous one,
whose messages may arrive late. A greater number makes every write slower. A state contains more
streams while their starts overlap."""

PRUNE_ABOVE_UPDATES = 3_000
"""A state with more updates of the channel than this drops those that no recent stream needs. It
exceeds RECENT_STREAMS * MAX_STREAM_UPDATES, so that this is rare."""

UNVERSIONED = 0
"""The version of what version 0.1 stored."""

Events = Mapping[str, SessionEvent]
"""Events by their id."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one session, or the sum of several, adds to the statistics of its streamer."""

    totals: Totals = field(default_factory=Totals)
    categories: tuple[CategorySums, ...] = ()

    @classmethod
    def of(cls, session: StreamSession) -> Self:
        return cls(session_totals(session), session.sample_totals.categories)

    def plus(self, others: Iterable[Self]) -> Self:
        """The sum of this one and the others."""
        others = list(others)
        played = chain(self.categories, *(other.categories for other in others))
        total = sum((other.totals for other in others), self.totals)
        return type(self)(total, tuple(categories(played)))


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is read of a streamer: the identity, and the sums over all sessions."""

    identity: Identity
    total: Contribution

    @property
    def stats(self) -> StreamerStats:
        return StreamerStats(self.identity, self.total.totals)


@dataclass(frozen=True, slots=True)
class StreamerState:
    """A streamer as projected so far.

    `recent` has the contributions of the most recent streams by stream id, `settled` the sum of all
    older ones. `events` are the events of the recent streams, and those from `since` on that name
    no stream or an unknown one. `last_settled` is the greatest key of an event of a settled stream,
    `since` the time of the first event with a greater key: from then on the latest stream is a
    recent one. Both are None while no stream is settled. Streams of which only a video is known are
    settled at once, and count for neither. Of the channel's updates `events` has all from
    `updates_since` on, and of the earlier ones those that recent streams need; None where it has
    all. `version` changes with every write; None for a state that is not stored.
    """

    identity: Identity
    settled: Contribution = field(default_factory=Contribution)
    recent: Mapping[str, Contribution] = field(default_factory=dict)
    events: Events = field(default_factory=dict)
    last_settled: tuple[datetime, str] | None = None
    since: datetime | None = None
    updates_since: datetime | None = None
    version: int | None = None

    @property
    def statistics(self) -> Statistics:
        return Statistics(self.identity, self.settled.plus(self.recent.values()))

    def covers(
        self,
        merged: Events,
        new: Sequence[SessionEvent],
        before: Mapping[str, Span],
        now: Mapping[str, Span],
    ) -> bool:
        """Whether the spans that change with `new` follow from `merged` alone: the events of this
        state with the new ones, of which none may be of a settled stream. `before` are the spans of
        this state, `now` those of `merged`.

        Then the latest stream is a recent one from `since` on, as before, and the sessions of
        settled streams stay as they are: they end before the first start of a recent stream.
        """
        if not new:
            return True
        if self.updates_since and not self._has_updates_of(self.updates_since, new, before, now):
            return False
        if self.since is None or self.last_settled is None:
            return True
        last = self.last_settled
        known, found = starts(self.events.values()), starts(merged.values())
        return (
            all(event.at >= self.since for event in new)
            and all(event.key > last for event in new if event.started_at)
            and _first_time(found, last) == self.since
            and min(event.key[0] for event in found) == min(event.key[0] for event in known)
        )

    @staticmethod
    def _has_updates_of(
        since: datetime,
        new: Sequence[SessionEvent],
        before: Mapping[str, Span],
        now: Mapping[str, Span],
    ) -> bool:
        """Whether this state has all updates of the spans `now`. All from `since` on are stored. A
        stream that started earlier has lost updates outside the times it had then, so those times
        must be the same."""
        return all(event.key[0] >= since for event in new if event.kind is not Kind.VIDEO) and all(
            stream_id in before and span.updates_between == before[stream_id].updates_between
            for stream_id, span in now.items()
            if span.started_at < since
        )

    def has_settled(self, events: Iterable[SessionEvent]) -> bool:
        """Whether a start among these events is before that of a settled stream."""
        last = self.last_settled
        return last is not None and any(start.key <= last for start in starts(events))

    def unsettled(self, events: Events, sessions: Iterable[StreamSession]) -> Self:
        """The state before any stream is settled: `events` and `sessions` are all there are."""
        recent = {session.stream_id: Contribution.of(session) for session in sessions}
        return type(self)(self.identity, recent=recent, events=events, version=self.version)

    def settle(self) -> Self:
        """Move the oldest streams beyond RECENT_STREAMS to the settled ones, and all of which only
        a video is known: their sessions do not depend on other streams."""
        if len(self.recent) <= RECENT_STREAMS and not self._has_videos():
            return self.without_old_updates()
        keys: dict[str, tuple[datetime, str]] = {}
        known = starts(self.events.values())
        for event in known:
            stream_id = event.stream_id or ""
            keys[stream_id] = max(keys.get(stream_id, event.key), event.key)
        videos = self.recent.keys() - keys.keys()
        order = sorted(self.recent.keys() & keys.keys(), key=lambda stream_id: keys[stream_id])
        number = max(len(order) - RECENT_STREAMS, 0)
        if not number and not videos:
            return self.without_old_updates()
        settled, recent = videos.union(order[:number]), set(order[number:])
        last = max(
            (key for key in (self.last_settled, *map(keys.get, order[:number])) if key),
            default=None,
        )
        since = _first_time(known, last) if last else None
        return replace(
            self,
            settled=self.settled.plus(self.recent[key] for key in settled),
            recent={key: self.recent[key] for key in order[number:]},
            events={
                event_id: event
                for event_id, event in self.events.items()
                if event.info is not None
                or event.stream_id in recent
                or (event.stream_id not in settled and (since is None or event.at >= since))
            },
            last_settled=last,
            since=since,
        ).without_old_updates()

    def _has_videos(self) -> bool:
        return any(event.video is not None for event in self.events.values())

    def without_old_updates(self) -> Self:
        """Drop the updates before the last one up to the first recent start. If more than
        PRUNE_ABOVE_UPDATES remain, drop also those that no recent stream needs."""
        updates = [event for event in self.events.values() if event.info is not None]
        if len(updates) <= 1:
            return self
        updates.sort(key=lambda event: (event.at, event.id))
        known_starts = [event.started_at for event in self.events.values() if event.started_at]
        first = min(known_starts, default=updates[-1].at)
        older = sum(event.at <= first for event in updates)
        dropped = updates[: max(older - 1, 0)]
        if len(updates) - len(dropped) > PRUNE_ABOVE_UPDATES:
            dropped = self._unneeded(updates)
        if not dropped:
            return self
        dropped_ids = {event.id for event in dropped}
        following = updates[updates.index(dropped[-1]) + 1].at
        return replace(
            self,
            events={key: event for key, event in self.events.items() if key not in dropped_ids},
            updates_since=max(self.updates_since or following, following),
        )

    def _unneeded(self, updates: Sequence[SessionEvent]) -> list[SessionEvent]:
        """Those of `updates`, which are in the order of their times, that are of no recent stream.
        The last one may be needed by the next stream."""
        recent = spans(self.events.values()).values()
        needed = {update for span in recent for update in span.updates}
        return [
            event
            for event in updates[:-1]
            if event.info is not None and ChannelUpdate(event.at, event.info) not in needed
        ]


def _first_time(events: Iterable[SessionEvent], last: tuple[datetime, str]) -> datetime | None:
    """The time of the first event with a key greater than `last`."""
    return min((event.at for event in events if event.key > last), default=None)


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A stored session with its version, None in a repository that saves a streamer in one step."""

    session: StreamSession
    version: int | None = None


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """A session to store instead of `stored`, which is None for a new one."""

    session: StreamSession
    stored: StoredSession | None


@dataclass(frozen=True, slots=True)
class NewSamples:
    """Samples of one stream that are not stored yet, in the order of their times. Where all of them
    are later than those that are stored, `follow` is True and `last` the last of those, if any."""

    stream_id: str
    samples: tuple[StreamSnapshot, ...]
    follow: bool
    last: StreamSnapshot | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """What a batch changes for one streamer. `state` and `sessions` replace what is stored, if that
    still has the version that was read; `events` and `samples` are added."""

    state: StreamerState
    sessions: tuple[SessionUpdate, ...]
    events: tuple[SessionEvent, ...]
    samples: tuple[NewSamples, ...]

    @property
    def user_id(self) -> str:
        return self.state.identity.broadcaster_id

    @property
    def next_version(self) -> int:
        """The version after this update, in a repository that counts them."""
        return (self.state.version or 0) + 1
