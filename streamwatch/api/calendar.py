"""A streamer's streams as a calendar (RFC 5545)."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Response

from streamwatch.api.arguments import FeedQuery
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.responses import revalidated
from streamwatch.domain.sessions import StreamSession
from streamwatch.services.errors import UnknownStreamer

if TYPE_CHECKING:
    from icalendar import Event

blueprint = Blueprint(
    "calendar", __name__, url_prefix="/feeds", description="Calendars of streams."
)

ICS = "text/calendar; charset=utf-8"

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Not allowed in a text of RFC 5545, and a title on Twitch may have them."""


@blueprint.get("/streamer/<login:username>.ics")
@blueprint.arguments(FeedQuery, location="query")
@blueprint.response(200, {"type": "string"}, description="iCalendar", content_type=ICS)
@blueprint.problems(404, 503)
def streamer_ics(query: dict[str, int], username: str) -> Response:
    """Get the newest streams of a streamer as a calendar

    The calendar (iCalendar) has an entry for each stream.
    """
    from icalendar import Calendar  # noqa: PLC0415  takes 3 MB of memory, which few processes need

    name, sessions = _sessions(username, query["limit"])
    calendar = Calendar()
    calendar.add("prodid", "-//StreamWatch//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _text(f"{name} on Twitch"))
    for session in sessions:
        calendar.add_component(_event(session))
    return revalidated(Response(calendar.to_ical(), content_type=ICS))


def _sessions(login: str, limit: int) -> tuple[str, list[StreamSession]]:
    """The streamer's name and newest sessions; a monitored streamer may have none yet."""
    try:
        stats = services().analytics_queries.stats(login)
    except UnknownStreamer:
        monitored = services().streamers.find(login)
        if monitored is None:
            raise
        return monitored.display_name, []
    sessions = services().analytics_queries.sessions(stats, limit)
    return stats.identity.latest_name.name, sessions


def _event(session: StreamSession) -> "Event":
    """The calendar's event of a session; an ongoing one ends when it was last seen.

    One that lasts less than a second has no DTEND, which must be later than DTSTART (RFC 5545,
    3.8.2.2).
    """
    from icalendar import Event  # noqa: PLC0415  see above

    sums, shown = session.sample_totals.sums, session.shown
    event = Event()
    event.add("uid", f"{session.stream_id}@streamwatch")
    event.add("dtstamp", session.seen_at)
    event.add("dtstart", session.started_at)
    ended_at = session.ended_at or session.seen_at
    if ended_at - session.started_at >= timedelta(seconds=1):
        event.add("dtend", ended_at)
    title = session.title
    name = session.broadcaster_name
    event.add("summary", _text(f"{name}: {title}" if title else name))
    if sums.average is not None:
        event.add(
            "description", f"{sums.average:,.0f} viewers on average, {sums.max_viewers:,} at most."
        )
    if shown and shown.category_name:
        event.add("categories", [_text(shown.category_name)])
    event.add("url", f"https://www.twitch.tv/{session.broadcaster_login}")
    return event


def _text(text: str) -> str:
    return _CONTROL_CHARACTERS.sub("", text)
