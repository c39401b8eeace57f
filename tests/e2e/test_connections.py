"""Clients that do not read what they asked for."""

import socket
from pathlib import Path

from tests.processes import deployment
from tests.waiting import wait_for

PAGE = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_a_client_that_reads_nothing_is_disconnected(tmp_path: Path) -> None:
    with (
        deployment(tmp_path / "service", WEB_THREADS="4") as service,
        socket.socket() as client,
    ):
        service.start("web")
        service.wait_until_up()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", service.port))
        client.settimeout(5)
        client.sendall(PAGE * 20)
        wait_for(lambda: is_closed(client), 60)
        assert service.answers("/health/live")


def is_closed(client: socket.socket) -> bool:
    """Whether the server has closed the connection. Reads nothing of what it has sent."""
    # The kernel still delivers the answer's bytes after a close; sending is refused at once.
    try:
        client.send(b"GET")
    except OSError:
        return True
    return False
