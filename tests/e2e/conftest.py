from collections.abc import Iterator
from pathlib import Path

import pytest

from streamwatch.simulator import Simulator
from streamwatch.simulator.subscriptions import ENABLED
from tests.processes import Deployment, deployment
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


@pytest.fixture(params=["memory", "redis"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, twitch: Simulator
) -> Iterator[Deployment]:
    """The processes of the Procfile, with the simulated Twitch."""
    settings = twitch_settings(twitch) | {
        "DEFAULT_STREAMERS": "shroud,QuillAndCopper,nobody_by_this_name",
        "REFRESH_SECONDS": "2",
        "STORAGE_TYPE": request.param,
    }
    if request.param == "memory":
        with deployment(tmp_path / "service", **settings) as deployed:
            deployed.environment["WEBHOOK_URL"] = deployed.webhook_url
            deployed.start("web")
            deployed.wait_until_up()
            yield deployed
        return
    settings |= {
        "REDIS_URL": request.getfixturevalue("redis_url"),
        "MONGODB_URL": request.getfixturevalue("mongodb_url"),
        "MONGODB_DATABASE": request.getfixturevalue("mongodb_database"),
    }
    with deployment(tmp_path / "service", **settings) as deployed:
        deployed.environment["WEBHOOK_URL"] = deployed.webhook_url
        deployed.start("web")
        deployed.wait_until_up()
        deployed.start("worker")
        yield deployed


def wait_for_subscriptions(service: Deployment, twitch: Simulator) -> None:
    """Return once both default streamers are monitored and Twitch has verified their subscriptions,
    before which it sends no events."""

    def is_subscribed() -> bool:
        streamers = service.get("/streamers")["streamers"]
        subscriptions = twitch.subscriptions.all()
        return (
            len(streamers) == 2
            and all(streamer["is_active"] for streamer in streamers)
            and all(subscription.status == ENABLED for subscription in subscriptions)
        )

    wait_for(is_subscribed, 30)
