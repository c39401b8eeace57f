"""Where Twitch calls. A plain blueprint: the body is signed as bytes, and no schema comes before
the signature."""

import logging
from typing import Any

from apispec import APISpec
from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from streamwatch.api.body import read_body
from streamwatch.api.context import services
from streamwatch.domain.eventsub import (
    HEADERS,
    MAX_BODY_BYTES,
    MESSAGE_ID,
    ForgedMessage,
    MalformedMessage,
    StaleMessage,
)
from streamwatch.services.ingest import Outcome
from streamwatch.settings import WEBHOOK_PATH
from streamwatch.storage.base import StorageUnavailable

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


@blueprint.post(WEBHOOK_PATH)
def receive() -> Response:
    """Take one EventSub message: 2xx once what it says is stored for good."""
    try:
        headers = {name: request.headers.get(name, "") for name in HEADERS}
        received = services().ingest.receive(headers, read_body(MAX_BODY_BYTES))
    except tuple(REFUSALS) as error:
        _settle(REFUSALS[type(error)], error)
        raise
    _settle(received.outcome)
    if received.challenge is not None:
        return Response(received.challenge, content_type="text/plain")
    return Response(status=204)


def _settle(outcome: str, error: Exception | None = None) -> None:
    """The one place that knows what became of each message."""
    services().messages.count(outcome)
    if error is not None:
        message_id = request.headers.get(MESSAGE_ID, "")
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
    [rule] = app.url_map.iter_rules(f"{blueprint.name}.{receive.__name__}")
    spec.path(rule=rule, operations={"post": _OPERATION})
