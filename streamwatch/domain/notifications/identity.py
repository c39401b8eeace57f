"""Which stream an event belongs to, and the ids that make deliveries idempotent."""

from collections.abc import Iterable
from hashlib import sha256

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.models import OFFLINE, ONLINE, UPDATE


def stream_of(event: StreamEvent, history: Iterable[StreamEvent]) -> str | None:
    """The stream that `event` belongs to, None if that is not known or none was on.

    `history` is the streamer's, the newest first. Twitch's offline may name no stream, and an
    update never does: both belong to the stream that started last before them. An update after
    that stream's end belongs to none.
    """
    if event.event_type != UPDATE and event.stream_id is not None:
        return event.stream_id
    for earlier in history:
        if earlier.timestamp > event.timestamp or earlier.id == event.id:
            continue
        if earlier.event_type == ONLINE:
            return earlier.stream_id
        if earlier.event_type == OFFLINE and event.event_type == UPDATE:
            return None
    return None


def event_key(event: StreamEvent, stream_id: str | None) -> str:
    """A key that all reports of one event share: a stream has one start and one end, whether a
    message or a poll reports it. Each update has a key of its own, except that a message that
    replaces the event of a poll has the key of that event."""
    if stream_id is None or event.event_type == UPDATE:
        first_id = event.replaces or event.id
        return f"{event.broadcaster_id}:{event.event_type}:event:{first_id}"
    return f"{event.broadcaster_id}:{event.event_type}:{stream_id}"


def delivery_id(notification_id: str, key: str) -> str:
    """The id of the delivery of an event, by its key, for a notification."""
    digest = sha256(f"{notification_id}:{key}".encode()).hexdigest()
    return f"dlv_{digest[:32]}"
