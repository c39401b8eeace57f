"""A web process alone: no worker, no database, no credentials of Twitch."""

import socket
from collections.abc import Iterator

import pytest
import requests

from tests.e2e.conftest import SECRET, challenge
from tests.processes import Deployment, deployment
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("web-process")  # one start for all

PAGE = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    settings = {"WEBHOOK_SECRET": SECRET, "DEFAULT_STREAMERS": "shroud", "WEB_THREADS": "4"}
    with deployment(tmp_path_factory.mktemp("web") / "service", **settings) as deployed:
        deployed.start("web")
        deployed.wait_until_up()
        yield deployed


def test_without_credentials_requests_that_need_twitch_answer_503(service: Deployment) -> None:
    for answer in (
        requests.get(f"{service.url}/streamers/shroud/status", timeout=5),
        requests.post(f"{service.url}/streamers/shroud", timeout=5),
    ):
        assert answer.status_code == 503
        assert "TWITCH_CLIENT_ID" in answer.json()["detail"]
        assert answer.headers["Retry-After"]
    assert service.get("/streams/live") == {"live_streams": [], "count": 0}
    assert challenge(service).text == "pogchamp"


def test_a_client_that_reads_nothing_is_disconnected(service: Deployment) -> None:
    with socket.socket() as client:
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
