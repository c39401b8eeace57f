"""Session events: the events and first samples of streams, from which sessions are computed.

Times are cut to milliseconds here, so that all databases store the same values.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from streamwatch.domain.models import (
    ChannelInfo,
    EventType,
    MonitoringEnd,
    NameChange,
    Source,
    StreamEvent,
    StreamSnapshot,
    Video,
)
from streamwatch.domain.statistics import milliseconds
from streamwatch.domain.status_update import ended_by
from streamwatch.domain.times import format_time, parse_time, to_milliseconds

MAX_VIEWERS = 2**31 - 1
"""Larger counts are invalid, and would overflow the sums."""


class InvalidObservation(Exception):
    """An event or sample that no session can be made of. The text says why."""


class Kind(StrEnum):
    """The kinds of session events."""

    ONLINE = "online"
    OFFLINE = "offline"
    SEEN = "seen"
    """A poll saw the stream on. A stream has at most one, of its first poll. It opens the session
    of a stream without an online event."""
    RENAMED = "renamed"
    """The streamer's names were read from Twitch, and had changed."""
    UPDATED = "updated"
    """Twitch pushed another title, category or language of the channel. It names no stream."""
    MONITORING_ENDED = "unwatched"  # as it is stored
    """The streamer was removed while the stream was on."""
    VIDEO = "video"
    """Twitch has an archived video of the stream. It opens the session of a stream that was not
    observed, and adds what was not observed to the others. It is not part of the timeline."""


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """An event that begins or ends sessions.

    `stream_id` is None for an offline that does not name its stream. `started_at` is the stream's
    start, None for offlines, and never after `at`. `estimated_at` is set for an estimate, something
    that a poll found: the timestamp of its event, while `at` is the time by which it had happened
    for sure. `replaces` is the id of the estimate whose place the event takes. `info` has the new
    values of an update, `video` the video, whose start is `at` and `started_at`.
    """

    id: str
    kind: Kind
    at: datetime
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    stream_id: str | None
    started_at: datetime | None = None
    estimated_at: datetime | None = None
    replaces: str | None = None
    info: ChannelInfo | None = None
    video: Video | None = None

    @property
    def key(self) -> tuple[datetime, str]:
        """Orders streams by their start, then by id."""
        return self.started_at or self.at, self.stream_id or ""


