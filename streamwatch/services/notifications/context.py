"""What is known about an event's streamer and stream when a delivery is made or due."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from streamwatch.domain.models import Stream, StreamEvent, StreamStatus
from streamwatch.domain.notifications.identity import stream_of
from streamwatch.domain.notifications.models import (
    OFFLINE,
    UPDATE,
    Delivery,
    Situation,
    StreamDetails,
)
from streamwatch.domain.times import parse_time
from streamwatch.services.documents import Document
from streamwatch.services.notifications.samples import sample_stream
from streamwatch.storage.base import Storage

log = logging.getLogger(__name__)

FindSession = Callable[[str], Document | None]
"""The session of a stream as the API shows it, None if the analytics have none. May raise
anything that a database raises."""

_PAGES = (20, 80, 400)
"""How many of a streamer's events are read at a time, the newest first, until the start of an
event's stream is found. The first page has it, unless the title changed often."""

_RETRY_SECONDS = 30.0
"""How long the analytics are not queried after a failure, so that not every delivery waits for
their timeout."""


class EventContext:
    """Reads what deliveries need. Safe for threads."""

    def __init__(self, storage: Storage, find_session: FindSession) -> None:
        self._storage = storage
        self._find_session = find_session
        self._ask_again_at = 0.0

    def stream_id(self, event: StreamEvent) -> str | None:
        """The stream that the event belongs to; None if that is not known."""
        return stream_of(event, self._history(event.broadcaster_id, event.broadcaster_login))

    def _history(self, user_id: str, login: str) -> Iterator[StreamEvent]:
        """A streamer's events, the newest first. A page is read when its first event is needed.

        `login` is that of an event: the streamer may have another by now, and someone else this
        one.
        """
        status = self._storage.status(user_id)
        login = status.login if status else login
        after = None
        for size in _PAGES:
            page = self._storage.events_of_streamer(login, size, after)
            yield from (event for event in page if event.broadcaster_id == user_id)
            if len(page) < size:
                return
            after = page[-1].position

    def session(self, stream_id: str | None) -> Document | None:
        """The session of a stream; None also if the analytics do not answer."""
        if stream_id is None or time.monotonic() < self._ask_again_at:
            return None
        try:
            return self._find_session(stream_id)
        except Exception as error:  # noqa: BLE001  of any analytics backend: the session is optional
            self._ask_again_at = time.monotonic() + _RETRY_SECONDS
            log.warning("Notifications are sent without session data for now: %s", error)
            return None

    def situation(self, delivery: Delivery) -> Situation:
        """What is known when a delivery is due."""
        status = self._storage.status(delivery.event.broadcaster_id)
        return Situation(
            live_stream_id=status.stream.id if status and status.stream else None,
            details=self._details(delivery, status),
            is_known=status is not None,
        )

    def _details(self, delivery: Delivery, status: StreamStatus | None) -> StreamDetails:
        event = delivery.event
        if delivery.is_test:
            return details_of(sample_stream(event.timestamp))
        stream = live_stream(status, delivery.stream_id)
        if delivery.event_type == UPDATE:
            return update_details(event, stream)
        if stream is not None and delivery.event_type != OFFLINE:
            return details_of(stream)
        session = self.session(delivery.stream_id) or {}
        ended_at = event.timestamp if delivery.event_type == OFFLINE else None
        started_at = session.get("started_at")
        return StreamDetails(
            title=session.get("title"),
            category=session.get("category_name"),
            started_at=parse_time(started_at) if started_at else None,
            ended_at=ended_at,
            peak=session.get("max_viewers"),
        )


def live_stream(status: StreamStatus | None, stream_id: str | None) -> Stream | None:
    """The stream with this id, if it is on."""
    stream = status.stream if status else None
    return stream if stream is not None and stream.id == stream_id else None


def details_of(stream: Stream) -> StreamDetails:
    return StreamDetails(
        title=stream.title,
        category=stream.game_name,
        viewers=stream.viewer_count,
        started_at=stream.started_at,
    )


def update_details(event: StreamEvent, stream: Stream | None) -> StreamDetails:
    """Title and category as a `channel.update` says them, the rest of the stream if one is on."""
    return StreamDetails(
        title=_text(event.data.get("title")),
        category=_text(event.data.get("category_name")),
        viewers=stream.viewer_count if stream else None,
        started_at=stream.started_at if stream else None,
    )


def lasted(details: StreamDetails, now: datetime) -> timedelta | None:
    """How long the stream has been on; None if that is not known."""
    if details.started_at is None:
        return None
    return (details.ended_at or now) - details.started_at


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
