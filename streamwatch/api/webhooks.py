"""The endpoint that Twitch's EventSub calls: `POST /webhooks/eventsub`.

The signature covers the raw bytes of the body, so the view reads them itself, and no schema
validates the request before the signature is checked.
"""

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
from streamwatch.services.ingestion.receiver import MessageOutcome
from streamwatch.settings import WEBHOOK_PATH
from streamwatch.storage.base import StorageUnavailable

log = logging.getLogger(__name__)

blueprint = Blueprint("webhooks", __name__)

REJECTIONS: dict[type[Exception], str] = {
    ForgedMessage: "refused:forged",
    StaleMessage: "refused:stale",
    MalformedMessage: "refused:malformed",
    RequestEntityTooLarge: "refused:too_large",
    StorageUnavailable: "unavailable",
}
"""The outcomes that are counted for messages answered with an error."""

OUTCOMES = (*(outcome.value for outcome in MessageOutcome), *REJECTIONS.values())
"""All outcomes that are counted."""


@blueprint.post(WEBHOOK_PATH)
def receive() -> Response:
    """Store one EventSub message; 2xx only once what it says is stored."""
    counters = services().message_counters
    headers = {name: request.headers.get(name, "") for name in HEADERS}
    try:
        body = read_body(request, MAX_BODY_BYTES)
        received = services().receiver.receive(headers, body)
    except tuple(REJECTIONS) as error:
        outcome = next(name for kind, name in REJECTIONS.items() if isinstance(error, kind))
        counters.count(outcome)
        _log_rejection(outcome, error, headers[MESSAGE_ID])
        raise
    counters.count(received.outcome)
    if received.challenge is None:
        return Response(status=204)
    return Response(received.challenge.encode(), content_type="text/plain")


def _log_rejection(outcome: str, error: Exception, message_id: str) -> None:
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
    "summary": "Receive an EventSub message",
    "description": "Twitch calls this. A 2xx response means that the message is stored. A message"
    " that is sent again changes nothing.",
    "parameters": [
        _header("Message-Id", maxLength=256),
        _header(
            "Message-Type",
            examples=["notification", "webhook_callback_verification", "revocation"],
        ),
        _header("Message-Timestamp", examples=["2026-06-01T12:00:00.123456789Z"]),
        _header("Message-Signature", pattern="^sha256=[0-9a-f]{64}$"),
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
    "responses": {
        "200": {
            "description": "The challenge of a verification",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        "204": {"description": "Stored, or nothing to store"},
        "400": "BAD_REQUEST",
        "403": "FORBIDDEN",
        "413": "REQUEST_ENTITY_TOO_LARGE",
        "503": "SERVICE_UNAVAILABLE",
    },
}


def document(spec: APISpec, app: Flask) -> None:
    """Add this path of `app` to `spec`, as flask-smorest does for the other blueprints."""
    spec.tag({"name": blueprint.name, "description": "The endpoint that Twitch calls."})
    [rule] = app.url_map.iter_rules(f"{blueprint.name}.{receive.__name__}")
    spec.path(rule=rule, operations={"post": _OPERATION})
