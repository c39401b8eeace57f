"""In with a key, and out."""

from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from streamwatch.api.auth import is_key
from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.login_session import close_session, current_session, open_session


@blueprint.get("/login")
def log_in() -> str:
    return render_template("dashboard/login.html", wanted=_wanted(request.args.get("next")))


@blueprint.post("/login")
def check_key() -> Response | tuple[str, int]:
    settings, key = services().settings, request.form.get("key", "").strip()
    wanted = _wanted(request.form.get("next"))
    if not settings.api_keys:
        raise Forbidden("There is no key to log in with: set API_KEY.")
    if not is_key(key, settings.api_keys):
        page = render_template("dashboard/login.html", wanted=wanted, is_wrong=True)
        return page, HTTPStatus.FORBIDDEN
    response = redirect(wanted, HTTPStatus.SEE_OTHER)
    open_session(response, key, settings)
    return response


@blueprint.post("/logout")
def log_out() -> Response:
    session = current_session(services().settings)
    if session and not session.covers_request():
        raise Forbidden("This form was not sent from here.")
    response = redirect(url_for("dashboard.log_in"), HTTPStatus.SEE_OTHER)
    close_session(response)
    return response


def _wanted(page: str | None) -> str:
    """A page of ours to go to after the login, whatever a link says."""
    ours = url_for("dashboard.show_live")
    return page if page and page.startswith(ours) else ours
