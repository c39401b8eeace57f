"""A receiver of webhooks on a real socket: checks signatures as StreamWatch does, and answers
badly on request."""

import threading
from collections import deque
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from streamwatch.domain.eventsub import EventSubError, Message, Verification, parse

SECRET = "a secret of the tests"


class Receiver:
    """`messages` are those whose signature was good; `refused` counts the others. What `bad` holds
    is answered in place of the right answer: a status, or the right answer once an event is set."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.retries: list[tuple[str, int]] = []
        self.refused = 0
        self.bad: deque[int | threading.Event] = deque()
        self.challenge_status = 200
        self.challenge_answer: bytes | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.callback = f"http://127.0.0.1:{self._server.server_port}/webhooks/eventsub"

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

    def _receive(self, request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        message_id = request.headers["Twitch-Eventsub-Message-Id"]
        retry = int(request.headers["Twitch-Eventsub-Message-Retry"])
        self.retries.append((message_id, retry))
        try:
            message = parse(request.headers, body, [SECRET], datetime.now(UTC))  # type: ignore[arg-type]  # email's Message maps
        except EventSubError:
            self.refused += 1
            return 403, b""
        self.messages.append(message)
        if self.bad:
            bad = self.bad.popleft()
            if isinstance(bad, int):
                return bad, b""
            bad.wait(60)
        if isinstance(message, Verification):
            return self.challenge_status, self._challenge_answer(message)
        return 204, b""

    def _challenge_answer(self, message: Verification) -> bytes:
        if self.challenge_answer is None:
            return message.challenge.encode()
        return self.challenge_answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, body = receiver._receive(self)
                self.send_response(status)
                self.send_header("Location", receiver.callback)  # for who follows a 302
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  stdlib's name
                pass

        return Handler
