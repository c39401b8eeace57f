from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from streamwatch.simulator import Simulator
from streamwatch.simulator.subscriptions import ENABLED
from tests import messages
from tests.processes import Deployment, deployment
from tests.servers import redis_server
from tests.waiting import wait_for

SECRET = "an-end-to-end-webhook-secret"
API_KEY = "an-end-to-end-api-key"


@pytest.fixture
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def twitch_settings(twitch: Simulator) -> dict[str, str]:
    """The settings of a deployment that uses the simulated Twitch."""
    return {
        "TWITCH_CLIENT_ID": twitch.client_id,
        "TWITCH_CLIENT_SECRET": twitch.client_secret,
        "TWITCH_API_URL": twitch.api_url,
        "TWITCH_AUTH_URL": twitch.auth_url,
        "WEBHOOK_SECRET": SECRET,
        "API_KEY": API_KEY,
        "LOG_FORMAT": "json",
    }


@contextmanager
def _started(
    folder: Path, twitch: Simulator, storage: str, settings: dict[str, str]
) -> Iterator[Deployment]:
    """The processes of the Procfile that `storage` needs, with two default streamers."""
    defaults = twitch_settings(twitch) | {
        "DEFAULT_STREAMERS": "shroud,QuillAndCopper,nobody_by_this_name",
        "REFRESH_SECONDS": "2",
        "STORAGE_TYPE": storage,
        # The tests ask in short intervals.
        "RATE_LIMIT": "0",
        "LOOKUP_LIMIT": "0",
        # An answer that does not end with the service would delay its end by so many seconds.
        "GUNICORN_CMD_ARGS": "--graceful-timeout=60",
    }
    with deployment(folder, **defaults | settings) as deployed:
        deployed.environment["WEBHOOK_URL"] = deployed.webhook_url
        _start(deployed, storage)
        yield deployed


def _start(deployed: Deployment, storage: str) -> None:
    deployed.start("web")
    deployed.wait_until_up()
    if storage == "redis":
        deployed.start("worker")


@pytest.fixture
def service(
    request: pytest.FixtureRequest, tmp_path: Path, twitch: Simulator
) -> Iterator[Deployment]:
    """The web process in memory, with the simulated Twitch. A parameter has further settings."""
    settings: dict[str, str] = getattr(request, "param", {})
    with _started(tmp_path / "service", twitch, "memory", settings) as deployed:
        yield deployed


@pytest.fixture(scope="package", params=["memory", "redis"])
def shared_storage(request: pytest.FixtureRequest) -> str:
    storage: str = request.param
    return storage


@pytest.fixture(scope="package")
def shared_twitch(shared_storage: str) -> Iterator[Simulator]:
    """The Twitch of `shared_service`."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="package")
def _shared_deployment(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shared_storage: str,
    shared_twitch: Simulator,
) -> Iterator[Deployment]:
    """All processes of the Procfile, started once for the tests of the group `e2e`, which leave
    nobody live and no more streamers than the default ones."""
    folder = tmp_path_factory.mktemp("shared") / "service"
    with ExitStack() as stack:
        databases = {}
        if shared_storage == "redis":
            databases = {
                "REDIS_URL": stack.enter_context(redis_server()).url,
                "MONGODB_URL": request.getfixturevalue("mongodb_url"),
                "MONGODB_DATABASE": "shared",
            }
        started = _started(folder, shared_twitch, shared_storage, databases)
        deployed = stack.enter_context(started)
        wait_for_subscriptions(deployed, shared_twitch)
        yield deployed


@pytest.fixture
def shared_service(
    _shared_deployment: Deployment, shared_storage: str, shared_twitch: Simulator
) -> Deployment:
    """The shared deployment, started again if a test has ended it. In the usual order the last
    test does."""
    if not _shared_deployment.processes[-1].is_running:
        _start(_shared_deployment, shared_storage)
        shared_twitch.world.go_offline("shroud")
        wait_for_subscriptions(_shared_deployment, shared_twitch)
    return _shared_deployment


@pytest.fixture
def streamer(shared_service: Deployment, shared_twitch: Simulator) -> Iterator[str]:
    """The login of a new streamer, monitored with verified subscriptions, who is removed after the
    test."""
    login = shared_twitch.world.add_user(f"Streamer_{uuid4().hex[:8]}").login
    requests.post(f"{shared_service.url}/streamers/{login}", timeout=10).raise_for_status()
    wait_for_subscriptions(shared_service, shared_twitch, count=3)
    yield login
    if shared_twitch.world.stream(login):
        shared_twitch.world.go_offline(login)
    requests.delete(f"{shared_service.url}/streamers/{login}", timeout=10).raise_for_status()


def wait_for_subscriptions(service: Deployment, twitch: Simulator, count: int = 2) -> None:
    """Return once `count` streamers are monitored (by default the default ones) and Twitch has
    verified their subscriptions, before which it sends no events."""

    def is_subscribed() -> bool:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        streamers = service.get("/streamers", headers=headers)["streamers"]
        subscriptions = twitch.subscriptions.all()
        return (
            len(streamers) == count
            and all(streamer["is_active"] for streamer in streamers)
            and all(subscription.status == ENABLED for subscription in subscriptions)
        )

    wait_for(is_subscribed, 30)


def challenge(service: Deployment) -> requests.Response:
    """The response to a challenge of Twitch, which is "pogchamp"."""
    message = messages.verification("pogchamp", secret=SECRET)
    return requests.post(service.webhook_url, data=message.body, headers=message.headers, timeout=5)
