"""Checks after a fault: every acknowledged event is in the history and in a session, once."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from streamwatch.domain.models import EventType
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.times import to_milliseconds
from streamwatch.domain.totals import StreamerStats
from streamwatch.simulator.world import StreamChange
from tests.faults.load import LATEST_SECONDS, Acknowledged, Transition
from tests.faults.stack import Stack
from tests.waiting import wait_for

_ALL = 100_000
"""A limit above the number of sessions of any streamer."""


@dataclass(frozen=True)
class CheckResult:
    """`messages` sent in `attempts` deliveries. `lost` has the transitions that were acknowledged
    and are missing from the history or the sessions, each with what happened and the sessions that
    were found; `doubled` has the ids of streams with a transition or a session twice."""

    messages: int
    attempts: int
    lost: dict[Transition, str]
    doubled: list[str]


def check_promises(stack: Stack) -> CheckResult:
    """Wait until all messages are delivered and the feed is processed; then compare what was
    acknowledged with what the API answers."""
    stack.twitch.wait_until_delivered(LATEST_SECONDS + 30)
    _wait_until_idle(stack)
    stack.stop_workers()
    acknowledged = stack.load.acknowledged()
    history, sessions = _history(stack), _sessions(stack)
    assert history.keys() <= stack.load.happened.keys()
    assert sessions.keys() <= {stream_id for _, stream_id in stack.load.happened}
    lost = {
        transition: f"{stack.load.happened[transition]} {sessions.get(transition[1])}"
        for transition in acknowledged.transitions
        if transition not in history
        or not _is_in_sessions(sessions, transition, acknowledged, stack)
    }
    doubled = [stream_id for (_, stream_id), times in history.items() if times > 1]
    doubled += [stream_id for stream_id, found in sessions.items() if len(found) > 1]
    _check_statuses(stack)
    _check_recalculation(stack)
    return CheckResult(acknowledged.messages, acknowledged.attempts, lost, doubled)


def _history(stack: Stack) -> Counter[Transition]:
    """How often each transition is in the streamers' histories."""
    return Counter(
        (EventType(event["event_type"]), event["data"]["id"])
        for login in stack.load.logins
        for event in stack.service.get(f"/events/streamer/{login}?limit=1000")["events"]
    )


def _sessions(stack: Stack) -> dict[str, list[StreamSession]]:
    """By stream id."""
    found: dict[str, list[StreamSession]] = {}
    for user_id in stack.load.user_ids:
        for session in stack.analytics.sessions(user_id, _ALL):
            found.setdefault(session.stream_id, []).append(session)
    return found


def _is_in_sessions(
    sessions: dict[str, list[StreamSession]],
    transition: Transition,
    acknowledged: Acknowledged,
    stack: Stack,
) -> bool:
    """Whether a session begins or ends with the transition. An end makes no session where the start
    of the stream was never acknowledged."""
    event_type, stream_id = transition
    change = stack.load.happened[transition]
    for session in sessions.get(stream_id, ()):
        if event_type is EventType.ONLINE:
            return session.started_at == change.stream.started_at
        return session.ended_at == _end(change, stack)
    return (
        event_type is EventType.OFFLINE
        and (EventType.ONLINE, stream_id) not in acknowledged.transitions
    )


def _end(change: StreamChange, stack: Stack) -> datetime:
    """When the session of a stream ends: at its end, or at the start of the next stream, if Twitch,
    which gives starts in whole seconds, names an earlier time."""
    next_starts = [
        to_milliseconds(other.stream.started_at)
        for other in stack.load.happened.values()
        if other.type is EventType.ONLINE and other.user == change.user and other.at >= change.at
    ]
    return min([to_milliseconds(change.at), *next_starts])


def _check_statuses(stack: Stack) -> None:
    live = {
        status["username"]: status["stream_data"]["id"]
        for status in stack.service.get("/streams/live")["live_streams"]
        if status["username"] in stack.load.logins
    }
    streams = {login: stack.twitch.world.stream(login) for login in stack.load.logins}
    assert live == {login: stream.id for login, stream in streams.items() if stream}


def _wait_until_idle(stack: Stack) -> None:
    wait_for(lambda: stack.unprocessed() == 0, 30)
    assert not any(reader.set_aside for reader in stack.storage.feed.readers())
    assert all(streamer["is_active"] for streamer in stack.service.get("/streamers")["streamers"])


def _check_recalculation(stack: Stack) -> None:
    """Recalculating a streamer's sessions and statistics changes nothing."""
    for user_id, login in zip(stack.load.user_ids, stack.load.logins, strict=True):
        before = _statistics(stack, user_id, login)
        stack.analytics.recalculate(user_id)
        assert _statistics(stack, user_id, login) == before


def _statistics(
    stack: Stack, user_id: str, login: str
) -> tuple[StreamerStats | None, list[StreamSession]]:
    return stack.analytics.find(login), stack.analytics.sessions(user_id, _ALL)
