"""What can be learned about a streamer, by webhook or by poll."""

from dataclasses import dataclass
from datetime import datetime

from streamwatch.domain.models import Source, Stream, StreamEvent


@dataclass(frozen=True, slots=True)
class WentOnline:
    """A `stream.online` message."""

    event: StreamEvent
    stream: Stream


@dataclass(frozen=True, slots=True)
class WentOffline:
    """A `stream.offline` message; `event.stream_id` is None where it does not name its stream."""

    event: StreamEvent


@dataclass(frozen=True, slots=True)
class SeenLive:
    """Helix answered a request made at `at` with this stream."""

    user_id: str
    login: str
    display_name: str
    stream: Stream
    at: datetime
    source: Source = Source.POLL


@dataclass(frozen=True, slots=True)
class SeenAbsent:
    """Helix answered a request made at `at` without a stream of this user: which is no proof that
    there is none."""

    user_id: str
    login: str
    display_name: str
    at: datetime


Observation = WentOnline | WentOffline | SeenLive | SeenAbsent
