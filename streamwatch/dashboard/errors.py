"""Errors as pages. Who has no session is sent to the login."""

import logging
from functools import partial
from http import HTTPStatus
from typing import NoReturn

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, NotFound, Unauthorized
from werkzeug.wrappers import Response

from streamwatch.api.errors import PROBLEMS, ProblemSpec
from streamwatch.dashboard.blueprint import blueprint

log = logging.getLogger(__name__)

Page = tuple[str, int, dict[str, str]]


@blueprint.errorhandler(Unauthorized)
def ask_to_log_in(_: Unauthorized) -> Response:
    """After the login they are where they wanted to be; a form has to be sent again."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("dashboard.log_in", next=wanted), HTTPStatus.SEE_OTHER)


@blueprint.get("/<path:_>")
def show_nowhere(_: str) -> NoReturn:
    """A page that is not there is told as a page."""
    raise NotFound


@blueprint.errorhandler(HTTPException)
def http_page(error: HTTPException) -> Page:
    """What Werkzeug raises. An exception that nobody expected comes here too, as a 500 without its
    text: Flask has logged it."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return _page(status, error.description or status.description)


def _typed_page(answer: ProblemSpec, error: Exception) -> Page:
    log.warning("Page %s: %s: %s", request.url_rule, type(error).__name__, error)
    return _page(answer.status, answer.detail or str(error), answer.retry_after)


def _page(status: HTTPStatus, detail: str, retry_after: int | None = None) -> Page:
    text = render_template("dashboard/error.html", status=status, detail=detail)
    return text, status, {"Retry-After": str(retry_after)} if retry_after else {}


for _error, _answer in PROBLEMS.items():
    blueprint.register_error_handler(_error, partial(_typed_page, _answer))
