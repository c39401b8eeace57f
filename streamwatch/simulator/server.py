"""The HTTP face: what stands before every call, and who answers it."""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from streamwatch.simulator.faults import Faults
from streamwatch.simulator.oauth import OAuth
from streamwatch.simulator.ratelimit import Bucket
from streamwatch.simulator.web import Refused, Reply

Endpoint = Callable[..., Reply]
"""Takes the request and the variable parts of its path."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was answered with `status`. `params` are those of the URL."""

    method: str
    path: str
    params: dict[str, list[str]]
    status: int


class Application:
    """WSGI. Calls of Helix and of the token endpoint are recorded and may go wrong as `faults`
    say; the rest (`/control/…`) never does."""

    def __init__(self, rules: Iterable[Rule], faults: Faults, oauth: OAuth, bucket: Bucket) -> None:
        self.calls: list[Call] = []
        self._map = Map([Rule("/oauth2/token", methods=["POST"], endpoint=_token(oauth)), *rules])
        self._faults = faults
        self._oauth = oauth
        self._bucket = bucket
        self._closing = threading.Event()

    def close(self) -> None:
        """Let go of the calls that a fault delays."""
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
        if fault.status == 429:  # noqa: PLR2004  what Helix says when the bucket is empty
            raise self._bucket.empty_bucket_error(fault.reset_in)
        if fault.status is not None:
            raise Refused(fault.status, "a fault on command")
        headers = {}
        if request.path.startswith("/helix/"):
            self._oauth.check(request.headers)
            headers = self._bucket.take()
        reply = self._dispatch(request)
        body = reply.body
        if fault.half and body is not None:
            body = {**body, "data": body["data"][::2]}
        return Reply(reply.status, body, headers)

    def _dispatch(self, request: Request) -> Reply:
        endpoint, values = self._map.bind_to_environ(request.environ).match()
        answer: Endpoint = endpoint
        return answer(request, **values)


def _token(oauth: OAuth) -> Endpoint:
    # Twitch takes the parameters from the form as well as from the URL.
    return lambda request: oauth.token(request.values)


def _response(reply: Reply) -> Response:
    body = b"" if reply.body is None else json.dumps(reply.body, ensure_ascii=False).encode()
    return Response(body, reply.status, reply.headers, content_type="application/json")
