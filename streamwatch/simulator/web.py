"""Responses, refusals and an HTTP server on loopback, shared by the simulated services."""

import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server

Document = dict[str, Any]

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON response; without a body, an empty one."""

    status: int
    body: Document | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An error response in Twitch's form."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: dict[str, str] | None = None,
        details: Document | None = None,
    ) -> None:
        super().__init__(message)
        self.reply = Reply(
            status,
            {
                "error": HTTPStatus(status).phrase,
                "status": status,
                "message": message,
                **(details or {}),
            },
            headers or {},
        )


class _Handler(WSGIRequestHandler):
    """One call a connection, so that stopping waits for no client. Does not log: the simulator
    records the calls itself."""

    protocol_version = "HTTP/1.0"
    wbufsize = -1
    """Buffered, so that an answer arrives in one piece: pyTwitchAPI reads a token's answer after it
    has closed its session."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class LoopbackServer:
    """Serves `application` on 127.0.0.1 within its `with` block, one thread a call. `port` 0 takes
    a free one."""

    def __init__(self, application: WSGIApplication, port: int = 0) -> None:
        self._server = make_server(HOST, port, application, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="loopback"
        )
        self.port = self._server.port
        self.url = f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
