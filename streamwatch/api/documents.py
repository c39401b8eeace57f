"""The JSON documents of the API, built from models.

They are built by hand, which is ten times as fast as a marshmallow dump; `schemas.py` documents
them, and tests compare the two. Sessions and statistics are in `analytics_documents.py`.
"""

from typing import Any

from streamwatch.domain.models import (
    Streamer,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
    Subscription,
)
from streamwatch.domain.times import format_time
from streamwatch.services.documents import event_document, stream_document
from streamwatch.services.push.translator import PushEvent, PushEventType
from streamwatch.services.status import StatusSource

Document = dict[str, Any]


def streamer_document(streamer: Streamer) -> Document:
    return {
        "user_id": streamer.user_id,
        "username": streamer.login,
        "display_name": streamer.display_name,
        "profile_image_url": streamer.profile_image_url,
        "tags": list(streamer.tags),
        "is_active": streamer.is_active,
        "online_subscription_id": streamer.online_subscription_id,
        "offline_subscription_id": streamer.offline_subscription_id,
        "added_at": format_time(streamer.added_at),
    }


def status_document(status: StreamStatus, source: StatusSource = StatusSource.STORAGE) -> Document:
    return {
        "user_id": status.user_id,
        "username": status.login,
        "display_name": status.display_name,
        "is_live": status.is_live,
        "stream_data": stream_document(status.stream) if status.stream else None,
        "last_updated": format_time(status.last_updated),
        "last_event_type": status.last_event_type,
        "source": source,
    }


def snapshot_document(snapshot: StreamSnapshot) -> Document:
    return {
        "stream_id": snapshot.stream_id,
        "broadcaster_id": snapshot.broadcaster_id,
        "broadcaster_login": snapshot.broadcaster_login,
        "broadcaster_name": snapshot.broadcaster_name,
        "captured_at": format_time(snapshot.captured_at),
        "started_at": format_time(snapshot.started_at),
        "viewer_count": snapshot.viewer_count,
        "category_id": snapshot.category_id,
        "category_name": snapshot.category_name,
        "title": snapshot.title,
        "language": snapshot.language,
        "tags": list(snapshot.tags),
    }


def subscription_document(subscription: Subscription) -> Document:
    return {
        "id": subscription.id,
        "type": subscription.type,
        "status": subscription.status,
        "condition": subscription.condition,
        "created_at": format_time(subscription.created_at),
        "cost": subscription.cost,
    }


def push_document(event: PushEvent) -> Document:
    """The `data` of a Server-Sent Event: an Event, a Snapshot, or the description of a gap.

    The snapshot of a changed title or category also has `previous`, null where it is not known.
    """
    if isinstance(event.subject, StreamEvent):
        return event_document(event.subject)
    if event.subject is None:
        return {"detail": "Some earlier events are no longer stored."}
    document = snapshot_document(event.subject)
    if event.type in {PushEventType.CATEGORY, PushEventType.TITLE}:
        document["previous"] = event.previous
    return document
