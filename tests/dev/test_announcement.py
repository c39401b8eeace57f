"""The address that `streamwatch dev` asks whether the web process serves, and that it shows."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from streamwatch.dev.banner import web_address
from streamwatch.dev.run import Announcement
from streamwatch.settings import Settings


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104  binds nothing
        ("::", "http://127.0.0.1:8000"),
        ("192.168.1.20", "http://192.168.1.20:8000"),
        ("2001:db8::20", "http://[2001:db8::20]:8000"),
        ("nas.lan", "http://nas.lan:8000"),
    ],
)
def test_the_address_is_one_that_the_web_process_listens_on(host: str, address: str) -> None:
    assert web_address(Settings(host=host)) == address


class Healthy(BaseHTTPRequestHandler):
    """Answers every request with 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Log nothing."""


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of Linux alone")
def test_the_banner_is_shown_where_only_one_address_is_listened_on() -> None:
    shown: list[str] = []
    with HTTPServer(("127.0.0.2", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Announcement(Settings(host="127.0.0.2", port=server.server_port), shown.append).check()
        server.shutdown()
    [banner] = shown
    assert f"http://127.0.0.2:{server.server_port}/dashboard" in banner
