"""The set-up page of a first run: Twitch credentials, streamers to watch, whether events arrive."""

import re
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import add_outcomes, lookup, summarized_outcomes
from streamwatch.dashboard.login_session import current_session
from streamwatch.domain.logins import MAX_LOGINS_AT_ONCE, split_entries
from streamwatch.services.monitoring.twitch_state import TwitchState
from streamwatch.services.setup import CredentialSource
from streamwatch.twitch.base import TwitchDenied, TwitchError

_SKIPPED_COOKIE = "setup-skipped"
"""Set until the browser is closed."""

_MAX_FILE_BYTES = 100_000
_CREDENTIAL = re.compile(r"[A-Za-z0-9]{10,100}", re.ASCII)


@blueprint.before_request
def _redirect_to_setup() -> Response | None:
    """Show the set-up page instead of an empty start page, unless the visitor skipped it."""
    is_start = request.endpoint == "dashboard.show_live" and request.method == "GET"
    if not is_start or not services().setup.is_needed:
        return None
    if "setup" in request.args:
        response = redirect(url_for("dashboard.show_live"))
        response.set_cookie(
            _SKIPPED_COOKIE, "1", path=url_for("dashboard.show_live"), samesite="Lax"
        )
        return response
    is_skipped = _SKIPPED_COOKIE in request.cookies
    return None if is_skipped else redirect(url_for("dashboard.show_setup"))


@blueprint.get("/setup")
def show_setup() -> str:
    return _page()


@blueprint.post("/setup/credentials")
def store_credentials() -> Response | tuple[str, int]:
    """Check the credentials with Twitch, and store them."""
    _check_token()
    setup = services().setup
    if not _may_enter_credentials():
        raise Forbidden("Log in with a key of API_KEY to enter the Twitch credentials.")
    if not setup.can_store:
        raise Forbidden("The Twitch credentials can only be set by the environment or .env.")
    client_id = request.form.get("client_id", "").strip()
    client_secret = request.form.get("client_secret", "").strip()
    fault = _store(client_id, client_secret)
    if fault:
        page = _page(fault=fault, client_id=client_id[:100])
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("dashboard.show_setup"), HTTPStatus.SEE_OTHER)


@blueprint.post("/setup/streamers")
def add_pasted_streamers() -> str | tuple[str, int]:
    """Monitor the streamers whose names or links were pasted or are in a file. Names that could not
    be looked up remain in the form, to be sent again.

    It needs a key where `POST /streamers` needs one.
    """
    _check_token()
    text = request.form.get("logins", "")
    file = request.files.get("file")
    if file is not None:
        text += "\n" + file.stream.read(_MAX_FILE_BYTES).decode("utf-8", "replace")
    if len(split_entries(text)) > MAX_LOGINS_AT_ONCE:
        fault = f"At most {MAX_LOGINS_AT_ONCE} names can be added at once."
        page = _page(add_fault=fault, pasted=request.form.get("logins", ""))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        outcomes = add_outcomes(text)
    except TwitchDenied as error:
        page = _page(add_fault=str(error), pasted=text.strip())
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    return _page(result=summarized_outcomes(outcomes), pasted="\n".join(outcomes["failed"]))


def _store(client_id: str, client_secret: str) -> str:
    """Check the credentials with Twitch, and store them. Returns why they were not stored; "" if
    they were."""
    if not _CREDENTIAL.fullmatch(client_id) or not _CREDENTIAL.fullmatch(client_secret):
        return "A client id and a client secret consist of letters and digits, usually 30."
    try:
        with lookup():
            services().setup.store(client_id, client_secret)
    except TwitchDenied:
        return (
            "Twitch does not accept this id and secret. Copy them again from the Twitch developer"
            " console, or make a new secret there."
        )
    except TwitchError as error:
        return f"The check with Twitch failed: {error}"
    except OSError as error:
        return f"The credentials could not be stored in DATA_DIR ({error.strerror})."
    return ""


def _page(**more: Any) -> str:
    setup, streamers = services().setup, services().streamers.all()
    return render_template(
        "dashboard/setup.html",
        source=setup.source,
        is_refused=services().health.check().twitch == TwitchState.REFUSED,
        sources=CredentialSource,
        can_store=setup.can_store,
        may_enter=_may_enter_credentials(),
        transport=services().settings.transport,
        count=len(streamers),
        subscribed=sum(streamer.is_active for streamer in streamers),
        **more,
    )


def _may_enter_credentials() -> bool:
    """Whether the visitor may enter credentials: with a login, and without one where only this
    machine reaches the page, for as long as there are no credentials."""
    settings = services().settings
    if current_session(settings) is not None:
        return True
    return settings.serves_this_machine_only and not settings.has_twitch_credentials


def _check_token() -> None:
    """Refuse a form that another site sent in the name of a session."""
    session = current_session(services().settings)
    if session is not None and not session.covers_request():
        raise Forbidden("This form was not sent from the dashboard.")
