"""Error pages. A visitor without a session is redirected to the login."""

import logging
from functools import partial
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, NotFound, Unauthorized
from werkzeug.wrappers import Response

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.login_session import SAFE_METHODS
from streamwatch.domain.eventsub import LOGIN
from streamwatch.problems import PROBLEMS, ProblemSpec
from streamwatch.services.errors import UnknownStreamer
from streamwatch.twitch.base import TwitchNotConfigured

log = logging.getLogger(__name__)

Page = tuple[str, int, dict[str, str]]


@blueprint.errorhandler(Unauthorized)
def redirect_to_login(_: Unauthorized) -> Response:
    """After the login the visitor is on the requested page, or on the page of the form that was
    sent. The form has to be sent again, and the login page says so."""
    if request.method in SAFE_METHODS:
        target = url_for("dashboard.log_in", next=request.full_path.rstrip("?"))
    else:
        target = url_for("dashboard.log_in", next=_referring_page(), unsaved=1)
    return redirect(target, HTTPStatus.SEE_OTHER)


def _referring_page() -> str | None:
    """The path and query of the page of this site that sent the request, if its browser says so.
    The login redirects to pages of the dashboard only."""
    try:
        page = urlsplit(request.referrer or "")
    except ValueError:  # no URL, for example "http://["
        return None
    if page.netloc != request.host:
        return None
    return f"{page.path}?{page.query}" if page.query else page.path


@blueprint.get("/<path:_>")
def show_not_found(_: str) -> NoReturn:
    """Unknown paths below the dashboard get its error page, not the API's problem document."""
    raise NotFound("The dashboard has no page at this address.")


@blueprint.errorhandler(HTTPException)
def show_http_error(error: HTTPException) -> Page:
    """Errors that Werkzeug raises, and unexpected exceptions as a 500 without their text: Flask
    has logged them."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    title = "Page not found" if status is HTTPStatus.NOT_FOUND else status.phrase
    return _page(status, error.description or status.description, title)


@blueprint.errorhandler(UnknownStreamer)
def show_unknown_streamer(error: UnknownStreamer) -> Page:
    """The page of a streamer who is not monitored, with a button to add the streamer."""
    text = render_template(
        "dashboard/unknown_streamer.html",
        login=error.login,
        is_login=LOGIN.fullmatch(error.login) is not None,
    )
    return text, HTTPStatus.NOT_FOUND, {}


def _show_service_error(spec: ProblemSpec, error: Exception) -> Page:
    log.warning("Page %s: %s: %s", request.url_rule, type(error).__name__, error)
    retry_after = spec.retry_after_seconds(error)
    return _page(
        spec.status,
        spec.detail or str(error),
        spec.status.phrase,
        retry_after,
        lacks_credentials=isinstance(error, TwitchNotConfigured),
    )


def _page(
    status: HTTPStatus,
    detail: str,
    title: str,
    retry_after: int | None = None,
    *,
    lacks_credentials: bool = False,
) -> Page:
    text = render_template(
        "dashboard/error.html",
        status=status,
        detail=detail,
        title=title,
        has_keys=bool(services().settings.api_keys),
        lacks_credentials=lacks_credentials,
        can_enter_credentials=services().setup.can_store,
    )
    return text, status, {"Retry-After": str(retry_after)} if retry_after else {}


for _error, _spec in PROBLEMS.items():
    if _error is not UnknownStreamer:
        blueprint.register_error_handler(_error, partial(_show_service_error, _spec))
