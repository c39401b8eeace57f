"""The JSON documents of streams and events, as the API returns them and webhooks send them."""

from typing import Any

from streamwatch.domain.models import Stream, StreamEvent
from streamwatch.domain.times import format_time

Document = dict[str, Any]
"""A JSON object."""


def stream_document(stream: Stream) -> Document:
    return {
        "id": stream.id,
        "type": stream.type,
        "started_at": format_time(stream.started_at),
        "viewer_count": stream.viewer_count,
        "game_id": stream.game_id,
        "game_name": stream.game_name,
        "title": stream.title,
        "language": stream.language,
        "tags": None if stream.tags is None else list(stream.tags),
        "thumbnail_url": stream.thumbnail_url,
    }


def event_document(event: StreamEvent) -> Document:
    return {
        "id": event.id,
        "event_type": event.event_type,
        "broadcaster_id": event.broadcaster_id,
        "broadcaster_login": event.broadcaster_login,
        "broadcaster_name": event.broadcaster_name,
        "timestamp": format_time(event.timestamp),
        "data": event.data,
        "source": event.source,
    }
