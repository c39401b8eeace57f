"""Projects events and samples into sessions and statistics: the same result in any order, with any
number of repetitions, and with any number of processes at work.

A batch is projected streamer by streamer: read the state and the touched sessions, call the domain,
save what has changed. A save fails where another process has saved the streamer meanwhile; then the
streamer is read and projected again. So the last save includes what all others have stored.

A process that is killed has not acknowledged its batch, and the feed delivers it again. Whatever
part of it was stored is then computed and stored again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from streamwatch.analytics.base import AnalyticsError, Repository
from streamwatch.analytics.state import (
    UNVERSIONED,
    Contribution,
    Events,
    NewSamples,
    SessionUpdate,
    StoredSession,
    StreamerState,
    Update,
)
from streamwatch.domain.batches import batched
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.session_events import (
    Identity,
    Kind,
    ProjectionInput,
    SessionEvent,
    identities,
    merge_events,
)
from streamwatch.domain.sessions import StreamSession, session
from streamwatch.domain.spans import Span, spans

STREAMERS_PER_BATCH = 250
"""How many streamers are read and saved together: few round trips, and bounded memory."""

STREAMS_PER_READ = 100
"""How many streams' samples are read together, for sessions that are computed from all samples."""

MAX_SAVES = 100
"""How often the save of a streamer is tried. Each conflict means that another process has saved the
same streamer: so many in a row mean a defect."""


