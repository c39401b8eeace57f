"""Errors as problem documents (RFC 9457): one form for all, one table for the typed ones."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, UnprocessableEntity

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.domain.eventsub import ForgedMessage, MalformedMessage, StaleMessage
from streamwatch.services.errors import (
    AlreadyRunning,
    LimitReached,
    NotMonitored,
    UnknownStreamer,
    UnknownUser,
)
from streamwatch.services.notifications.errors import (
    ChangedMeanwhile,
    DeliveryPending,
    NoSecret,
    NotificationOff,
    TooManyNotifications,
    UnknownDelivery,
    UnknownNotification,
)
from streamwatch.storage.base import StorageUnavailable
from streamwatch.twitch.base import TwitchBusy, TwitchError, TwitchNotConfigured

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: where ("path", "query" or "body"), the name of the
    parameter or of the body's field, and what."""

    place: str
    name: str
    detail: str


class InvalidRequest(UnprocessableEntity):
    """422 with every fault."""

    description = "The request is not valid; `errors` says what is wrong with it."

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


@dataclass(frozen=True, slots=True)
class ProblemSpec:
    """How an error is answered. Without `detail` its own text is: only where that is ours."""

    status: HTTPStatus
    detail: str | None = None
    retry_after: int | None = None
    """Seconds."""

    def retry_after_seconds(self, error: Exception) -> int | None:
        """The value of the `Retry-After` header: what `error` says, or else `retry_after`."""
        if isinstance(error, TwitchBusy | LimitReached):
            return max(1, math.ceil(error.retry_after))
        return self.retry_after


PROBLEMS: dict[type[Exception], ProblemSpec] = {
    UnknownUser: ProblemSpec(HTTPStatus.NOT_FOUND),
    NotMonitored: ProblemSpec(HTTPStatus.NOT_FOUND),
    UnknownStreamer: ProblemSpec(HTTPStatus.NOT_FOUND),
    LimitReached: ProblemSpec(HTTPStatus.TOO_MANY_REQUESTS),
    AlreadyRunning: ProblemSpec(HTTPStatus.CONFLICT, retry_after=60),
    UnknownNotification: ProblemSpec(HTTPStatus.NOT_FOUND),
    UnknownDelivery: ProblemSpec(HTTPStatus.NOT_FOUND),
    TooManyNotifications: ProblemSpec(HTTPStatus.CONFLICT),
    NotificationOff: ProblemSpec(HTTPStatus.CONFLICT),
    DeliveryPending: ProblemSpec(HTTPStatus.CONFLICT),
    NoSecret: ProblemSpec(HTTPStatus.CONFLICT),
    ChangedMeanwhile: ProblemSpec(HTTPStatus.CONFLICT),
    MalformedMessage: ProblemSpec(HTTPStatus.BAD_REQUEST),
    ForgedMessage: ProblemSpec(HTTPStatus.FORBIDDEN),
    StaleMessage: ProblemSpec(HTTPStatus.FORBIDDEN),
    TwitchError: ProblemSpec(HTTPStatus.BAD_GATEWAY),
    TwitchBusy: ProblemSpec(HTTPStatus.SERVICE_UNAVAILABLE),
    TwitchNotConfigured: ProblemSpec(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "This needs Twitch: set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET.",
        60,
    ),
    StorageUnavailable: ProblemSpec(
        HTTPStatus.SERVICE_UNAVAILABLE, "The storage does not answer now.", 5
    ),
    AnalyticsUnavailable: ProblemSpec(
        HTTPStatus.SERVICE_UNAVAILABLE, "The analytics do not answer now.", 5
    ),
}
"""The most exact type counts."""


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, http_problem)
    for error, answer in PROBLEMS.items():
        app.register_error_handler(error, partial(_typed_problem, answer))


def http_problem(error: HTTPException) -> Response:
    """What Werkzeug raises, its headers kept (Allow, Retry-After, WWW-Authenticate …). An exception
    that nobody expected comes here too, as a 500 without its text: Flask has logged it."""
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    extra: dict[str, Any] = {}
    if isinstance(error, InvalidRequest):
        extra["errors"] = [
            {"in": fault.place, "name": fault.name, "detail": fault.detail}
            for fault in error.faults
        ]
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return _problem(status, error.description or status.description, headers, extra)


def _typed_problem(answer: ProblemSpec, error: Exception) -> Response:
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning(
            "Answered %s %s with %d: %s: %s",
            request.method,
            request.url_rule,
            answer.status,
            type(error).__name__,
            error,
        )
    retry_after = answer.retry_after_seconds(error)
    headers = [] if retry_after is None else [("Retry-After", str(retry_after))]
    return _problem(answer.status, answer.detail or str(error), headers)


def _problem(
    status: HTTPStatus,
    detail: str,
    headers: Iterable[tuple[str, str]],
    extra: Mapping[str, Any] | None = None,
) -> Response:
    document = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    body = orjson.dumps(document | dict(extra or {}))
    response = Response(body, status, content_type=PROBLEM_JSON)
    response.headers.extend(headers)
    return response
