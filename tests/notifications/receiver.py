"""HTTP receivers on this machine: one that records, and a Discord with its rules."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Receiver:
    """Answers what `answer` says, and records the requests in `requests`."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], Answer] = lambda _: (204, {}, b"")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 200


@contextmanager
def receiving(receiver: Receiver | None = None) -> Iterator[Receiver]:
    """A receiver on a free port."""
    recording = receiver or Receiver()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(length))
            recording.requests.append(request)
            status, fields, body = recording.answer(request)
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_GET = handle_any  # noqa: N815  http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    recording.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield recording
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class FakeDiscord(Receiver):
    """A Discord webhook that enforces its rate limits: 5 calls in 2 s, 30 a minute.

    `messages` are the texts by message id; `mentions` the roles that each call mentioned.
    """

    clock: Callable[[], float] = time.monotonic
    messages: dict[str, str] = field(default_factory=dict)
    mentions: list[list[str]] = field(default_factory=list)
    limited: int = 0
    old_edits_limited: bool = False
    calls: deque[float] = field(default_factory=lambda: deque(maxlen=30))

    def __post_init__(self) -> None:
        self.answer = self.take

    def take(self, request: Request) -> Answer:
        now = self.clock()
        wait = self._wait(now)
        if wait > 0:
            self.limited += 1
            body = {"message": "You are being rate limited.", "retry_after": wait, "global": False}
            return 429, {"Retry-After": str(int(wait) + 1)}, json.dumps(body).encode()
        self.calls.append(now)
        given = json.loads(request.body)
        self.mentions.append(given["allowed_mentions"].get("roles", []))
        assert given["allowed_mentions"]["parse"] == []
        if request.method == "PATCH":
            path = request.path.partition("?")[0]
            return self._edit(path.rpartition("/")[2], given["content"])
        assert "wait=true" in request.path
        message_id = str(len(self.messages) + 1)
        self.messages[message_id] = given["content"]
        return 200, {}, json.dumps({"id": message_id}).encode()

    def _edit(self, message_id: str, text: str) -> Answer:
        if self.old_edits_limited:
            body = {"message": "Maximum number of edits …", "code": 30046}
            return 429, {}, json.dumps(body).encode()
        if message_id not in self.messages:
            return 404, {}, json.dumps({"message": "Unknown Message", "code": 10008}).encode()
        self.messages[message_id] = text
        return 200, {}, json.dumps({"id": message_id}).encode()

    def _wait(self, now: float) -> float:
        calls = list(self.calls)
        waits = [0.0]
        if len(calls) >= 5:
            waits.append(calls[-5] + 2 - now)
        if len(calls) == 30:
            waits.append(calls[0] + 60 - now)
        return max(waits)
