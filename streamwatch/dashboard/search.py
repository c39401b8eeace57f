"""Search across the dashboard: streamers, categories that are live, and pages."""

from flask import render_template, request, url_for

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint

MAX_RESULTS = 8
"""Results of each kind."""

PAGES = {
    "Live now": "dashboard.show_live",
    "Streamers": "dashboard.show_streamers",
    "Top": "dashboard.show_top",
    "Compare": "dashboard.compare",
    "Manage streamers": "dashboard.manage",
    "Notifications": "dashboard.show_notifications",
    "Subscriptions": "dashboard.show_subscriptions",
    "Diagnostics": "dashboard.show_diagnostics",
    "Settings": "dashboard.show_settings",
    "Set up": "dashboard.show_setup",
    "API documentation": "docs.page",
}


@blueprint.get("/search")
def search() -> str:
    text = request.args.get("q", "").strip()
    needle = text.casefold()
    categories = services().live_directory.find_with_totals().categories if needle else {}
    return render_template(
        "dashboard/search.html",
        text=text,
        streamers=services().streamer_directory.entries(text)[:MAX_RESULTS],
        categories=[
            (name, count) for name, count in categories.items() if needle in name.casefold()
        ][:MAX_RESULTS],
        pages=[
            (title, url_for(endpoint))
            for title, endpoint in PAGES.items()
            if needle in title.casefold()
        ],
    )
