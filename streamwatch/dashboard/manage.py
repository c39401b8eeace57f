"""The operator's pages. `api.auth` requires a login, and the session's token with forms."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import add_result, add_streamers_from, page_of
from streamwatch.dashboard.settings_table import OPENNESS, key_table, settings_table
from streamwatch.domain.logins import split_entries
from streamwatch.domain.tags import InvalidTags
from streamwatch.services.streamer_directory import matches
from streamwatch.services.subscriptions.result import OUTCOME_MESSAGES

STREAMERS_PER_PAGE = 50


@blueprint.get("/manage")
def manage() -> str:
    return manage_page(result=add_result())


def manage_page(result: dict[str, str], import_faults: Sequence[str] = ()) -> str:
    """The page with the outcome of a form: `result` as of `add_result`, and the lines of an import
    that could not be used."""
    search = request.args.get("q", "").strip()
    matching = [streamer for streamer in services().streamers.all() if matches(streamer, search)]
    found = page_of(matching, STREAMERS_PER_PAGE)
    subscribes = services().subscriptions.is_enabled
    return render_template(
        "dashboard/manage.html",
        found=found,
        live={item.status.user_id for item in services().live_directory.find()},
        subscribes=subscribes,
        # The page polls its own address, and that of a form cannot be read.
        is_pending=request.method == "GET"
        and subscribes
        and not all(streamer.is_active for streamer in found.items),
        search=search,
        result=result,
        removed=request.args.get("removed"),
        import_faults=import_faults,
        tagged=request.args.get("tagged"),
        wrong_tags=request.args.get("wrong_tags"),
    )


@blueprint.post("/manage/streamers")
def add_streamers() -> Response:
    result = add_streamers_from(request.form.get("logins", ""))
    return redirect(f"{url_for('dashboard.manage')}?{urlencode(result)}", HTTPStatus.SEE_OTHER)


@blueprint.post("/manage/streamers/<login>/tags")
def set_tags(login: str) -> Response:
    """Replace the tags of a streamer, and go back to the same page of the list."""
    tags = split_entries(request.form.get("tags", "").lower())
    try:
        services().streamers.set_tags(login, tags)
        outcome = {"tagged": login}
    except InvalidTags as error:
        outcome = {"wrong_tags": str(error)}
    place = {name: value for name in ("q", "page") if (value := request.form.get(name, ""))}
    target = f"{url_for('dashboard.manage')}?{urlencode(place | outcome)}"
    return redirect(target, HTTPStatus.SEE_OTHER)


@blueprint.post("/manage/streamers/<login>/remove")
def remove_streamer(login: str) -> Response:
    services().streamers.remove(login)
    return redirect(url_for("dashboard.manage", removed=login), HTTPStatus.SEE_OTHER)


@blueprint.get("/manage/subscriptions")
def show_subscriptions() -> str:
    return _subscriptions()


@blueprint.post("/manage/subscriptions/verify")
def verify_subscriptions() -> str:
    result = services().subscriptions.reconcile()
    return _subscriptions(result=result, message=OUTCOME_MESSAGES[result.status])


def _subscriptions(**context: Any) -> str:
    listing = services().subscriptions.listing()
    return render_template(
        "dashboard/subscriptions.html",
        listing=listing,
        statuses=Counter(subscription.status for subscription in listing.ours).most_common(),
        unhealthy=[subscription for subscription in listing.ours if not subscription.is_enabled],
        names={streamer.user_id: streamer.display_name for streamer in services().streamers.all()},
        settings=services().settings,
        **context,
    )


@blueprint.get("/manage/settings")
def show_settings() -> str:
    settings = services().settings
    return render_template(
        "dashboard/settings.html",
        rows=settings_table(settings),
        keys=key_table(settings),
        openness=OPENNESS[settings.require_api_key],
    )
