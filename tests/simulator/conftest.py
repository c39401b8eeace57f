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
        transport = {"method": "webhook", "callback": callback, "secret": secret}
        return self._subscribe(user_id, event_type, transport)

    def subscribe_conduit(
        self, user_id: str, conduit_id: str, event_type: str = EventType.ONLINE
    ) -> requests.Response:
        transport = {"method": "conduit", "conduit_id": conduit_id}
        return self._subscribe(user_id, event_type, transport)

    def send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        url = f"{self._twitch.api_url}/{path}"
        return requests.request(method, url, headers=self.headers, timeout=5, **arguments)

    def attach(self, conduit_id: str, session_id: str, shard_id: str = "0") -> Any:
        """The response to attaching a shard to a WebSocket session."""
        transport = {"method": "websocket", "session_id": session_id}
        body = {"conduit_id": conduit_id, "shards": [{"id": shard_id, "transport": transport}]}
        response = self.send("PATCH", "eventsub/conduits/shards", json=body)
        assert response.status_code == 202
        return response.json()

    def _subscribe(
        self, user_id: str, event_type: str, transport: dict[str, str]
    ) -> requests.Response:
        wanted = {
            "type": event_type,
            "version": "2" if event_type == "channel.update" else "1",
            "condition": {"broadcaster_user_id": user_id},
            "transport": transport,
        }
        return self.send("POST", "eventsub/subscriptions", json=wanted)


@pytest.fixture
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        simulator.eventsub.webhook_sender.retry_delays = (0.02, 0.04)
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
    for event_type in ("stream.online", "stream.offline"):
        assert client.subscribe(shroud, receiver.callback, event_type).status_code == 202
    twitch.wait_until_delivered()
    assert [subscription.status for subscription in twitch.subscriptions.all()] == [
        "enabled",
        "enabled",
    ]
    receiver.messages.clear()
    receiver.retries.clear()
    return twitch
