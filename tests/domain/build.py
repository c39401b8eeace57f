"""Messages and polls of one streamer, at times counted in seconds from START."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from streamwatch.analytics.testing.build import CAP, expected_sessions
from streamwatch.domain.models import (
    ChannelInfo,
    EventType,
    Source,
    Stream,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
)
from streamwatch.domain.observations import (
    Observation,
    SeenAbsent,
    SeenLive,
    Updated,
    WentOffline,
    WentOnline,
)
from streamwatch.domain.segments import Segment, segments
from streamwatch.domain.times import format_time
from streamwatch.domain.transitions import decide

START = datetime(2026, 6, 1, 12, tzinfo=UTC)

_ids = count(1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def online(
    stream_id: str, seconds: float, *, started: float | None = None, message_id: str | None = None
) -> WentOnline:
    stream = Stream(stream_id, at(seconds if started is None else started))
    data = {"id": stream_id, "type": "live", "started_at": format_time(stream.started_at)}
    return WentOnline(_event(EventType.ONLINE, data, seconds, message_id), stream)


def offline(stream_id: str | None, seconds: float, *, message_id: str | None = None) -> WentOffline:
    data = {"id": stream_id} if stream_id else {}
    return WentOffline(_event(EventType.OFFLINE, data, seconds, message_id))


def update(
    title: str,
    seconds: float,
    *,
    category: tuple[str, str] = ("1", "Chess"),
    language: str = "en",
    message_id: str | None = None,
) -> Updated:
    info = ChannelInfo(title, *category, language)
    event = _event(EventType.UPDATE, info._asdict(), seconds, message_id)
    return Updated(event, info)


def seen(
    stream_id: str, seconds: float, *, started: float = 0, viewers: int = 10, **details: Any
) -> SeenLive:
    stream = Stream(stream_id, at(started), viewer_count=viewers, **details)
    return SeenLive("1337", "cool_user", "Cool_User", stream, at(seconds))


def absent(seconds: float) -> SeenAbsent:
    return SeenAbsent("1337", "cool_user", "Cool_User", at(seconds))


def _event(
    event_type: EventType, data: dict[str, Any], seconds: float, message_id: str | None
) -> StreamEvent:
    return StreamEvent(
        id=message_id or f"message-{next(_ids)}",
        event_type=event_type,
        broadcaster_id="1337",
        broadcaster_login="cool_user",
        broadcaster_name="Cool_User",
        timestamp=at(seconds),
        data=data,
        source=Source.EVENTSUB,
    )


class Story:
    """What observing one after another leads to."""

    def __init__(self, *observations: Observation) -> None:
        self.status: StreamStatus | None = None
        self.history: list[StreamEvent] = []
        self.samples: list[StreamSnapshot] = []
        for observation in observations:
            self.observe(observation)

    def observe(self, observation: Observation) -> "Story":
        change = decide(self.status, observation)
        if change is not None:
            assert change.base_version == (self.status.version if self.status else 0)
            assert change.status.version == change.base_version + 1
            self.status = change.status
            replaced = {event.id for event in change.replaced_events}
            assert replaced <= {event.id for event in self.history}
            assert replaced == {event.replaces for event in change.events if event.replaces}
            self.history = [event for event in self.history if event.id not in replaced]
            self.history += change.events
            if change.snapshot is not None:
                self.samples.append(change.snapshot)
        return self

    @property
    def snapshots(self) -> int:
        return len(self.samples)

    def segments(self) -> list[Segment]:
        """The segments of all sessions."""
        return [
            segment
            for session in expected_sessions([*self.history, *self.samples]).values()
            for segment in segments(
                session, [s for s in self.samples if s.stream_id == session.stream_id], CAP
            )
        ]

    def live_id(self) -> str | None:
        return self.status.stream.id if self.status and self.status.stream else None

    @property
    def short_history(self) -> list[str]:
        """The history in words, in the order of the events' own times: "+s1" for on, "-s1" for
        off, "-" for an offline that names no stream."""
        events = sorted(
            self.history, key=lambda e: (e.timestamp, e.event_type is EventType.OFFLINE, e.id)
        )
        signs = {EventType.ONLINE: "+", EventType.OFFLINE: "-"}
        return [signs[event.event_type] + (event.stream_id or "") for event in events]
