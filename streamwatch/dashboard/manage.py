"""For the operator. `api.auth` lets nobody here without a key, nor a form without its token."""

from collections import Counter
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from streamwatch.api.admin import MESSAGES
from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import added_streamers, page_of

STREAMERS_A_PAGE = 50


@blueprint.get("/manage")
def manage() -> str:
    return _streamers()


@blueprint.post("/manage/streamers")
def add_streamers() -> str:
    return _streamers(**added_streamers())


@blueprint.post("/manage/streamers/<login>/remove")
def remove_streamer(login: str) -> Response:
    services().streamers.remove(login)
    return redirect(url_for("dashboard.manage", removed=login), HTTPStatus.SEE_OTHER)


def _streamers(**more: Any) -> str:
    search = request.args.get("q", "").strip().casefold()
    found = [
        one
        for one in services().streamers.all()
        if search in one.login or search in one.display_name.casefold()
    ]
    return render_template(
        "dashboard/manage.html",
        found=page_of(found, STREAMERS_A_PAGE),
        live={status.user_id for status in services().status.live()},
        subscribes=services().subscriptions.is_enabled,
        search=search,
        **more,
    )


@blueprint.get("/manage/subscriptions")
def show_subscriptions() -> str:
    return _subscriptions()


@blueprint.post("/manage/subscriptions/verify")
def verify_subscriptions() -> str:
    result = services().subscriptions.reconcile()
    return _subscriptions(result=result, message=MESSAGES[result.status])


def _subscriptions(**more: Any) -> str:
    listed = services().subscriptions.listing()
    return render_template(
        "dashboard/subscriptions.html",
        listed=listed,
        statuses=Counter(one.status for one in listed.ours).most_common(),
        unhealthy=[one for one in listed.ours if not one.is_enabled],
        names={one.user_id: one.display_name for one in services().streamers.all()},
        **more,
    )


@blueprint.get("/manage/diagnostics")
def show_diagnostics() -> str:
    return render_template(
        "dashboard/diagnostics.html",
        diagnosis=services().diagnostics.diagnose(),
        health=services().health.check(),
    )
