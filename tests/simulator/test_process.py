"""The simulator as a process of its own, commanded over HTTP."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.simulator.receiver import SECRET, Receiver
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("simulator-process")  # one start for all


class Process:
    """A running `python -m streamwatch.simulator`, by what it printed."""

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        assert popen.stdout
        lines = [popen.stdout.readline().strip() for _ in range(5)]
        self.settings = dict(line.split("=", 1) for line in lines)
        self.popen = popen
        self._control = self.settings["TWITCH_API_URL"].replace("/helix", "/control")

    def post(self, command: str, **body: Any) -> int:
        return requests.post(f"{self._control}/{command}", json=body, timeout=5).status_code

    def get(self, what: str) -> Any:
        return requests.get(f"{self._control}/{what}", timeout=5).json()

    def helix(self) -> tuple[str, dict[str, str]]:
        """Helix's URL and the headers that it takes."""
        form = {
            "client_id": self.settings["TWITCH_CLIENT_ID"],
            "client_secret": self.settings["TWITCH_CLIENT_SECRET"],
            "grant_type": "client_credentials",
        }
        url = f"{self.settings['TWITCH_AUTH_URL']}/token"
        token = requests.post(url, data=form, timeout=5).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Client-Id": form["client_id"]}
        return self.settings["TWITCH_API_URL"], headers


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    command = [sys.executable, "-m", "streamwatch.simulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as popen:
        try:
            yield Process(popen)
        finally:
            popen.terminate()
            popen.wait(timeout=10)


def test_commands_change_the_world(process: Process) -> None:
    url, headers = process.helix()
    assert process.post("users/Mallard_Mo") == 204
    assert process.post("online/mallard_mo") == 204
    assert process.post("viewers/mallard_mo/77") == 204
    assert process.post("rename/mallard_mo/Mallard_Mary") == 204
    assert process.post("online/mallard_mary") == 409
    assert process.post("flap/nobody_at_all") == 404
    (shown,) = requests.get(f"{url}/streams", headers=headers, timeout=5).json()["data"]
    assert (shown["user_login"], shown["viewer_count"]) == ("mallard_mary", 77)


def test_faults_are_set_and_calls_are_recorded(process: Process) -> None:
    before = len(process.get("calls")["calls"])
    url, headers = process.helix()
    assert process.post("faults/calls", path="/helix/streams", status=500, times=1, after=1) == 204
    answers = [requests.get(f"{url}/streams", headers=headers, timeout=5) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 500, 200]
    calls = process.get("calls")["calls"][before:]
    assert [(call["method"], call["path"], call["status"]) for call in calls] == [
        ("POST", "/oauth2/token", 200),
        ("GET", "/helix/streams", 200),
        ("GET", "/helix/streams", 500),
        ("GET", "/helix/streams", 200),
    ]


def test_deliveries_can_be_read(process: Process, receiver: Receiver) -> None:
    url, headers = process.helix()
    user = requests.get(f"{url}/users?login=shroud", headers=headers, timeout=5).json()["data"][0]
    wanted = {
        "type": "stream.online",
        "version": "1",
        "condition": {"broadcaster_user_id": user["id"]},
        "transport": {"method": "webhook", "callback": receiver.callback, "secret": SECRET},
    }
    requests.post(f"{url}/eventsub/subscriptions", json=wanted, headers=headers, timeout=5)
    wait_for(lambda: process.get("deliveries")["pending"] == 0)
    assert process.post("faults/messages", fault="doubled") == 204
    assert process.post("online/shroud") == 204
    wait_for(lambda: process.get("deliveries")["pending"] == 0)
    assert process.post("revoke/shroud") == 204
    wait_for(lambda: process.get("deliveries")["pending"] == 0)
    deliveries = process.get("deliveries")["deliveries"]
    assert sorted((delivery["message_type"], delivery["status"]) for delivery in deliveries) == [
        ("notification", 204),
        ("notification", 204),
        ("revocation", 204),
        ("webhook_callback_verification", 200),
    ]
    notified = [delivery for delivery in deliveries if delivery["message_type"] == "notification"]
    assert notified[0] == notified[1]
    assert notified[0]["event"]["broadcaster_user_login"] == "shroud"


def test_sigterm_ends_the_simulator_at_once(process: Process) -> None:
    """The last test of the module, since it ends the simulator."""
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(timeout=5) == 0
