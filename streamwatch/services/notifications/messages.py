"""The text of a message for people."""

from datetime import datetime

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.models import ONLINE, TEST, StreamDetails
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
) -> str:
    """The text as `sender` takes it: a user's template, else the default of the event."""
    shown_type = ONLINE if event_type == TEST else event_type
    duration = None if shown_type == ONLINE else lasted(details, now)
    filled = {
        name: value if name == "url" else sender.escape(value)
        for name, value in values(event, shown_type, details, lasted=duration).items()
    }
    text = render(template, event, shown_type, filled)
    if not text.strip():  # a template whose placeholders are all empty: no target takes that
        text = render(None, event, shown_type, filled)
    return cut(text, sender.max_length)
