"""A Twitch that answers anything: right answers on loopback, and a generator of odd ones."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypothesis import strategies as st

GOOD, ODD = "1", "2"
"""The ids of two streamers. What Twitch says of the first is always right."""

ROUTES = (
    "POST /token",
    "GET /users",
    "GET /streams",
    "GET /videos",
    "GET /eventsub/subscriptions",
    "POST /eventsub/subscriptions",
    "DELETE /eventsub/subscriptions",
    "GET /eventsub/conduits",
    "POST /eventsub/conduits",
    "GET /eventsub/conduits/shards",
    "PATCH /eventsub/conduits/shards",
)
"""The calls of Helix that StreamWatch makes."""

Document = dict[str, Any]
Change = Callable[[Document], Any]
"""Makes an odd document of a right one, which it may change."""


@dataclass(frozen=True)
class Odd:
    """An odd answer to one call: the right document changed and encoded. `spares_others` says that
    only the item of ODD is odd. An `endless` answer never stops."""

    route: str
    change: Change
    encoding: str = "JSON"
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    spares_others: bool = False
    endless: bool = False


@dataclass
class HostileTwitch:
    """Answers over HTTP at the time of `clock`. `viewers` are those of each stream."""

    clock: Callable[[], datetime]
    viewers: int = 0
    url: str = ""
    odd: Odd | None = None
    _is_date_right: bool = True

    def answer_with(self, odd: Odd | None) -> None:
        """Answer as `odd` says from now on. A wrong date is sent once: Twitch is trusted with the
        time, but a single answer is not."""
        self.odd = odd
        self._is_date_right = False

    def headers(self, odd: Odd | None) -> list[tuple[str, str]]:
        date = format_datetime(self.clock(), usegmt=True)
        headers = dict(odd.headers) if odd else {}
        if self._is_date_right or "Date" not in headers:
            headers["Date"] = date
        elif odd:
            self._is_date_right = True
        return list(headers.items())

    def answer(self, route: str, query: list[tuple[str, str]]) -> tuple[int, Document]:
        """The right answer. The last item of a list is that of ODD."""
        ids = [value for name, value in query if name == "user_id"]
        ids.sort(key=lambda user_id: user_id == ODD)
        conduit = {"data": [{"id": "conduit", "shard_count": 1}]}
        listed = {"data": [_subscription(GOOD), _subscription(ODD)], "total_cost": 2}
        answers: dict[str, tuple[int, Document]] = {
            "POST /token": (200, {"access_token": "token", "expires_in": 5_000_000}),
            "GET /users": (200, {"data": [_user(value) for _, value in query]}),
            "GET /streams": (200, {"data": [self._stream(user_id) for user_id in ids]}),
            "GET /videos": (200, {"data": [_video(1), _video(2)]}),
            "GET /eventsub/subscriptions": (200, listed | {"max_total_cost": 10}),
            "POST /eventsub/subscriptions": (202, {"data": [_subscription("3")]}),
            "GET /eventsub/conduits": (200, conduit),
            "POST /eventsub/conduits": (200, conduit),
            "GET /eventsub/conduits/shards": (200, {"data": [{"id": "0", "status": "enabled"}]}),
            "PATCH /eventsub/conduits/shards": (202, {"data": [], "errors": []}),
        }
        return answers.get(route, (204, {}))

    def _stream(self, user_id: str) -> Document:
        return {
            "id": f"stream-{user_id}",
            "user_id": user_id,
            "user_login": f"user_{user_id}",
            "user_name": f"User_{user_id}",
            "game_id": "1",
            "game_name": "Chess",
            "type": "live",
            "title": "Hello",
            "tags": ["English"],
            "viewer_count": self.viewers,
            "started_at": "2026-06-01T11:00:00Z",
            "language": "en",
            "thumbnail_url": "https://static.twitch.test/{width}x{height}.jpg",
        }


def _user(name: str) -> Document:
    user_id = name.removeprefix("user_")
    return {"id": user_id, "login": f"user_{user_id}", "display_name": f"User_{user_id}"}


def _video(number: int) -> Document:
    return {
        "id": str(number),
        "stream_id": f"past-{number}",
        "user_id": ODD,
        "type": "archive",
        "created_at": f"2026-05-0{number}T10:00:00Z",
        "duration": "3h8m33s",
        "title": "Then",
        "language": "en",
        "url": f"https://www.twitch.tv/videos/{number}",
    }


def _subscription(user_id: str) -> Document:
    return {
        "id": f"subscription-{user_id}",
        "type": "stream.online",
        "version": "1",
        "status": "enabled",
        "cost": 1,
        "condition": {"broadcaster_user_id": user_id},
        "transport": {"method": "webhook", "callback": "https://elsewhere.test/"},
        "created_at": "2026-06-01T11:00:00Z",
    }


@contextmanager
def hostile_twitch(clock: Callable[[], datetime]) -> Iterator[HostileTwitch]:
    twitch = HostileTwitch(clock)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("_BoundHandler", (_Handler,), {"twitch": twitch})
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    twitch.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield twitch
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    twitch: HostileTwitch
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client has hung up, as it should on an endless answer
            self.close_connection = True

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        route = f"{self.command} {parts.path}"
        status, document = self.twitch.answer(route, parse_qsl(parts.query))
        odd = self.twitch.odd
        if odd and odd.route != route:
            odd = None
        body = _json(document)
        if odd:
            status, body = odd.status or status, ENCODINGS[odd.encoding](odd.change(document))
        self._send(status, self.twitch.headers(odd), body, endless=odd is not None and odd.endless)

    def _send(
        self, status: int, headers: list[tuple[str, str]], body: bytes, *, endless: bool
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        has_body = status not in {204, 304}
        if has_body and not endless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if has_body:
            self.wfile.write(body)
        while endless:
            self.wfile.write(body)
            time.sleep(0.01)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass


# The generator

TEXTS = st.sampled_from(
    ["", "a\nb", "a\0b", "half \ud83d", "*} {x", "x" * 2000, "0001-01-01T00:00:00Z", "None", "1"]
) | st.text(max_size=40)
NUMBERS = st.sampled_from([-1, 0, 2**31, 2**63, 10**30, 10**400, 0.5, 1e300]) | st.integers()
SCALARS: st.SearchStrategy[Any] = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
"""Any JSON but integers of more digits than Python writes."""


@dataclass(frozen=True)
class ReplaceField:
    """Replaces a field of the last item, which is that of ODD where there are several."""

    choice: int
    value: Any

    def __call__(self, document: Document) -> Document:
        for item in document.get("data", [])[-1:]:
            names = sorted(item)
            item[names[self.choice % len(names)]] = self.value
        return document


@dataclass(frozen=True)
class RemoveField:
    """Removes a field of the last item."""

    choice: int

    def __call__(self, document: Document) -> Document:
        for item in document.get("data", [])[-1:]:
            names = sorted(item)
            del item[names[self.choice % len(names)]]
        return document


@dataclass(frozen=True)
class AddItem:
    """Adds an item, as the first or as the last."""

    value: Any
    is_first: bool

    def __call__(self, document: Document) -> Document:
        document.get("data", []).insert(0 if self.is_first else 99, self.value)
        return document


@dataclass(frozen=True)
class RepeatItems:
    """Lists all items several times."""

    times: int

    def __call__(self, document: Document) -> Document:
        if "data" in document:
            document["data"] *= self.times
        return document


@dataclass(frozen=True)
class ReplaceAll:
    """Replaces the document."""

    value: Any

    def __call__(self, _: Document) -> Any:
        return self.value


@dataclass(frozen=True)
class ReplacePart:
    """Replaces a part of the document, or adds it."""

    name: str
    value: Any

    def __call__(self, document: Document) -> Document:
        return document | {self.name: self.value}


ITEM_CHANGES: st.SearchStrategy[Change] = (
    st.builds(ReplaceField, st.integers(0, 20), VALUES)
    | st.builds(RemoveField, st.integers(0, 20))
    | st.builds(AddItem, VALUES, st.booleans())
    | st.builds(RepeatItems, st.sampled_from([2, 50]))
)
DOCUMENT_CHANGES: st.SearchStrategy[Change] = st.builds(ReplaceAll, VALUES) | st.builds(
    ReplacePart,
    st.sampled_from(
        [
            "data",
            "pagination",
            "total_cost",
            "max_total_cost",
            "errors",
            "access_token",
            "expires_in",
            "message",
        ]
    ),
    VALUES,
)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


ENCODINGS: dict[str, Callable[[Any], bytes]] = {
    "JSON": _json,
    "cut": lambda document: _json(document)[:-3],
    "bytes": lambda document: _json(document).replace(b"Hello", b"\xff\xfe"),
    "BOM": lambda document: b"\xef\xbb\xbf" + _json(document),
    "UTF-16": lambda document: json.dumps(document).encode("utf-16"),
    "gzip": lambda document: gzip.compress(_json(document)),
    "open": lambda _: b"[" * 100_000,
    "deep": lambda _: b'{"data": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "large": lambda document: _json(document) + b" " * (5 << 20),
    "empty": lambda _: b"",
    "HTML": lambda _: b"<html>",
    "NaN": lambda _: b'{"data": [NaN]}',
    "space": lambda _: b" ",
    "text": lambda _: b"x" * 65_536,
}
"""How an answer is written, by name."""

STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 404, 409, 410, 418, 429, 500, 503, 999])
HEADERS = st.lists(
    st.sampled_from(
        [
            ("Date", "Mon, 01 Jan 1990 00:00:00 GMT"),
            ("Date", "Mon, 01 Jun 2026 17:00:00 GMT"),
            ("Date", "Mon, 99 Foo 99999 99:99:99 +9999"),
            ("Date", "\xff"),
            ("Ratelimit-Limit", "9" * 5000),
            ("Ratelimit-Remaining", "-1"),
            ("Ratelimit-Remaining", "0"),
            ("Ratelimit-Reset", "9" * 18),
            ("Ratelimit-Reset", "٣"),
            ("Content-Encoding", "gzip"),
            ("Content-Encoding", "br, gzip, deflate"),
            ("Content-Type", "text/plain; charset=no-such"),
            ("Location", "http://127.0.0.1:1/"),
            ("Retry-After", "x"),
            ("Set-Cookie", "a=b" * 1000),
        ]
    ),
    max_size=3,
).map(tuple)

ODD_ITEMS = st.builds(
    Odd,
    route=st.sampled_from(ROUTES),
    change=ITEM_CHANGES,
    spares_others=st.just(True),
)
"""Answers in which one item is odd."""

ODD_ANSWERS = st.builds(
    Odd,
    route=st.sampled_from(ROUTES),
    change=DOCUMENT_CHANGES | ITEM_CHANGES,
    encoding=st.sampled_from(sorted(ENCODINGS)),
    status=st.none() | STATUSES,
    headers=HEADERS,
)
"""Answers that are odd as a whole."""
