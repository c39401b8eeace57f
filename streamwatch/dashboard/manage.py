"""The operator's pages. `api.auth` requires a login, and the session's token with forms."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import add_result, add_streamers_from, page_of
from streamwatch.dashboard.settings_table import OPENNESS, key_table, settings_table
from streamwatch.domain.eventsub import LOGIN
from streamwatch.domain.logins import split_entries
from streamwatch.domain.tags import InvalidTags
from streamwatch.services.streamer_directory import matches
from streamwatch.services.subscriptions.result import OUTCOME_MESSAGES, Outcome, Reconciliation

STREAMERS_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class RefusedTags:
    """A `text` of tags that was refused for the streamer `login`, and the reason."""

    login: str
    text: str
    fault: str


@blueprint.get("/manage")
def manage() -> str:
    return manage_page(result=add_result())


def manage_page(
    result: Mapping[str, str],
    import_faults: Sequence[str] = (),
    refused_tags: RefusedTags | None = None,
) -> str:
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
        # The page polls its own URL. That of a form answers no GET.
        is_pending=request.method == "GET"
        and subscribes
        and not all(streamer.is_active for streamer in found.items),
        search=search,
        result=result,
        removed=_login_argument("removed"),
        import_faults=import_faults,
        tagged=_login_argument("tagged"),
        refused_tags=refused_tags,
    )


def _login_argument(name: str) -> str | None:
    """A login in the query of a redirect. A link to the page cannot show any other text."""
    login = request.args.get(name, "")
    return login if LOGIN.fullmatch(login) else None


@blueprint.post("/manage/streamers")
def add_streamers() -> Response:
    result = add_streamers_from(request.form.get("logins", ""))
    return redirect(f"{url_for('dashboard.manage')}?{urlencode(result)}", HTTPStatus.SEE_OTHER)


@blueprint.post("/manage/streamers/<login>/tags")
def set_tags(login: str) -> Response | tuple[str, HTTPStatus]:
    """Replace the tags of a streamer, and go back to the page of the list that the query names.
    Tags that are refused remain in the form, to be corrected."""
    text = request.form.get("tags", "")
    try:
        services().streamers.set_tags(login, split_entries(text.lower()))
    except InvalidTags as error:
        page = manage_page({}, refused_tags=RefusedTags(login, text, str(error)))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    return _redirect_to_list(tagged=login)


@blueprint.post("/manage/streamers/<login>/remove")
def remove_streamer(login: str) -> Response:
    """Stop monitoring a streamer, and go back to the page of the list that the query names."""
    services().streamers.remove(login)
    return _redirect_to_list(removed=login)


def _redirect_to_list(**result: str) -> Response:
    place = {name: value for name in ("q", "page") if (value := request.args.get(name))}
    target = f"{url_for('dashboard.manage')}?{urlencode(place | result)}"
    return redirect(target, HTTPStatus.SEE_OTHER)


@blueprint.get("/manage/subscriptions")
def show_subscriptions() -> str:
    result = _verification()
    listing = services().subscriptions.listing()
    return render_template(
        "dashboard/subscriptions.html",
        listing=listing,
        statuses=Counter(subscription.status for subscription in listing.ours).most_common(),
        unhealthy=[subscription for subscription in listing.ours if not subscription.is_enabled],
        names={streamer.user_id: streamer.display_name for streamer in services().streamers.all()},
        settings=services().settings,
        result=result,
        message=OUTCOME_MESSAGES[result.status] if result else None,
    )


@blueprint.post("/manage/subscriptions/verify")
def verify_subscriptions() -> Response:
    result = services().subscriptions.reconcile()
    target = url_for("dashboard.show_subscriptions", **asdict(result))
    return redirect(target, HTTPStatus.SEE_OTHER)


def _verification() -> Reconciliation | None:
    """The result of a verification, in the query of the redirect."""
    query = request.args
    if query.get("status") not in set(Outcome):
        return None
    names = ("checked", "healthy", "created", "deleted", "failed")
    counts = {name: query.get(name, 0, int) for name in names}
    return Reconciliation(Outcome(query["status"]), **counts)


@blueprint.get("/manage/settings")
def show_settings() -> str:
    settings = services().settings
    return render_template(
        "dashboard/settings.html",
        rows=settings_table(settings),
        keys=key_table(settings),
        openness=OPENNESS[settings.require_api_key],
    )
