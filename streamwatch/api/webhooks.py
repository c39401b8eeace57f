"""Where Twitch calls. The body is signed as bytes, and no schema comes before the signature."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from apispec import APISpec
from flask import Blueprint, Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

from streamwatch.api.body import read_body
from streamwatch.api.counting import ROUTE
from streamwatch.domain.eventsub import (
    HEADERS,
    MAX_BODY_BYTES,
    MESSAGE_ID,
    ForgedMessage,
    MalformedMessage,
    StaleMessage,
)
from streamwatch.services.ingestion.receiver import Outcome, Received
from streamwatch.settings import WEBHOOK_PATH
from streamwatch.storage.base import StorageUnavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from streamwatch.bootstrap import Services

log = logging.getLogger(__name__)

blueprint = Blueprint("webhooks", __name__)

REFUSALS: dict[type[Exception], str] = {
    ForgedMessage: "refused:forged",
    StaleMessage: "refused:stale",
    MalformedMessage: "refused:malformed",
    RequestEntityTooLarge: "refused:too_large",
    StorageUnavailable: "unavailable",
}
"""The outcomes of messages that are answered with an error, beside those of `ingest.Outcome`."""

OUTCOMES = (*(outcome.value for outcome in Outcome), *REFUSALS.values())
"""All that can become of a message."""


_VARIABLES = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in HEADERS}
"""What WSGI calls the headers."""

_REFUSED = "streamwatch.refused"
"""In the environment: why a message was not taken."""


def register(app: Flask, services: "Services") -> None:
    """Let messages be taken before `app` sees them."""
    app.wsgi_app = _Receiver(app.wsgi_app, services)  # type: ignore[method-assign]  # Flask's way
    app.register_blueprint(blueprint)


@blueprint.post(WEBHOOK_PATH)
def refuse() -> NoReturn:
    """Answer a message that was not taken like every other request that cannot be met."""
    raise request.environ[_REFUSED]


class _Receiver:
    """Takes EventSub messages: 2xx once what one says is stored for good. It stands before Flask,
    whose way in and out took a third of a message's time (docs/decisions, 9); whatever else there
    is to answer is Flask's."""

    def __init__(self, app: "WSGIApplication", services: "Services") -> None:
        self._app = app
        self._ingest = services.receiver
        self._outcomes = services.message_counters

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] != WEBHOOK_PATH or environ["REQUEST_METHOD"] != "POST":
            return self._app(environ, start_response)
        try:
            received = self._receive(environ)
        except Exception as error:  # noqa: BLE001  Flask answers it, and logs what nobody expected
            self._tell(error, environ)
            environ[_REFUSED] = error
            return self._app(environ, start_response)
        environ[ROUTE] = WEBHOOK_PATH
        if received.challenge is None:
            start_response("204 No Content", [])
            return []
        challenge = received.challenge.encode()
        length = str(len(challenge))
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", length)])
        return [challenge]

    def _receive(self, environ: "WSGIEnvironment") -> Received:
        body = read_body(environ, MAX_BODY_BYTES)
        headers = {name: environ.get(variable, "") for name, variable in _VARIABLES.items()}
        received = self._ingest.receive(headers, body)
        self._outcomes.count(received.outcome)
        return received

    def _tell(self, error: Exception, environ: "WSGIEnvironment") -> None:
        outcome = REFUSALS.get(type(error))
        if outcome is None:
            return
        self._outcomes.count(outcome)
        message_id = environ.get(_VARIABLES[MESSAGE_ID], "")
        log.warning(
            "Webhook message %s: %s", outcome, error, extra={"message_id": ascii(message_id[:64])}
        )


def _header(name: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": f"Twitch-Eventsub-{name}",
        "in": "header",
        "required": True,
        "schema": {"type": "string", **schema},
    }


_OPERATION: dict[str, Any] = {
    "tags": [blueprint.name],
    "summary": "Take an EventSub message",
    "description": "For Twitch alone. A 2xx is a promise that what the message says is kept; the"
    " same message again changes nothing.",
    "parameters": [
        _header("Message-Id", maxLength=256),
        _header(
            "Message-Type",
            examples=["notification", "webhook_callback_verification", "revocation"],
        ),
        _header("Message-Timestamp", format="date-time"),
        _header("Message-Signature", pattern="^sha256=[0-9a-f]{64}$"),
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
    "responses": {
        "200": {
            "description": "The challenge of a verification",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        "204": {"description": "Kept, or nothing to keep"},
        "400": "BAD_REQUEST",
        "403": "FORBIDDEN",
        "413": "REQUEST_ENTITY_TOO_LARGE",
        "503": "SERVICE_UNAVAILABLE",
    },
}


def document(spec: APISpec, app: Flask) -> None:
    """Put this path of `app` into `spec`, as flask-smorest does with the others."""
    spec.tag({"name": blueprint.name, "description": "Where Twitch calls."})
    [rule] = app.url_map.iter_rules(f"{blueprint.name}.{refuse.__name__}")
    spec.path(rule=rule, operations={"post": _OPERATION})
