"""The page of all monitored streamers."""

from collections.abc import Sequence

from flask import render_template, request

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api.context import services
from streamwatch.dashboard import preferences
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import page_of
from streamwatch.domain.times import utc_now
from streamwatch.domain.usual_times import PERIOD, UsualTime, usual_time
from streamwatch.services.streamer_directory import DirectoryEntry, State

STREAMERS_PER_PAGE = 50


@blueprint.get("/streamers")
def show_streamers() -> str:
    position = services().broadcaster.position()  # before all that the page shows
    query = request.args
    search, tag = query.get("q", ""), query.get("tag", "")
    state = State(query["state"]) if query.get("state") in set(State) else State.ALL
    directory = services().streamer_directory
    found = page_of(directory.entries(search, tag, state), STREAMERS_PER_PAGE)
    return render_template(
        "dashboard/streamers.html",
        position=position,
        found=found,
        usual=_usual_times(found.items),
        monitored=len(services().streamers.all()),
        search=search,
        tag=tag,
        tags=directory.tags(),
        state=state,
        states=list(State),
    )


def _usual_times(entries: Sequence[DirectoryEntry]) -> dict[str, UsualTime]:
    """When the streamers of one page usually go live, by user id. Empty without analytics."""
    now, zone = utc_now(), preferences.zone()
    found: dict[str, UsualTime] = {}
    for entry in entries:
        if not entry.last_live_at or entry.last_live_at < now - PERIOD:
            continue
        try:
            starts = services().profiles.starts_since(entry.streamer.user_id, now - PERIOD)
        except AnalyticsUnavailable:
            return found
        usual = usual_time(starts, now, zone)
        if usual:
            found[entry.streamer.user_id] = usual
    return found
