"""Previews of messages."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.models import StreamDetails, TargetKind
from streamwatch.services.notifications.context import details_of
from streamwatch.services.notifications.messages import text_of
from streamwatch.services.notifications.samples import sample_event, sample_stream
from streamwatch.services.notifications.senders.base import Sender
from streamwatch.storage.base import Storage


class Previews:
    """Renders templates for the dashboard, without sending anything."""

    def __init__(
        self,
        storage: Storage,
        senders: Mapping[TargetKind, Sender],
        clock: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._senders = senders
        self._clock = clock

    def text(self, kind: TargetKind, template: str | None) -> str:
        """The go-live of the live stream with the most viewers, as people see it; a made-up one if
        none is on."""
        event, details = self._stream()
        sender = self._senders[kind]
        now = self._clock()
        return text_of(template, sender, event, event.event_type, details, now, is_escaped=False)

    def _stream(self) -> tuple[StreamEvent, StreamDetails]:
        now = self._clock()
        live = self._storage.live()
        event = sample_event(now)
        if not live or live[0].stream is None:
            return event, details_of(sample_stream(now))
        biggest = live[0]
        named = replace(
            event,
            broadcaster_id=biggest.user_id,
            broadcaster_login=biggest.login,
            broadcaster_name=biggest.display_name,
        )
        return named, details_of(live[0].stream)
