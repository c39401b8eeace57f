"""The domain's data: immutable objects without rules.

Users are keyed by Twitch's user id, streams by stream id. A login is an attribute in lower case
that can change. Times are aware UTC.
"""

from streamwatch.domain.models.channel import ChannelEntry, ChannelInfo
from streamwatch.domain.models.events import (
    EVENT_VERSIONS,
    EventReference,
    EventType,
    Source,
    StreamEvent,
)
from streamwatch.domain.models.status import Change, MonitoringEnd, StreamStatus
from streamwatch.domain.models.streamers import NameChange, Streamer, User
from streamwatch.domain.models.streams import LONGEST_STREAM, Stream, StreamSnapshot, Video
from streamwatch.domain.models.timeline import StreamLastSeen, StreamStart, Timeline, TimelineEntry
from streamwatch.domain.models.twitch import ALIVE_STATUSES, AppToken, Subscription

__all__ = [
    "ALIVE_STATUSES",
    "EVENT_VERSIONS",
    "LONGEST_STREAM",
    "AppToken",
    "Change",
    "ChannelEntry",
    "ChannelInfo",
    "EventReference",
    "EventType",
    "MonitoringEnd",
    "NameChange",
    "Source",
    "Stream",
    "StreamEvent",
    "StreamLastSeen",
    "StreamSnapshot",
    "StreamStart",
    "StreamStatus",
    "Streamer",
    "Subscription",
    "Timeline",
    "TimelineEntry",
    "User",
    "Video",
]
