"""The analytics in the memory of one process."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import RLock
from typing import Self

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import (
    Identity,
    ProjectionInput,
    SessionEvent,
    Span,
    StreamSession,
    identities,
    merge_events,
    session,
    spans,
)
from streamwatch.domain.statistics import CategorySums, quarter_of
from streamwatch.domain.totals import (
    GameSums,
    Ranking,
    StreamerStats,
    Summary,
    Totals,
    categories,
    games,
    ranked,
    summary,
    totals,
)
from streamwatch.settings import Settings


@dataclass(slots=True)
class _Streamer:
    """What is kept of one streamer, and what was made of it."""

    identity: Identity
    events: dict[str, SessionEvent] = field(default_factory=dict)
    samples: defaultdict[str, list[StreamSnapshot]] = field(
        default_factory=lambda: defaultdict(list)
    )
    spans: dict[str, Span] = field(default_factory=dict)
    sessions: dict[str, StreamSession] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    categories: list[CategorySums] = field(default_factory=list)

    @property
    def stats(self) -> StreamerStats:
        return StreamerStats(self.identity, self.totals)

    def renew(self, stream_ids: Collection[str], cap: timedelta) -> None:
        """Make anew the sessions of `stream_ids`, and of the streams that were on at other times
        than was known."""
        before, self.spans = self.spans, spans(self.events.values())
        for stream_id, span in self.spans.items():
            if stream_id in stream_ids or span != before.get(stream_id):
                events, samples = self.events.values(), self.samples[stream_id]
                known = self.sessions.get(stream_id)
                self.sessions[stream_id] = session(span, events, samples, cap, known)
        self.totals = totals(self.sessions.values())
        played = (one for each in self.sessions.values() for one in each.sample_totals.categories)
        self.categories = categories(played)


class MemoryAnalytics(AnalyticsStore):
    """Everything in this process, gone when it ends: for the demo, development and tests."""

    def __init__(
        self,
        sample_cap: timedelta,
        retention: timedelta | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cap = sample_cap
        self._retention = retention
        self._clock = clock
        self._lock = RLock()
        self._streamers: dict[str, _Streamer] = {}
        self._samples: list[StreamSnapshot] = []

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        days = settings.snapshot_retention_days
        return cls(
            sample_cap=timedelta(seconds=settings.sample_cap_seconds),
            retention=timedelta(days=days) if days else None,
        )

    def ping(self) -> None:
        pass

    def prepare(self) -> None:
        pass

    def project(self, observed: ProjectionInput) -> None:
        with self._lock:
            for user_id, identity in identities(observed.events).items():
                streamer = self._streamers.setdefault(user_id, _Streamer(identity))
                streamer.identity = streamer.identity.merge(identity)
            touched: dict[str, set[str]] = defaultdict(set)
            for event in observed.events:
                events = self._streamers[event.broadcaster_id].events
                events[event.id] = merge_events(events.get(event.id), event)
                touched[event.broadcaster_id].add(event.stream_id or "")
            for sample in observed.samples:
                self._keep(sample)
            for user_id, stream_ids in touched.items():
                self._streamers[user_id].renew(stream_ids, self._cap)
            self._expire()

    def recalculate(self, user_id: str) -> None:
        with self._lock:
            if user_id in self._streamers:
                streamer = self._streamers[user_id]
                streamer.renew(streamer.sessions, self._cap)

    def _keep(self, sample: StreamSnapshot) -> None:
        of_stream = self._streamers[sample.broadcaster_id].samples[sample.stream_id]
        place = bisect_left(of_stream, sample.captured_at, key=_captured_at)
        if place == len(of_stream) or of_stream[place].captured_at != sample.captured_at:
            of_stream.insert(place, sample)
            insort(self._samples, sample, key=_captured_at)

    def _expire(self) -> None:
        """Drop the samples that are older than is kept."""
        if self._retention is None:
            return
        oldest = self._clock() - self._retention
        expired = bisect_left(self._samples, oldest, key=_captured_at)
        for sample in self._samples[:expired]:
            self._streamers[sample.broadcaster_id].samples[sample.stream_id].remove(sample)
        del self._samples[:expired]

    # One streamer's

    def find(self, login: str) -> StreamerStats | None:
        with self._lock:
            named = [
                one for one in self._streamers.values() if one.identity.latest_name.login == login
            ]
            newest = max(named, key=lambda one: one.identity.latest_name.at, default=None)
            return newest.stats if newest else None

    def sessions(self, user_id: str, limit: int) -> list[StreamSession]:
        return list(islice(self.each_session(user_id), limit))

    def each_session(self, user_id: str, since: datetime | None = None) -> Iterator[StreamSession]:
        with self._lock:
            streamer = self._streamers.get(user_id)
            found = list(streamer.sessions.values()) if streamer else []
        found.sort(key=lambda one: (one.started_at, one.stream_id), reverse=True)
        return (one for one in found if since is None or one.started_at >= since)

    def session(self, stream_id: str) -> StreamSession | None:
        with self._lock:
            known = (one.sessions.get(stream_id) for one in self._streamers.values())
            return next(filter(None, known), None)

    def totals(self, user_id: str, since: datetime, until: datetime) -> Totals:
        sessions = self.each_session(user_id, since)
        return totals(one for one in sessions if one.started_at < until)

    def categories(self, user_id: str) -> list[CategorySums]:
        with self._lock:
            streamer = self._streamers.get(user_id)
            return streamer.categories if streamer else []

    # Everyone's

    def summary(self) -> Summary:
        with self._lock:
            return summary(one.totals for one in self._streamers.values())

    def user_ids(self) -> list[str]:
        with self._lock:
            return sorted(self._streamers)

    def watched_since(self, since: datetime) -> int:
        with self._lock:
            return sum(
                one.viewer_ms
                for streamer in self._streamers.values()
                for session in streamer.sessions.values()
                for one in session.sample_totals.quarters
                if one.quarter >= quarter_of(since)
            )

    def top(self, ranking: Ranking, limit: int) -> list[StreamerStats]:
        with self._lock:
            everyone = [one.stats for one in self._streamers.values()]
        return ranked(everyone, ranking)[:limit]

    def top_games(self, limit: int) -> list[GameSums]:
        with self._lock:
            return games(one.categories for one in self._streamers.values())[:limit]

    # Samples

    def snapshots(self, user_id: str | None, limit: int) -> list[StreamSnapshot]:
        return list(islice(self.each_snapshot(user_id), limit))

    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        with self._lock:
            known = (one.samples.get(stream_id) for one in self._streamers.values())
            return list(next(filter(None, known), ()))

    def each_snapshot(self, user_id: str | None) -> Iterator[StreamSnapshot]:
        with self._lock:
            if user_id is None:
                samples = list(self._samples)
            else:
                streamer = self._streamers.get(user_id)
                of_streams = streamer.samples.values() if streamer else ()
                samples = sorted((one for of in of_streams for one in of), key=_captured_at)
        return reversed(samples)


def _captured_at(sample: StreamSnapshot) -> datetime:
    return sample.captured_at
