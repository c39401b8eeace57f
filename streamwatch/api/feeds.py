"""Feeds for the readers and calendars that people have already."""

from collections.abc import Iterable, Iterator

from flask import Response, request, url_for
from icalendar import Calendar, Event

from streamwatch.api import rss
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.domain.models import EventType, Stream, StreamEvent
from streamwatch.domain.sessions import StreamSession
from streamwatch.services.errors import NotMonitored, UnknownStreamer

blueprint = Blueprint("feeds", __name__, url_prefix="/feeds", description="RSS and calendars.")

RSS = "application/rss+xml"
ICS = "text/calendar; charset=utf-8"
_ITEMS = 50
_SESSIONS = 200


@blueprint.get("/live.rss")
@blueprint.response(200, {"type": "string"}, description="RSS 2.0", content_type=RSS)
@blueprint.problems(503)
def live_rss() -> Response:
    """Who went live, as RSS

    The newest 50 streams of all streamers.
    """
    events = services().events.of_type(EventType.ONLINE, _ITEMS)
    return _rss("StreamWatch: who went live", "Streams of all monitored streamers.", events)


@blueprint.get("/streamer/<login:username>.rss")
@blueprint.response(200, {"type": "string"}, description="RSS 2.0", content_type=RSS)
@blueprint.problems(404, 503)
def streamer_rss(username: str) -> Response:
    """When a streamer went live, as RSS

    The newest 50 streams.
    """
    events = services().events.of_streamer(username, 2 * _ITEMS)
    if not events and services().streamers.find(username) is None:
        raise NotMonitored(username.lower())
    online = [event for event in events if event.event_type is EventType.ONLINE][:_ITEMS]
    name = events[0].broadcaster_name if events else username
    return _rss(f"{name} on Twitch", f"When {name} went live.", online)


@blueprint.get("/streamer/<login:username>.ics")
@blueprint.response(200, {"type": "string"}, description="iCalendar", content_type=ICS)
@blueprint.problems(404, 503)
def streamer_ics(username: str) -> Response:
    """A streamer's past streams, as a calendar

    The newest 200 (RFC 5545).
    """
    name, sessions = _past(username)
    calendar = Calendar()
    calendar.add("prodid", "-//StreamWatch//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{name} on Twitch")
    for session in sessions:
        calendar.add_component(_calendar_event(session))
    return as_feed(Response(calendar.to_ical(), content_type=ICS))


def _past(login: str) -> tuple[str, list[StreamSession]]:
    """The streamer's name and newest streams: none yet, of one who is monitored."""
    try:
        stats = services().analytics_queries.stats(login)
    except UnknownStreamer:
        monitored = services().streamers.find(login)
        if monitored is None:
            raise
        return monitored.display_name, []
    return stats.identity.latest_name.name, services().analytics_queries.sessions(login, _SESSIONS)[
        1
    ]


def _calendar_event(session: StreamSession) -> Event:
    """An ongoing stream lasts until it was last seen."""
    sums, last = session.sample_totals.sums, session.sample_totals.last
    event = Event()
    event.add("uid", f"{session.stream_id}@streamwatch")
    event.add("dtstamp", session.seen_at)
    event.add("dtstart", session.started_at)
    event.add("dtend", session.ended_at or session.seen_at)
    title = last.title if last else None
    event.add(
        "summary", f"{session.broadcaster_name}: {title}" if title else session.broadcaster_name
    )
    if sums.average is not None:
        event.add(
            "description", f"{sums.average:,.0f} viewers on average, {sums.max_viewers:,} at most."
        )
    if last and last.category_name:
        event.add("categories", [last.category_name])
    event.add("url", f"https://www.twitch.tv/{session.broadcaster_login}")
    return event


def _rss(title: str, description: str, events: Iterable[StreamEvent]) -> Response:
    body = rss.document(
        title=title,
        description=description,
        url=request.url,
        link=url_for("dashboard.show_live", _external=True),
        items=_items(events),
    )
    return as_feed(Response(body, content_type=RSS))


def _items(events: Iterable[StreamEvent]) -> Iterator[rss.Item]:
    """What a webhook says of a stream is little: more is known of those that are still on."""
    on = {status.stream.id: status.stream for status in services().status.live() if status.stream}
    for event in events:
        stream = on.get(event.stream_id or "")
        yield rss.Item(
            id=event.id,
            title=f"{event.broadcaster_name} went live" + _told(stream),
            link=f"https://www.twitch.tv/{event.broadcaster_login}",
            description=(stream and stream.title) or f"{event.broadcaster_name} went live.",
            at=event.timestamp,
            category=stream.game_name if stream else None,
        )


def _told(stream: Stream | None) -> str:
    return f": {stream.game_name}" if stream and stream.game_name else ""


def as_feed(response: Response) -> Response:
    """A reader asks every few minutes: it is told when nothing has changed."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