class ObservedName(NamedTuple):
    """The names of a streamer as observed at a time. The greatest is the newest."""

    at: datetime
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A streamer: the names of the newest observation, and the time of the first. While only videos
    are known, `is_observed` is False and `first_seen_at` the start of the first video."""

    broadcaster_id: str
    latest_name: ObservedName
    first_seen_at: datetime
    is_observed: bool = True

    def merge(self, other: "Identity") -> "Identity":
        first = min(self, other, key=lambda each: (not each.is_observed, each.first_seen_at))
        name = max(self.latest_name, other.latest_name)
        return Identity(self.broadcaster_id, name, first.first_seen_at, first.is_observed)


@dataclass(frozen=True, slots=True)
class ProjectionInput:
    """Events and samples to store, of any streamers, in any order. Every sample comes with its
    SEEN event."""

    events: tuple[SessionEvent, ...] = ()
    samples: tuple[StreamSnapshot, ...] = ()

    def __add__(self, other: "ProjectionInput") -> "ProjectionInput":
        return ProjectionInput(self.events + other.events, self.samples + other.samples)

    @classmethod
    def merge(cls, inputs: "Iterable[ProjectionInput]") -> "ProjectionInput":
        """All events and samples of `inputs`. Adding them one by one would copy them each time."""
        inputs = list(inputs)
        return cls(
            tuple(event for each in inputs for event in each.events),
            tuple(sample for each in inputs for sample in each.samples),
        )


def projection_input(
    events: Iterable[StreamEvent],
    snapshot: StreamSnapshot | None,
    name_change: NameChange | None = None,
    monitoring_end: MonitoringEnd | None = None,
) -> ProjectionInput:
    """The session events and the sample of one commit. Raises InvalidObservation.

    An update that a poll found is not needed: the sample of the same poll has its values.
    """
    session_events = [
        session_event(event)
        for event in events
        if event.event_type is not EventType.UPDATE or event.source is Source.EVENTSUB
    ]
    if name_change is not None:
        session_events.append(_renamed(name_change))
    if monitoring_end is not None:
        session_events.append(_monitoring_ended(monitoring_end))
    if snapshot is None:
        return ProjectionInput(tuple(session_events))
    sample = normalize_sample(snapshot)
    return ProjectionInput((*session_events, _seen(sample)), (sample,))


def session_event(event: StreamEvent) -> SessionEvent:
    """The session event of `event`. Raises InvalidObservation where an online lacks id or start."""
    if event.event_type is EventType.UPDATE:
        return _updated(event)
    is_estimate = event.source is not Source.EVENTSUB
    at = to_milliseconds(ended_by(event) if is_estimate else event.timestamp)
    started_at = None
    if event.event_type is EventType.ONLINE:
        try:
            started_at = to_milliseconds(parse_time(event.data["started_at"]))
        except (KeyError, TypeError, ValueError):
            raise InvalidObservation(f"The online {event.id!r} has no start time.") from None
        if not event.stream_id:
            raise InvalidObservation(f"The online {event.id!r} names no stream.")
    return SessionEvent(
        id=event.id,
        kind=Kind.OFFLINE if started_at is None else Kind.ONLINE,
        at=at,
        broadcaster_id=event.broadcaster_id,
        broadcaster_login=event.broadcaster_login,
        broadcaster_name=event.broadcaster_name,
        stream_id=event.stream_id or None,
        started_at=min(started_at, at) if started_at else None,
        estimated_at=to_milliseconds(event.timestamp) if is_estimate else None,
        replaces=event.replaces,
    )


def normalize_sample(snapshot: StreamSnapshot) -> StreamSnapshot:
    """A snapshot as it is stored, with times in whole milliseconds. Raises InvalidObservation."""
    if not 0 <= snapshot.viewer_count <= MAX_VIEWERS:
        raise InvalidObservation(f"{snapshot.viewer_count} is not a valid number of viewers.")
    return replace(
        snapshot,
        captured_at=to_milliseconds(snapshot.captured_at),
        started_at=to_milliseconds(snapshot.started_at),
    )


def identities(events: Iterable[SessionEvent]) -> dict[str, Identity]:
    """The observed streamers, by user id."""
    found: dict[str, Identity] = {}
    for event in events:
        name = ObservedName(event.at, event.broadcaster_login, event.broadcaster_name)
        is_observed = event.kind is not Kind.VIDEO
        identity = Identity(event.broadcaster_id, name, event.at, is_observed)
        known = found.get(event.broadcaster_id)
        found[event.broadcaster_id] = identity.merge(known) if known else identity
    return found


def _seen(sample: StreamSnapshot) -> SessionEvent:
    return SessionEvent(
        id=f"seen:{sample.stream_id}",
        kind=Kind.SEEN,
        at=sample.captured_at,
        broadcaster_id=sample.broadcaster_id,
        broadcaster_login=sample.broadcaster_login,
        broadcaster_name=sample.broadcaster_name,
        stream_id=sample.stream_id,
        started_at=min(sample.started_at, sample.captured_at),
    )


def _updated(event: StreamEvent) -> SessionEvent:
    values = [event.data.get(name) for name in ChannelInfo._fields]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        raise InvalidObservation(f"The update {event.id!r} lacks title, category or language.")
    return SessionEvent(
        id=event.id,
        kind=Kind.UPDATED,
        at=to_milliseconds(event.timestamp),
        broadcaster_id=event.broadcaster_id,
        broadcaster_login=event.broadcaster_login,
        broadcaster_name=event.broadcaster_name,
        stream_id=None,
        info=ChannelInfo(*texts),
    )


def _renamed(change: NameChange) -> SessionEvent:
    return SessionEvent(
        id=f"renamed:{change.user_id}:{format_time(change.at)}",
        kind=Kind.RENAMED,
        at=to_milliseconds(change.at),
        broadcaster_id=change.user_id,
        broadcaster_login=change.login,
        broadcaster_name=change.display_name,
        stream_id=None,
    )


def video_event(video: Video, user_id: str, login: str, display_name: str) -> SessionEvent:
    """The session event of a streamer's video. A video that has grown is another event. Raises
    InvalidObservation where the video names no stream."""
    if video.stream_id is None:
        raise InvalidObservation(f"The video {video.id!r} names no stream.")
    started_at, ended_at = to_milliseconds(video.started_at), to_milliseconds(video.ended_at)
    return SessionEvent(
        id=f"video:{video.id}:{milliseconds(ended_at - started_at)}",
        kind=Kind.VIDEO,
        at=started_at,
        broadcaster_id=user_id,
        broadcaster_login=login,
        broadcaster_name=display_name,
        stream_id=video.stream_id,
        started_at=started_at,
        video=replace(video, started_at=started_at, ended_at=ended_at),
    )


def _monitoring_ended(end: MonitoringEnd) -> SessionEvent:
    return SessionEvent(
        id=f"unwatched:{end.stream_id}:{format_time(end.at)}",
        kind=Kind.MONITORING_ENDED,
        at=to_milliseconds(end.at),
        broadcaster_id=end.user_id,
        broadcaster_login=end.login,
        broadcaster_name=end.display_name,
        stream_id=end.stream_id,
    )


def merge_events(known: SessionEvent | None, new: SessionEvent) -> SessionEvent:
    """The event to store where `known` has the same id: of two SEEN events the earlier, else
    `known`."""
    if known is None or known.kind is not Kind.SEEN:
        return known or new
    if known.at <= new.at and known.key <= new.key:
        return known  # as for all polls but the first
    return replace(
        known,
        at=min(known.at, new.at),
        started_at=min(known.key, new.key)[0],
    )
