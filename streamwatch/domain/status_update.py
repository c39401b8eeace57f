"""Collects the changes that one observation makes to a status."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from streamwatch.domain.models import (
    Change,
    ChannelEntry,
    ChannelInfo,
    EventReference,
    EventType,
    MonitoringEnd,
    NameChange,
    Source,
    Stream,
    StreamEvent,
    StreamLastSeen,
    StreamSnapshot,
    StreamStatus,
    Timeline,
    TimelineEntry,
)
from streamwatch.domain.replay import MissingEnd, replay
from streamwatch.domain.timeline import Insertion, insert
from streamwatch.domain.times import format_time, parse_time
from streamwatch.domain.updates import insert_update

MIN_LENGTH = timedelta(seconds=5)
"""The least length of a replaced stream whose end is estimated, if the next stream leaves room for
it: Twitch sends the message about a start seconds after the start that it names."""

ENDED_BY = "ended_by"
"""The field of an estimated end's `data` with the time by which the stream had ended for sure. The
event's timestamp is when it was last seen on."""


class StatusUpdate:
    """Collects changes: `status` is the status with the changes so far. `before` is None for an
    unknown streamer, whose status is then `initial`."""

    def __init__(self, before: StreamStatus | None, initial: StreamStatus) -> None:
        self.before = before
        self.status = before or initial
        self._events: list[StreamEvent] = []
        self._replaced_events: list[EventReference] = []
        self._snapshot: StreamSnapshot | None = None
        self._monitoring_end: MonitoringEnd | None = None

    def set(self, **fields: Any) -> None:
        self.status = replace(self.status, **fields)

    def set_names(self, login: str, display_name: str, at: datetime) -> None:
        """Set the names that were read at `at`, unless newer ones are known."""
        if at >= (self.status.named_at or self.status.last_updated):
            self.set(login=login, display_name=display_name, named_at=at)

    def touch(self, at: datetime) -> None:
        """Set the time of the last update to `at`, unless it is later."""
        self.set(last_updated=max(at, self.status.last_updated))

    def add_sample(self, snapshot: StreamSnapshot) -> None:
        self._snapshot = snapshot

    def end_monitoring(self, at: datetime) -> None:
        """Record that the stream that is on, if one is, is not monitored from `at` on: no earlier
        than its online, which Twitch's clock dates."""
        status = self.status
        latest = replay(status.timeline).latest
        if latest is not None and latest.is_on and latest.online_at is not None:
            self._monitoring_end = MonitoringEnd(
                max(at, latest.online_at),
                latest.stream_id,
                status.user_id,
                status.login,
                status.display_name,
            )

    def insert(self, entry: TimelineEntry, seen_at: datetime | None = None) -> bool:
        """Insert an online or offline into the timeline. False if the timeline has it already.

        `seen_at` is the time at which a poll has seen the entry's stream.
        """
        insertion = insert(self.status.timeline, entry)
        if insertion is None:
            return False
        self._apply(insertion, entry)
        live_id = self.status.stream.id if self.status.stream else None
        if seen_at is not None and entry.stream_id not in {None, live_id}:
            self._set_last_seen(entry.stream_id, seen_at)
        for end in insertion.missing_ends:
            estimate = timeline_entry(_missing_end(self.status, end))
            estimated = insert(self.status.timeline, estimate)
            if estimated is not None:
                self._apply(estimated, estimate)
        if self.status.is_removed:
            self.end_monitoring(entry.at)
        self._show_channel()
        return True

    def insert_update(self, entry: ChannelEntry) -> bool:
        """Insert title, category and language. False if the channel has the entry already."""
        insertion = insert_update(self.status.channel, entry)
        if insertion is None:
            return False
        self.set(channel=insertion.entries)
        self._events += insertion.events
        self._replaced_events += insertion.replaced_events
        self._show_channel()
        return True

    def _show_channel(self) -> None:
        """Show the newest values in the stream that is on. Those that a poll found are shown with
        the poll's other details: they may be older than the stream."""
        stream, channel = self.status.stream, self.status.channel
        if stream is not None and channel and not channel[-1].is_estimate:
            self.set(stream=with_info(stream, channel[-1].info))

    def change(self, message_id: str | None = None) -> Change:
        """The change from `before` to the status as it is now. Events are in order of their times,
        an end before a start."""
        before, version = self.before, self.before.version if self.before else 0
        after = replace(self.status, version=version + 1)
        is_renamed = before is not None and _names(before) != _names(after)
        is_login_changed = before is not None and before.login != after.login
        return Change(
            status=after,
            base_version=version,
            previous_login=before.login if before and is_login_changed else None,
            message_id=message_id,
            events=tuple(sorted(self._events, key=_event_order)),
            snapshot=self._snapshot,
            replaced_events=tuple(self._replaced_events),
            name_change=_name_change(after) if is_renamed else None,
            monitoring_end=self._monitoring_end,
        )

    def _set_last_seen(self, stream_id: str, at: datetime) -> None:
        """Record that a poll saw a stream at `at`, unless a later time is known."""
        at = max(at, last_seen_at(self.status, stream_id) or at)
        others = [seen for seen in self.status.last_seen if seen.stream_id != stream_id]
        self.set(last_seen=(*others, StreamLastSeen(stream_id, at)))

    def _drop_last_seen(self, timeline: Timeline) -> None:
        """Drop the times of the streams that are no longer in `timeline`."""
        last_seen = self.status.last_seen
        if not last_seen:
            return
        entries = (*timeline.last_entries, *timeline.entries)
        stream_ids = {entry.stream_id for entry in entries}
        if timeline.latest_start is not None:
            stream_ids.add(timeline.latest_start.id)
        self.set(last_seen=tuple(seen for seen in last_seen if seen.stream_id in stream_ids))

    def _apply(self, insertion: Insertion, entry: TimelineEntry) -> None:
        status, live = self.status, insertion.live
        stream = status.stream
        continues = live is not None and stream is not None and live.id == stream.id
        if stream is not None and live is not None and continues:
            if insertion.replaced_events:  # Twitch's own message says the type
                stream = replace(stream, type=live.type)
        else:
            stream = live
        if status.is_removed or self._is_hidden(live):
            stream = None
        is_offline = entry.type is EventType.OFFLINE
        if not continues and status.seen_at is not None:
            latest = replay(status.timeline).latest
            if latest is not None:
                self._set_last_seen(latest.stream_id, status.seen_at)
        self._drop_last_seen(insertion.timeline)
        self.set(
            stream=stream,
            last_event_type=insertion.last_type or status.last_event_type,
            timeline=insertion.timeline,
            seen_at=status.seen_at if continues else None,
            absent_at=status.absent_at if continues and is_offline else None,
        )
        self._events += insertion.events
        self._replaced_events += insertion.replaced_events

    def _is_hidden(self, live: Stream | None) -> bool:
        """Whether a removal has hidden the stream `live`. It is shown again when a poll sees it."""
        if live is None or self.status.stream is not None:
            return False
        known = replay(self.status.timeline).live
        return known is not None and known.id == live.id


