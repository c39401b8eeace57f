"""The text of a message for people."""

from datetime import datetime

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.models import ONLINE, TEST, UPDATE, StreamDetails
from streamwatch.domain.notifications.texts import cut, render, values
from streamwatch.services.notifications.context import lasted
from streamwatch.services.notifications.senders.base import Sender


def text_of(
    template: str | None,
    sender: Sender,
    event: StreamEvent,
    event_type: str,
    details: StreamDetails,
    now: datetime,
    *,
    is_edit: bool = False,
    is_escaped: bool = True,
) -> str:
    """The text as `sender` takes it: a user's template, else the default of the event. An edit of
    the message about a live stream (`is_edit`) still says that it is live after an update. Without
    `is_escaped` it is the text that people see."""
    shown_type = ONLINE if event_type == TEST else event_type
    duration = None if shown_type == ONLINE else lasted(details, now)
    filled = {
        name: sender.escape(value) if is_escaped and name != "url" else value
        for name, value in values(event, shown_type, details, lasted=duration).items()
    }
    default_type = ONLINE if is_edit and shown_type == UPDATE else shown_type
    text = render(template, event, default_type, filled)
    if not text.strip():  # a template whose placeholders are all empty: no target takes that
        text = render(None, event, default_type, filled)
    return cut(text, sender.max_length)
