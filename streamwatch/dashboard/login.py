"""Logging in with an API key, and logging out."""

import logging
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from streamwatch.api.context import client_address, services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.login_session import close_session, current_session, open_session
from streamwatch.services.api_keys import is_key
from streamwatch.settings import Origin

log = logging.getLogger(__name__)


@blueprint.get("/login")
def log_in() -> str:
    return _login_page(_destination(request.args.get("next")), is_unsaved="unsaved" in request.args)


@blueprint.post("/login")
def check_key() -> Response | tuple[str, int]:
    settings, key = services().settings, request.form.get("key", "").strip()
    destination = _destination(request.form.get("next"))
    if not settings.api_keys:
        raise Forbidden("There is no key to log in with: set API_KEY.")
    services().rate_limits.login(client_address())
    if not is_key(key, settings.api_keys):
        log.warning("A login with a wrong key from %s was refused", request.remote_addr)
        return _login_page(destination, is_wrong=True), HTTPStatus.FORBIDDEN
    response = redirect(destination, HTTPStatus.SEE_OTHER)
    open_session(response, key, settings)
    return response


@blueprint.post("/logout")
def log_out() -> Response:
    session = current_session(services().settings)
    if session and not session.covers_request():
        raise Forbidden("This form was not sent from the dashboard.")
    response = redirect(url_for("dashboard.log_in"), HTTPStatus.SEE_OTHER)
    close_session(response)
    return response


def _login_page(destination: str, *, is_wrong: bool = False, is_unsaved: bool = False) -> str:
    origin = services().settings.origin("API_KEY")
    return render_template(
        "dashboard/login.html",
        destination=destination,
        is_wrong=is_wrong,
        is_unsaved=is_unsaved,
        is_stored=origin is Origin.STORED,
        is_generated=origin is Origin.GENERATED,
    )


def _destination(page: str | None) -> str:
    """The page after the login: `page` if it is one of the dashboard, else the start page. A link
    to the login cannot lead to another site, nor write a header by a line break."""
    start = url_for("dashboard.show_live")
    is_ours = page is not None and page.startswith(start) and page.isprintable()
    return page if page and is_ours else start
