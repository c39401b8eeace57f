"""A made-up go-live, for tests and previews."""

from datetime import datetime

from streamwatch.domain.models import EventType, Source, Stream, StreamEvent
from streamwatch.domain.times import format_time

USER_ID, LOGIN, DISPLAY_NAME = "0", "example_streamer", "Example_Streamer"
STREAM_ID = "0"


def sample_stream(now: datetime) -> Stream:
    return Stream(
        id=STREAM_ID,
        started_at=now,
        viewer_count=42,
        game_id="509658",
        game_name="Just Chatting",
        title="This is a test of StreamWatch",
        language="en",
        tags=("English",),
        thumbnail_url=None,
    )


def sample_event(now: datetime) -> StreamEvent:
    return StreamEvent(
        id=f"test-{format_time(now)}",
        event_type=EventType.ONLINE,
        broadcaster_id=USER_ID,
        broadcaster_login=LOGIN,
        broadcaster_name=DISPLAY_NAME,
        timestamp=now,
        data={
            "id": STREAM_ID,
            "broadcaster_user_id": USER_ID,
            "broadcaster_user_login": LOGIN,
            "broadcaster_user_name": DISPLAY_NAME,
            "type": "live",
            "started_at": format_time(now),
        },
        source=Source.EVENTSUB,
    )