def with_info(stream: Stream, info: ChannelInfo) -> Stream:
    """The stream with these values."""
    return replace(
        stream,
        title=info.title,
        game_id=info.category_id,
        game_name=info.category_name,
        language=info.language,
    )


def timeline_entry(event: StreamEvent, stream: Stream | None = None) -> TimelineEntry:
    """The timeline entry of an event. `stream` is that of an online."""
    is_estimate = event.source is not Source.EVENTSUB
    return TimelineEntry(
        at=ended_by(event) if is_estimate else event.timestamp,
        type=event.event_type,
        message_id=event.id,
        stream_id=event.stream_id,
        started_at=stream.started_at if stream else None,
        stream_type=stream.type if stream else "live",
        suppressed_event=event,
        estimated_at=event.timestamp if is_estimate else None,
    )


def ended_by(estimate: StreamEvent) -> datetime:
    """The time by which an estimated event had happened for sure."""
    latest = estimate.data.get(ENDED_BY)
    return parse_time(latest) if isinstance(latest, str) else estimate.timestamp


def estimated_event(
    status: StreamStatus,
    event_type: EventType,
    stream_id: str,
    at: datetime,
    data: dict[str, str],
    source: Source = Source.POLL,
) -> StreamEvent:
    """An event that no message reported, in the form of the message."""
    return StreamEvent(
        id=f"poll:{event_type}:{stream_id}:{format_time(at)}",
        event_type=event_type,
        broadcaster_id=status.user_id,
        broadcaster_login=status.login,
        broadcaster_name=status.display_name,
        timestamp=at,
        data={
            "id": stream_id,
            "broadcaster_user_id": status.user_id,
            "broadcaster_user_login": status.login,
            "broadcaster_user_name": status.display_name,
            **data,
        },
        source=source,
    )


def estimated_end(
    status: StreamStatus, stream_id: str, last_seen: datetime, latest: datetime
) -> StreamEvent:
    """The end of a stream that was last seen on at `last_seen`, and had ended by `latest`.

    Its id has the version of the status: once a message has replaced an estimate, a late message
    can make the same end missing again, and a message that replaces the second estimate must not
    replace the first one's message.
    """
    end = {ENDED_BY: format_time(latest)}
    event = estimated_event(status, EventType.OFFLINE, stream_id, last_seen, end)
    return replace(event, id=f"{event.id}:{status.version}")


def last_seen_at(status: StreamStatus, stream_id: str) -> datetime | None:
    """The time at which a poll last saw a stream that is not on."""
    return next((seen.at for seen in status.last_seen if seen.stream_id == stream_id), None)


def _missing_end(status: StreamStatus, end: MissingEnd) -> StreamEvent:
    """The end of a stream that a later one has replaced: when a poll last saw it, but after it
    went live and no later than the next start."""
    seen_at = last_seen_at(status, end.stream_id) or end.online_at
    ended_at = max(seen_at, end.online_at + MIN_LENGTH)
    return estimated_end(
        status,
        end.stream_id,
        min(ended_at, max(end.next_start, end.online_at)),
        max(end.next_start, end.online_at),
    )


def _names(status: StreamStatus) -> tuple[str, str]:
    return status.login, status.display_name


def _name_change(status: StreamStatus) -> NameChange:
    at = status.named_at or status.last_updated
    return NameChange(at, status.user_id, status.login, status.display_name)


def _event_order(event: StreamEvent) -> tuple[datetime, bool]:
    return event.timestamp, event.event_type is EventType.ONLINE
