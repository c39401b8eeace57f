"""RSS of the streams that started, of all streamers or of one."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from flask import Response, request, url_for

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api import rss_document
from streamwatch.api.arguments import FeedQuery, TagQuery
from streamwatch.api.auth import KEY_PARAMETER
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services, tagged
from streamwatch.api.responses import revalidated
from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.services.errors import NotMonitored

log = logging.getLogger(__name__)

blueprint = Blueprint("rss", __name__, url_prefix="/feeds", description="RSS feeds of streams.")

RSS = "application/rss+xml"


class TaggedFeedQuery(FeedQuery, TagQuery):
    pass


@dataclass(frozen=True, slots=True)
class StreamDetails:
    """The last known title and category of a stream, and when they were read."""

    title: str | None
    category: str | None
    updated_at: datetime


@blueprint.get("/live.rss")
@blueprint.arguments(TaggedFeedQuery, location="query")
@blueprint.response(200, {"type": "string"}, description="RSS 2.0", content_type=RSS)
@blueprint.problems(503)
def live_rss(query: dict[str, Any]) -> Response:
    """Get the newest streams of all streamers as RSS

    Lists the streams of all streamers, or of those with a tag, the newest start first.
    """
    tag = query["tag"]
    events = services().events.of_type(EventType.ONLINE, query["limit"], user_ids=tagged(tag))
    return _response(
        f"StreamWatch: live streams of {tag}" if tag else "StreamWatch: live streams",
        f"Streams of the streamers with the tag {tag}."
        if tag
        else "Streams of all monitored streamers.",
        url_for("dashboard.show_live", _external=True),
        events,
    )


@blueprint.get("/streamer/<login:username>.rss")
@blueprint.arguments(FeedQuery, location="query")
@blueprint.response(200, {"type": "string"}, description="RSS 2.0", content_type=RSS)
@blueprint.problems(404, 503)
def streamer_rss(query: dict[str, int], username: str) -> Response:
    """Get the newest streams of a streamer as RSS

    Lists the newest start first.
    """
    history, login = services().events, username.lower()
    events = history.of_streamer(login, query["limit"], event_type=EventType.ONLINE)
    if not events and not history.of_streamer(login, 1) and not services().streamers.find(login):
        raise NotMonitored(login)
    name = events[0].broadcaster_name if events else username
    return _response(
        f"{name} on Twitch",
        f"Streams of {name}.",
        url_for("dashboard.show_streamer", login=login, _external=True),
        events,
    )


def _response(title: str, description: str, link: str, events: Sequence[StreamEvent]) -> Response:
    details = _details(events)
    items = [_item(event, details.get(event.stream_id or "")) for event in events]
    body = rss_document.document(
        title=title, description=description, url=_own_url(), link=link, items=items
    )
    response = Response(body, content_type=RSS)
    times = chain(
        (event.timestamp for event in events), (known.updated_at for known in details.values())
    )
    response.last_modified = max(times, default=None)
    return revalidated(response)


def _item(event: StreamEvent, details: StreamDetails | None) -> rss_document.Item:
    category = details.category if details else None
    started = f"{event.broadcaster_name} went live"
    return rss_document.Item(
        id=event.id,
        title=f"{started}: {category}" if category else started,
        link=f"https://www.twitch.tv/{event.broadcaster_login}",
        description=(details and details.title) or f"{started}.",
        at=event.timestamp,
        category=category,
    )


def _details(events: Sequence[StreamEvent]) -> dict[str, StreamDetails]:
    """The details of the streams of these events, by stream id. Those of live streams are in the
    status, those of ended ones in the analytics: without these, items have no title or category."""
    wanted = {event.stream_id for event in events if event.stream_id}
    found = {
        live.stream.id: StreamDetails(
            live.stream.title, live.stream.game_name, live.status.last_updated
        )
        for live in services().live_directory.find()
        if live.stream.id in wanted
    }
    if ended := wanted - found.keys():
        try:
            found.update(_recorded_details(ended))
        except AnalyticsUnavailable as error:
            log.warning("RSS without the titles of ended streams: %s", error)
    return found


def _recorded_details(stream_ids: Collection[str]) -> dict[str, StreamDetails]:
    """The details of streams in the analytics, by stream id."""
    return {
        session.stream_id: StreamDetails(shown.title, shown.category_name, session.seen_at)
        for session in services().analytics_queries.sessions_of_streams(stream_ids)
        if (shown := session.shown)
    }


def _own_url() -> str:
    """The URL of this feed, without the reader's key."""
    arguments = [
        (name, value) for name, value in request.args.items(multi=True) if name != KEY_PARAMETER
    ]
    return url_for(
        request.endpoint or "", _external=True, **dict(request.view_args or {}), **dict(arguments)
    )
