from collections.abc import Iterator
from typing import Any

import pytest
import requests

from streamwatch.domain.models import EventType
from streamwatch.simulator import Simulator
from tests.simulator.receiver import SECRET, Receiver


class Client:
    """An application's calls of the simulated Helix."""

    def __init__(self, twitch: Simulator) -> None:
        self._twitch = twitch
        self.sign_in()

    def sign_in(self) -> None:
        form = {
            "client_id": self._twitch.client_id,
            "client_secret": self._twitch.client_secret,
            "grant_type": "client_credentials",
        }
        answer = requests.post(f"{self._twitch.auth_url}/token", data=form, timeout=5)
        self.headers = {
            "Authorization": f"Bearer {answer.json()['access_token']}",
            "Client-Id": self._twitch.client_id,
        }

    def get(self, path: str, **params: Any) -> requests.Response:
        url = f"{self._twitch.api_url}/{path}"
        return requests.get(url, params=params, headers=self.headers, timeout=5)

    def delete(self, subscription_id: str) -> requests.Response:
        url = f"{self._twitch.api_url}/eventsub/subscriptions"
        return requests.delete(url, params={"id": subscription_id}, headers=self.headers, timeout=5)

    def subscribe(
        self, user_id: str, callback: str, event_type: str = EventType.ONLINE, secret: str = SECRET
    ) -> requests.Response:
        wanted = {
            "type": event_type,
            "version": "1",
            "condition": {"broadcaster_user_id": user_id},
            "transport": {"method": "webhook", "callback": callback, "secret": secret},
        }
        url = f"{self._twitch.api_url}/eventsub/subscriptions"
        return requests.post(url, json=wanted, headers=self.headers, timeout=5)


@pytest.fixture
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        simulator.eventsub.courier.retry_delays = (0.02, 0.04)
        yield simulator


@pytest.fixture
def client(twitch: Simulator) -> Client:
    return Client(twitch)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def shroud(twitch: Simulator) -> str:
    """The user id of shroud."""
    return twitch.world.user("shroud").user_id


@pytest.fixture
def watched(twitch: Simulator, client: Client, receiver: Receiver, shroud: str) -> Simulator:
    """The simulator once the receiver is subscribed to both events of shroud."""
    for event_type in EventType:
        assert client.subscribe(shroud, receiver.callback, event_type).status_code == 202
    twitch.wait_until_delivered()
    assert [one.status for one in twitch.subscriptions.all()] == ["enabled", "enabled"]
    receiver.messages.clear()
    receiver.retries.clear()
    return twitch
