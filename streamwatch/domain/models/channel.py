"""Title, category and language of a channel (see `domain.updates`)."""

from datetime import datetime
from typing import NamedTuple

from streamwatch.domain.models.events import StreamEvent


class ChannelInfo(NamedTuple):
    """What a channel shows. A channel without a category has an empty id and name."""

    title: str
    category_id: str
    category_name: str
    language: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Values with the same key count as equal. The category is compared by its id alone."""
        return self.title, self.category_id, self.language


class ChannelEntry(NamedTuple):
    """The values of a channel at a time, from a message or, as an estimate, from a poll.

    `is_reported` says whether the history has the event. Else `suppressed_event` is the event.
    """

    at: datetime
    info: ChannelInfo
    message_id: str
    is_estimate: bool = False
    is_reported: bool = False
    suppressed_event: StreamEvent | None = None
