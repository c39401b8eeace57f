"""Seconds from the start of a stream until `/streams/live` shows it, by transport.

`python -m bench.go_live conduit` runs the web process with memory storage, as at home, against the
simulated Twitch.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import requests

from streamwatch.simulator import Simulator
from streamwatch.simulator.subscriptions import ENABLED
from tests.processes import Deployment, deployment
from tests.waiting import wait_for

STARTS = 200


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds until a start is visible."""

    median: float
    p99: float
    slowest: float


def measure(transport: str, starts: int = STARTS) -> Delays:
    """Let one streamer start `starts` times, and measure each."""
    with (
        TemporaryDirectory() as folder,
        Simulator() as twitch,
        deployment(Path(folder), **_settings(twitch, transport)) as service,
    ):
        if transport == "webhook":
            service.environment["WEBHOOK_URL"] = service.webhook_url
        service.start("web")
        service.wait_until_up()
        wait_for(lambda: _is_subscribed(twitch), 30)
        session = requests.Session()
        delays = sorted(_delay(twitch, service, session) for _ in range(starts))
        return Delays(median(delays), quantiles(delays, n=100)[98], delays[-1])


def _settings(twitch: Simulator, transport: str) -> dict[str, str]:
    return {
        "TWITCH_CLIENT_ID": twitch.client_id,
        "TWITCH_CLIENT_SECRET": twitch.client_secret,
        "TWITCH_API_URL": twitch.api_url,
        "TWITCH_AUTH_URL": twitch.auth_url,
        "TWITCH_EVENTSUB_URL": twitch.eventsub_url,
        "EVENTSUB_TRANSPORT": transport,
        "WEBHOOK_SECRET": "a secret of the bench",
        "DEFAULT_STREAMERS": "shroud",
        "RATE_LIMIT": "0",
        "REFRESH_SECONDS": "86400",
    }


def _is_subscribed(twitch: Simulator) -> bool:
    subscriptions = twitch.subscriptions.all()
    is_attached = all(twitch.conduits.shards(one.id, "enabled") for one in twitch.conduits.all())
    return (
        len(subscriptions) == 2  # noqa: PLR2004  online and offline
        and all(one.status == ENABLED for one in subscriptions)
        and is_attached
    )


def _delay(twitch: Simulator, service: Deployment, session: requests.Session) -> float:
    start = time.monotonic()
    stream = twitch.world.go_online("shroud")
    _wait(service, session, stream.id)
    delay = time.monotonic() - start
    twitch.world.go_offline("shroud")
    _wait(service, session, None)
    time.sleep(1.0)  # Twitch gives start times in whole seconds
    return delay


def _wait(service: Deployment, session: requests.Session, stream_id: str | None) -> None:
    while _live(service, session) != stream_id:
        time.sleep(0.005)


def _live(service: Deployment, session: requests.Session) -> str | None:
    live = session.get(f"{service.url}/streams/live", timeout=10).json()["live_streams"]
    found: str | None = live[0]["stream_data"]["id"] if live else None
    return found


if __name__ == "__main__":
    measured = measure(sys.argv[1] if len(sys.argv) > 1 else "conduit")
    print(  # noqa: T201  the result
        f"median {measured.median * 1000:.0f} ms, p99 {measured.p99 * 1000:.0f} ms,"
        f" slowest {measured.slowest * 1000:.0f} ms"
    )
