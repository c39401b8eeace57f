"""The HTTP server: authentication, rate limit and faults of every call, and its endpoint."""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from streamwatch.simulator.faults import CallFault, Faults
from streamwatch.simulator.oauth import OAuth
from streamwatch.simulator.ratelimit import Bucket
from streamwatch.simulator.web import Refused, Reply

Endpoint = Callable[..., Reply]
"""Takes the request and the variables in its path."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call and the status of its response. `params` are those of the URL."""

    method: str
    path: str
    params: dict[str, list[str]]
    status: int


class Application:
    """The WSGI application. Calls of Helix and OAuth are recorded and subject to `faults`;
    `/control/…` is not."""

    def __init__(self, rules: Iterable[Rule], faults: Faults, oauth: OAuth, bucket: Bucket) -> None:
        self.calls: list[Call] = []
        self._map = Map(
            [
                # Twitch accepts the parameters of a token in the form and in the URL.
                Rule("/oauth2/token", methods=["POST"], endpoint=lambda r: oauth.token(r.values)),
                Rule(
                    "/oauth2/validate",
                    methods=["GET"],
                    endpoint=lambda r: oauth.validate(r.headers),
                ),
                *rules,
            ]
        )
        self._faults = faults
        self._oauth = oauth
        self._bucket = bucket
        self._closing = threading.Event()

    def close(self) -> None:
        """End the delays of calls."""
        self._closing.set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()  # an unread body would reset the connection
        is_control = request.path.startswith("/control/")
        try:
            reply = self._dispatch(request) if is_control else self._answer(request)
        except Refused as refused:
            reply = refused.reply
        except HTTPException as error:
            reply = Refused(error.code or 500, error.name).reply
        if not is_control:
            params = request.args.to_dict(flat=False)
            self.calls.append(Call(request.method, request.path, params, reply.status))
        return _response(reply)(environ, start_response)

    def _answer(self, request: Request) -> Reply:
        fault = self._faults.of_call(request.path)
        self._closing.wait(fault.delay)
        if fault.status == 429:  # noqa: PLR2004  Helix's status for an empty bucket
            raise self._bucket.empty_bucket_error(fault.reset_in)
        headers = self._bucket.take() if request.path.startswith("/helix/") else {}
        try:
            reply = self._allowed(request, fault)
        except Refused as refused:
            reply = refused.reply
        except HTTPException as error:
            reply = Refused(error.code or 500, error.name).reply
        return replace(reply, headers=headers | reply.headers)

    def _allowed(self, request: Request, fault: CallFault) -> Reply:
        if fault.status is not None:
            raise Refused(fault.status, "a fault on command")
        if request.path.startswith("/helix/"):
            self._oauth.check(request.headers)
        reply = self._dispatch(request)
        if fault.half and reply.body is not None:
            return replace(reply, body={**reply.body, "data": reply.body["data"][::2]})
        return reply

    def _dispatch(self, request: Request) -> Reply:
        endpoint, values = self._map.bind_to_environ(request.environ).match()
        answer: Endpoint = endpoint
        return answer(request, **values)


def _response(reply: Reply) -> Response:
    body = b"" if reply.body is None else json.dumps(reply.body, ensure_ascii=False).encode()
    return Response(body, reply.status, reply.headers, content_type="application/json")