@dataclass(slots=True)
class _Batch:
    """The new events and samples of one streamer.

    `reread` asks for all sessions to be read, `recompute` for all to be computed from all stored
    samples as well.
    """

    identity: Identity | None = None
    events: dict[str, SessionEvent] = field(default_factory=dict)
    samples: dict[str, dict[datetime, StreamSnapshot]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    stream_ids: set[str] = field(default_factory=set)
    """The streams that the events name, and those that a failed save may have stored."""
    reread: bool = False
    recompute: bool = False

    def samples_of(self, stream_id: str) -> list[StreamSnapshot]:
        """In the order of their times."""
        samples = self.samples.get(stream_id, {})
        return [samples[at] for at in sorted(samples)]


@dataclass(slots=True)
class _Plan:
    """The sessions to compute for one streamer, and what they are computed from."""

    batch: _Batch
    state: StreamerState
    events: Events
    new_events: list[SessionEvent]
    spans: Mapping[str, Span]
    stream_ids: set[str]
    stored: Mapping[str, StoredSession] = field(default_factory=dict)
    is_complete: bool = False
    """Whether `events` and `stored` are all that the repository has of the streamer."""
    computed: dict[str, StreamSession] = field(default_factory=dict)
    new_samples: list[NewSamples] = field(default_factory=list)

    @property
    def touched(self) -> set[str]:
        """The streams to compute, and those that the batch names."""
        return self.stream_ids | self.batch.stream_ids

    @property
    def user_id(self) -> str:
        return self.state.identity.broadcaster_id

    @property
    def new_stream_ids(self) -> set[str]:
        """The streams to compute that have no stored session."""
        return self.stream_ids - self.stored.keys()


class Projection:
    """Projects into `repository`. `cap` is the longest duration of one sample."""

    def __init__(self, repository: Repository, cap: timedelta) -> None:
        self._repository = repository
        self._cap = cap

    def project(self, new: ProjectionInput) -> None:
        """Store events and samples, and update the sessions and statistics that depend on them."""
        for some in batched(_by_streamer(new).items(), STREAMERS_PER_BATCH):
            self._apply(dict(some))

    def recalculate(self, user_id: str) -> None:
        """Compute all sessions and statistics of a streamer from the stored events and samples."""
        self._apply({user_id: _Batch(reread=True, recompute=True)})

    def migrate(self, user_id: str) -> None:
        """Store what version 0.1 stored of a streamer in the present form."""
        self._apply({user_id: _Batch(reread=True)})

    def _apply(self, batches: dict[str, _Batch]) -> None:
        for _ in range(MAX_SAVES):
            updates = self._updates(batches)
            saved = self._repository.save(updates)
            conflicts = [update for update in updates if update.user_id not in saved]
            batches = {update.user_id: batches[update.user_id] for update in conflicts}
            if not batches:
                return
            for update in conflicts:
                # They may have been stored although the state was not, without what it lacked.
                stored = {item.session.stream_id for item in update.sessions}
                batches[update.user_id].stream_ids |= stored
        raise AnalyticsError(f"The analytics of user {min(batches)} conflict at every save.")

    def _updates(self, batches: Mapping[str, _Batch]) -> list[Update]:
        states = self._repository.states(batches)  # read first: see Repository.save
        plans = []
        for user_id, batch in batches.items():
            if state := states.get(user_id):
                plans.append(self._plan(batch, state))
            elif batch.identity:
                plans.append(self._plan(batch, StreamerState(batch.identity)))
        plans = self._with_sessions(plans)
        self._check_owners(plans)
        self._compute(plans)
        return [_update(plan) for plan in plans]

    def _plan(
        self,
        batch: _Batch,
        state: StreamerState,
        history: Mapping[str, StoredSession] | None = None,
    ) -> _Plan:
        """`history` has all sessions of the streamer; None while the state is enough."""
        events = _merge(state.events, batch.events)
        new_events = [events[key] for key in batch.events if state.events.get(key) != events[key]]
        now = spans(events.values())
        if history is not None:
            return _Plan(batch, state, events, new_events, now, set(now), history, is_complete=True)
        before = spans(state.events.values()) if new_events else now
        has_videos = any(event.kind is Kind.VIDEO for event in new_events)
        if batch.reread or has_videos or not state.covers(events, new_events, before, now):
            return self._plan_from_history(batch, state)
        stream_ids = batch.stream_ids & now.keys()
        stream_ids |= {key for key, span in now.items() if span != before.get(key)}
        if state.has_settled(event for event in events.values() if event.stream_id in stream_ids):
            return self._plan_from_history(batch, state)
        return _Plan(batch, state, events, new_events, now, stream_ids)

    def _plan_from_history(self, batch: _Batch, state: StreamerState) -> _Plan:
        history = self._repository.history(state.identity.broadcaster_id)
        sessions = [item.session for item in history.sessions.values()]
        return self._plan(batch, state.unsettled(history.events, sessions), history.sessions)

    def _with_sessions(self, plans: Sequence[_Plan]) -> list[_Plan]:
        """The plans with the stored sessions. A streamer is planned again from the history if a
        stream is not recent, because its session depends on events that are not in the state, or if
        the session of a recent stream is missing or damaged."""
        stream_ids = {key for plan in plans if not plan.is_complete for key in plan.touched}
        stored = self._repository.stored_sessions(stream_ids) if stream_ids else {}
        result = []
        for plan in plans:
            if not plan.is_complete:
                plan.stored = {key: stored[key] for key in plan.touched if key in stored}
            expected = plan.touched & plan.state.recent.keys()
            if plan.is_complete or plan.stored.keys() == expected:
                result.append(plan)
            else:
                result.append(self._plan_from_history(plan.batch, plan.state))
        return result

    def _check_owners(self, plans: Sequence[_Plan]) -> None:
        """Raise AnalyticsError if a new session is of a stream that another streamer has. Sessions
        are stored by stream id, so the save would conflict for ever, or replace the other's."""
        owners = {key: plan.user_id for plan in plans for key in plan.new_stream_ids}
        taken = {
            key for plan in plans for key in plan.new_stream_ids if owners[key] != plan.user_id
        }
        unread = {key for plan in plans if plan.is_complete for key in plan.new_stream_ids}
        stored = self._repository.stored_sessions(unread) if unread else {}
        # Another process may have stored one for the same streamer meanwhile: a mere conflict.
        taken |= {key for key, item in stored.items() if item.session.broadcaster_id != owners[key]}
        if taken:
            raise AnalyticsError(f"Stream {min(taken)} is one of another streamer.")

    def _compute(self, plans: Sequence[_Plan]) -> None:
        """Compute the sessions of these plans. Most are continued with the new samples; for the
        others all samples are read."""
        missing: list[tuple[_Plan, str, list[SessionEvent]]] = []
        for plan in plans:
            own_events = defaultdict(list)
            for event in plan.events.values():
                own_events[event.stream_id or ""].append(event)
            for stream_id in plan.stream_ids:
                events = own_events[stream_id]
                if not self._continue(plan, stream_id, events):
                    missing.append((plan, stream_id, events))
        for some in batched(missing, STREAMS_PER_READ):
            stored = self._repository.stored_samples([stream_id for _, stream_id, _ in some])
            for plan, stream_id, events in some:
                self._compute_from_all(plan, stream_id, events, stored.get(stream_id, []))

    def _compute_from_all(
        self,
        plan: _Plan,
        stream_id: str,
        events: list[SessionEvent],
        stored: Sequence[StreamSnapshot],
    ) -> None:
        known = {sample.captured_at for sample in stored}
        new = [item for item in plan.batch.samples_of(stream_id) if item.captured_at not in known]
        before = plan.stored.get(stream_id)
        plan.computed[stream_id] = session(
            plan.spans[stream_id],
            events,
            [*stored, *new],
            self._cap,
            before.session if before else None,
        )
        if new:
            plan.new_samples.append(NewSamples(stream_id, tuple(new), follow=False))

    def _continue(self, plan: _Plan, stream_id: str, events: list[SessionEvent]) -> bool:
        """Continue the stored session with the new samples. Returns False where that is not the
        same as computing it from all samples: where a new sample is older than the last, the end is
        or was before the last, or another update changes the category of what was counted."""
        stored = plan.stored.get(stream_id)
        if plan.batch.recompute or (plan.is_complete and not stored):
            return False
        before = stored.session if stored else None
        last = before.sample_totals.last if before else None
        new = plan.batch.samples_of(stream_id)
        if last is not None:
            new = [sample for sample in new if sample.captured_at != last.captured_at]
            if new and new[0].captured_at < last.captured_at:
                return False
        computed = session(plan.spans[stream_id], events, new, self._cap, before if last else None)
        if last and (_ends_before(before, last) or _ends_before(computed, last)):
            return False
        if before and last and not _has_same_updates(before, computed, last):
            return False
        plan.computed[stream_id] = computed
        if new:
            plan.new_samples.append(NewSamples(stream_id, tuple(new), follow=True, last=last))
        return True


def _by_streamer(new: ProjectionInput) -> dict[str, _Batch]:
    batches: dict[str, _Batch] = defaultdict(_Batch)
    for user_id, identity in identities(new.events).items():
        batches[user_id].identity = identity
    for event in new.events:
        batch = batches[event.broadcaster_id]
        batch.events[event.id] = merge_events(batch.events.get(event.id), event)
        if event.stream_id:
            batch.stream_ids.add(event.stream_id)
    for sample in new.samples:
        of_stream = batches[sample.broadcaster_id].samples[sample.stream_id]
        of_stream.setdefault(sample.captured_at, sample)
    return batches


def _merge(known: Events, new: Events) -> Events:
    if not new:
        return known
    merged = dict(known)
    for event_id, event in new.items():
        merged[event_id] = merge_events(known.get(event_id), event)
    return merged


def _ends_before(found: StreamSession | None, last: StreamSnapshot) -> bool:
    return bool(found and found.ended_at and found.ended_at <= last.captured_at)


def _has_same_updates(before: StreamSession, computed: StreamSession, last: StreamSnapshot) -> bool:
    """Whether the updates are the same up to the time that the samples of `before` have counted
    for. The session does not end before the last sample."""
    until = before.ended_at or last.captured_at
    known, found = (
        [update for update in item.updates if update.at <= until] for item in (before, computed)
    )
    return known == found


def _update(plan: _Plan) -> Update:
    state, batch = plan.state, plan.batch
    identity = batch.identity.merge(state.identity) if batch.identity else state.identity
    changed = {key: Contribution.of(computed) for key, computed in plan.computed.items()}
    recent = {**state.recent, **changed}
    return Update(
        state=replace(state, identity=identity, recent=recent, events=plan.events).settle(),
        sessions=tuple(_sessions_to_save(plan)),
        events=tuple(plan.new_events),
        samples=tuple(plan.new_samples),
    )


def _sessions_to_save(plan: _Plan) -> Iterator[SessionUpdate]:
    """All sessions that were computed, but for those of the history that are stored as they are."""
    touched = plan.batch.stream_ids
    for stream_id, computed in plan.computed.items():
        known = plan.stored.get(stream_id)
        is_stored = known and known.session == computed and known.version != UNVERSIONED
        if plan.is_complete and is_stored and stream_id not in touched:
            continue
        yield SessionUpdate(computed, known)
