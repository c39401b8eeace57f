"""HTTP requests to one of Twitch's servers, retried as Twitch's rules allow."""

import copy
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from queue import Empty, LifoQueue
from typing import Self

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from streamwatch.twitch.base import RateLimitState, TwitchBusy, TwitchUnavailable
from streamwatch.twitch.calls import Call, Response
from streamwatch.twitch.rate_limit import RateLimit

BACK_OFF = 0.5
"""Seconds before the first retry; doubled before the second; up to twice that by jitter."""

RETRIES = 2
RETRIES_OF_503 = 1
"""Twitch recommends one: https://dev.twitch.tv/docs/api/guide/#http-status-codes"""

_MAX_BODY_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024

_log = logging.getLogger(__name__)

Observe = Callable[[str, str, int], None]
"""Called after every request with method, path and the response's status, 0 if none arrived."""

ObserveDate = Callable[[datetime, float], None]
"""Called with the Date header of every response, and the seconds since the request was sent."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Timeouts of a call, in seconds, and how many calls run at once in this process.

    Concurrency is capped because Twitch has answered 400 to bursts of more than 100, and because a
    web thread that waits for Twitch serves no other request.
    """

    connect: float = 3.0
    read: float = 10.0
    """The longest time without data from the server."""
    exchange: float = 15.0
    """The longest time for one request and its whole response."""
    session_wait: float = 2.0
    """The longest wait for a free session while `in_flight` calls are running."""
    reset: float = 10.0
    """The longest wait for the rate limit to reset; beyond it the call fails with TwitchBusy."""
    in_flight: int = 8


@dataclass(frozen=True, slots=True)
class _Unreached:
    """The outcome of a request without a complete response. `reason` is the name of the error
    class: the error's text may contain secrets."""

    reason: str


class _BodyTooLarge(requests.RequestException):
    pass


class _Identity(AuthBase):
    """Adds the authentication headers. Passed as `auth`, because requests would otherwise override
    them with a password from ~/.netrc."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class Transport:
    """Sends calls to one of Twitch's servers. Threads may share it. No connection is opened before
    the first call, so it may be created before a fork.

    A `requests.Session` is not documented as thread-safe, so each call takes one of `in_flight`
    sessions from a pool: the one used last, so that few connections stay open."""

    def __init__(
        self,
        base_url: str,
        *,
        limits: CallLimits,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        jitter: Callable[[], float],
        observe: Observe,
        observe_date: ObserveDate,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._observe = observe
        self._observe_date = observe_date
        self._rate_limit = RateLimit(clock)
        self._sessions = _sessions(limits.in_flight)

    def with_own_sessions(self, in_flight: int) -> Self:
        """The same with `in_flight` sessions of its own: calls of one never wait for those of the
        other."""
        other = copy.copy(self)
        other._limits = replace(self._limits, in_flight=in_flight)  # noqa: SLF001  of this class
        other._sessions = _sessions(in_flight)  # noqa: SLF001
        return other

    @property
    def rate_limit(self) -> RateLimitState | None:
        """The state of the rate limit as of the last response."""
        return self._rate_limit.state

    def send(self, call: Call, identity: Mapping[str, str]) -> Response:
        """The response to `call`, sent with the headers in `identity`. Raises TwitchUnavailable for
        a server failure and TwitchBusy for an exhausted rate limit; any other status is
        returned."""
        with self._free_session() as session:
            failures = 0
            while True:
                self._wait(self._rate_limit.delay())
                outcome = self._attempt(session, call, identity)
                if isinstance(outcome, Response) and not _is_failure(call, outcome):
                    return outcome
                pause = self._pause(call, outcome, failures)
                _log.info("%s; next try in %.1f s", _problem(call, outcome), pause)
                self._wait(pause)
                failures += 1

    @contextmanager
    def _free_session(self) -> Iterator[requests.Session]:
        seconds = self._limits.session_wait
        try:
            session = self._sessions.get(timeout=seconds)
        except Empty:
            raise TwitchBusy("Too many calls to Twitch are running.", seconds) from None
        try:
            yield session
        finally:
            self._sessions.put(session)

    def _attempt(
        self, session: requests.Session, call: Call, identity: Mapping[str, str]
    ) -> Response | _Unreached:
        outcome = self._exchange(session, call, identity)
        status = 0
        if isinstance(outcome, Response):
            status = outcome.status
            self._rate_limit.update(outcome)
        self._observe(call.method, call.path, status)
        return outcome

    def _exchange(
        self, session: requests.Session, call: Call, identity: Mapping[str, str]
    ) -> Response | _Unreached:
        asked_at, start = self._clock(), time.monotonic()
        deadline = start + self._limits.exchange
        try:
            with session.request(
                call.method,
                self._base_url + call.path,
                params=list(call.params),
                data=call.form,
                json=call.json,
                auth=_Identity(identity),
                timeout=(self._limits.connect, self._limits.read),
                allow_redirects=False,
                stream=True,
            ) as response:
                date = _date(response)
                if date is not None:
                    self._observe_date(date, time.monotonic() - start)
                    asked_at = min(asked_at, self._clock())  # the clock may have been set back
                body, status = _body(response, deadline), response.status_code
                return Response(status, response.headers, body, asked_at, self._clock())
        except (requests.RequestException, HTTPError) as error:
            return _Unreached(type(error).__name__)

    def _pause(self, call: Call, outcome: Response | _Unreached, failures: int) -> float:
        """Seconds until the next try of a call that has failed `failures` times before. Raises the
        final error if there is none."""
        if isinstance(outcome, Response) and outcome.status == HTTPStatus.TOO_MANY_REQUESTS:
            until_reset = self._rate_limit.until_reset(outcome)
            if failures >= RETRIES or until_reset > self._limits.reset:
                raise TwitchBusy("Twitch's rate limit is exhausted.", until_reset)
            return until_reset + self._jitter()
        is_503 = isinstance(outcome, Response) and outcome.status == HTTPStatus.SERVICE_UNAVAILABLE
        if failures >= (RETRIES_OF_503 if is_503 else RETRIES):
            raise TwitchUnavailable(f"{_problem(call, outcome)}.")
        return BACK_OFF * 2.0**failures * (1 + self._jitter())

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)


def _sessions(count: int) -> LifoQueue[requests.Session]:
    sessions: LifoQueue[requests.Session] = LifoQueue()
    for _ in range(count):
        sessions.put(requests.Session())
    return sessions


def _is_failure(call: Call, response: Response) -> bool:
    return response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or call.rate_limited(response)


def _problem(call: Call, outcome: Response | _Unreached) -> str:
    if isinstance(outcome, Response):
        return f"Twitch answered {outcome.status} to {call}"
    return f"Twitch did not answer {call} ({outcome.reason})"


def _date(response: requests.Response) -> datetime | None:
    """The time at which Twitch's server answered, in whole seconds."""
    try:
        date = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


def _body(response: requests.Response, deadline: float) -> bytes:
    """The whole body. The read timeout of requests limits each read, not the total time."""
    body = bytearray()
    while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += piece
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
        if len(body) > _MAX_BODY_BYTES:
            raise _BodyTooLarge
    return bytes(body)
