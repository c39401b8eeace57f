"""The analytics in the memory of one process."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from threading import RLock
from typing import Self

from streamwatch.analytics.base import History, Repository
from streamwatch.analytics.projection import Projection
from streamwatch.analytics.reads import ComputedReads
from streamwatch.analytics.state import Statistics, StoredSession, StreamerState, Update
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.positions import Position
from streamwatch.domain.session_events import ProjectionInput, SessionEvent, merge_events
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.times import utc_now
from streamwatch.settings import Settings

_SAMPLES_PER_READ = 1000

_captured_at = attrgetter("captured_at")
_position = attrgetter("position")


class MemoryAnalytics(ComputedReads, Repository):
    """Everything in this process, gone when it ends: for the demo, development and tests."""

    def __init__(
        self,
        sample_cap: timedelta,
        retention: timedelta | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._retention = retention
        self._clock = clock
        self._lock = RLock()
        self._projection = Projection(self, sample_cap)
        self._states: dict[str, StreamerState] = {}
        self._sessions: defaultdict[str, dict[str, StreamSession]] = defaultdict(dict)
        self._events: defaultdict[str, dict[str, SessionEvent]] = defaultdict(dict)
        self._samples: defaultdict[str, list[StreamSnapshot]] = defaultdict(list)
        self._user_ids: dict[str, str] = {}
        self._all_samples: list[StreamSnapshot] = []
        self._samples_of: defaultdict[str, list[StreamSnapshot]] = defaultdict(list)
        """The samples of each streamer, by user id."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(settings.sample_cap, settings.snapshot_retention)

    def ping(self) -> None:
        pass

    def prepare(self) -> None:
        pass

    def project(self, new: ProjectionInput) -> None:
        self._projection.project(new)
        with self._lock:
            self._expire()

    def recalculate(self, user_id: str) -> None:
        self._projection.recalculate(user_id)

    # Repository

    def states(self, user_ids: Collection[str]) -> dict[str, StreamerState]:
        with self._lock:
            return {key: self._states[key] for key in user_ids if key in self._states}

    def stored_sessions(self, stream_ids: Collection[str]) -> dict[str, StoredSession]:
        found = {stream_id: self.session(stream_id) for stream_id in stream_ids}
        return {key: StoredSession(session) for key, session in found.items() if session}

    def stored_samples(self, stream_ids: Collection[str]) -> dict[str, list[StreamSnapshot]]:
        return {stream_id: self.samples(stream_id) for stream_id in stream_ids}

    def history(self, user_id: str) -> History:
        with self._lock:
            sessions = self._sessions[user_id].items()
            stored = {key: StoredSession(session) for key, session in sessions}
            return History(dict(self._events[user_id]), stored)

    def save(self, updates: Sequence[Update]) -> set[str]:
        with self._lock:
            return {update.user_id for update in updates if self._save(update)}

    def _save(self, update: Update) -> bool:
        user_id, state = update.user_id, update.state
        stored = self._states.get(user_id)
        if (stored.version if stored else None) != state.version:
            return False
        self._states[user_id] = replace(state, version=update.next_version)
        for event in update.events:
            events = self._events[user_id]
            events[event.id] = merge_events(events.get(event.id), event)
        for new in update.samples:
            for sample in new.samples:
                self._add(sample)
        for session in (item.session for item in update.sessions):
            self._sessions[user_id][session.stream_id] = session
            self._user_ids[session.stream_id] = user_id
        return True

    def _add(self, sample: StreamSnapshot) -> None:
        samples = self._samples[sample.stream_id]
        index = bisect_left(samples, sample.captured_at, key=_captured_at)
        if index == len(samples) or samples[index].captured_at != sample.captured_at:
            samples.insert(index, sample)
            insort(self._all_samples, sample, key=_position)
            insort(self._samples_of[sample.broadcaster_id], sample, key=_position)

    def _expire(self) -> None:
        """Drop the samples that are older than the retention."""
        if self._retention is None:
            return
        oldest = self._clock() - self._retention
        expired = bisect_left(self._all_samples, oldest, key=_captured_at)
        for sample in self._all_samples[:expired]:
            self._samples[sample.stream_id].remove(sample)
            self._samples_of[sample.broadcaster_id].remove(sample)
        del self._all_samples[:expired]

    # One streamer

    def each_session(
        self, user_id: str, since: datetime | None = None, after: Position | None = None
    ) -> Iterator[StreamSession]:
        with self._lock:
            sessions = list(self._sessions.get(user_id, {}).values())
        sessions.sort(key=lambda session: session.position, reverse=True)
        return (
            session
            for session in sessions
            if (since is None or session.started_at >= since)
            and (after is None or session.position < after)
        )

    def session(self, stream_id: str) -> StreamSession | None:
        with self._lock:
            user_id = self._user_ids.get(stream_id)
            return self._sessions[user_id][stream_id] if user_id else None

    def categories(self, user_id: str) -> list[CategorySums]:
        state = self.states([user_id]).get(user_id)
        return list(state.statistics.total.categories) if state else []

    # All streamers

    def user_ids(self) -> list[str]:
        with self._lock:
            return sorted(self._states)

    def all_statistics(self) -> list[Statistics]:
        with self._lock:
            return [state.statistics for state in self._states.values()]

    def observed_under(self, login: str) -> list[Statistics]:
        del login
        return self.all_statistics()

    def sessions_on_since(self, since: datetime) -> list[StreamSession]:
        del since
        with self._lock:
            return [item for sessions in self._sessions.values() for item in sessions.values()]

    # Samples

    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        with self._lock:
            return list(self._samples.get(stream_id, ()))

    def each_snapshot(
        self, user_id: str | None, after: Position | None = None
    ) -> Iterator[StreamSnapshot]:
        while samples := self._samples_after(user_id, after):
            yield from samples
            after = samples[-1].position

    def _samples_after(self, user_id: str | None, after: Position | None) -> list[StreamSnapshot]:
        with self._lock:
            samples = self._all_samples if user_id is None else self._samples_of.get(user_id, [])
            end = len(samples) if after is None else bisect_left(samples, after, key=_position)
            return samples[max(end - _SAMPLES_PER_READ, 0) : end][::-1]
