"""Whether a notification wants an event."""

from collections.abc import Collection, Iterable

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.models import UPDATE, Notification, StreamDetails


def wants(notification: Notification, event: StreamEvent, tags: Collection[str]) -> bool:
    """Whether the filters that can be decided by the event alone match. `tags` are the
    streamer's."""
    return (
        notification.enabled
        and event.timestamp >= notification.active_since
        and event.event_type in notification.events
        and _matches_streamer(notification, event.broadcaster_id)
        and (not notification.tags or _overlap(notification.tags, tags))
        and (event.event_type != UPDATE or _matches_change(notification, event))
    )


def needs_details(notification: Notification) -> bool:
    """Whether the filters need the title or the category of the stream."""
    return bool(notification.categories or notification.title_contains)


def details_match(notification: Notification, details: StreamDetails) -> bool | None:
    """Whether title and category match the filters; None if that is not known yet."""
    results = (
        _matches_category(notification.categories, details.category),
        _matches_title(notification.title_contains, details.title),
    )
    if False in results:
        return False
    return None if None in results else True


def changed_by(event: StreamEvent) -> tuple[str, ...]:
    """What a `channel.update` changed; () if the event does not say."""
    changed = event.data.get("changed")
    return tuple(changed) if isinstance(changed, list) else ()


def _matches_change(notification: Notification, event: StreamEvent) -> bool:
    return not notification.changed or _overlap(notification.changed, changed_by(event))


def _matches_streamer(notification: Notification, user_id: str) -> bool:
    if not notification.streamers:
        return True
    return any(streamer.user_id == user_id for streamer in notification.streamers)


def _matches_category(wanted: tuple[str, ...], category: str | None) -> bool | None:
    if not wanted:
        return True
    if category is None:
        return None
    return category.casefold() in _folded(wanted)


def _matches_title(wanted: tuple[str, ...], title: str | None) -> bool | None:
    if not wanted:
        return True
    if title is None:
        return None
    return any(part in title.casefold() for part in _folded(wanted))


def _overlap(wanted: Iterable[str], found: Iterable[str]) -> bool:
    return not _folded(wanted).isdisjoint(_folded(found))


def _folded(texts: Iterable[str]) -> set[str]:
    return {text.casefold() for text in texts}
