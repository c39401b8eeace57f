"""What must hold after a fault: everything that was acknowledged is there, once, and in place."""

from collections import Counter
from dataclasses import dataclass

from streamwatch.domain.models import EventType
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.times import to_milliseconds
from streamwatch.domain.totals import StreamerStats
from tests.faults.load import LATEST_SECONDS, Acknowledged, TranslatedEntry
from tests.faults.stack import Stack
from tests.waiting import wait_for

_ALL = 100_000
"""More sessions than any streamer has."""


@dataclass(frozen=True)
class Found:
    """How many messages there were and how often they were sent; what is not in the history or in
    the sessions although a message about it was acknowledged, and what is there twice."""

    messages: int
    attempts: int
    lost: int
    doubled: int


def prove(stack: Stack) -> Found:
    """Wait until Twitch is rid of its messages and the feed is read; then hold what was
    acknowledged against what is answered."""
    stack.twitch.wait_until_delivered(LATEST_SECONDS + 30)
    _wait_until_nothing_is_stuck(stack)
    stack.rest()
    acknowledged = stack.load.acknowledged()
    history, sessions = _history(stack), _sessions(stack)
    assert history.keys() <= stack.load.happened.keys()
    assert sessions.keys() <= {stream_id for _, stream_id in stack.load.happened}
    lost = acknowledged.told - history.keys()
    lost |= {
        told for told in acknowledged.told if not _is_told_by(sessions, told, acknowledged, stack)
    }
    doubled = [stream_id for (_, stream_id), times in history.items() if times > 1]
    doubled += [stream_id for stream_id, several in sessions.items() if len(several) > 1]
    _check_statuses(stack)
    _check_recalculation(stack)
    return Found(acknowledged.messages, acknowledged.attempts, len(lost), len(doubled))


def _history(stack: Stack) -> Counter[TranslatedEntry]:
    """How often each going on and off is in the histories of the streamers."""
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


def _is_told_by(
    sessions: dict[str, list[StreamSession]],
    told: TranslatedEntry,
    acknowledged: Acknowledged,
    stack: Stack,
) -> bool:
    """Whether a session begins or ends as it was told. The end of a stream of whose start nobody
    heard makes none."""
    kind, stream_id = told
    happening = stack.load.happened[told]
    for session in sessions.get(stream_id, ()):
        if kind is EventType.ONLINE:
            return session.started_at == happening.stream.started_at
        return session.ended_at == to_milliseconds(happening.at)
    return kind is EventType.OFFLINE and (EventType.ONLINE, stream_id) not in acknowledged.told


def _check_statuses(stack: Stack) -> None:
    live = {
        status["username"]: status["stream_data"]["id"]
        for status in stack.service.get("/streams/live")["live_streams"]
        if status["username"] in stack.load.logins
    }
    streams = {login: stack.twitch.world.stream(login) for login in stack.load.logins}
    assert live == {login: stream.id for login, stream in streams.items() if stream}


def _wait_until_nothing_is_stuck(stack: Stack) -> None:
    wait_for(lambda: stack.waiting() == 0, 30)
    assert [reader.set_aside for reader in stack.storage.feed.readers()] == [0]
    assert all(streamer["is_active"] for streamer in stack.service.get("/streamers")["streamers"])


def _check_recalculation(stack: Stack) -> None:
    """Made anew from what is kept, everything is what the projector had made of it."""
    for user_id, login in zip(stack.load.user_ids, stack.load.logins, strict=True):
        before = _figures(stack, user_id, login)
        stack.analytics.recalculate(user_id)
        assert _figures(stack, user_id, login) == before


def _figures(
    stack: Stack, user_id: str, login: str
) -> tuple[StreamerStats | None, list[StreamSession]]:
    return stack.analytics.find(login), stack.analytics.sessions(user_id, _ALL)
