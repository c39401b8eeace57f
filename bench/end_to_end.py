"""How long it takes from a message of Twitch until it is visible: in the live list of another web
process, in an open stream of events, at the webhook of a notification, as a session in the API.

`python -m bench.end_to_end webhook` (or `conduit`, or `cards`) measures one part alone. The
whole service runs: two web processes, a worker, Redis and MongoDB. Messages over the WebSocket come
from the simulated Twitch, and its time to send them counts too.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any, Self

import orjson
import requests

from bench.deployments import DURABLE, SECRET
from streamwatch.domain.models import User
from streamwatch.settings import WEBHOOK_PATH
from streamwatch.simulator import Simulator
from streamwatch.simulator.subscriptions import ENABLED
from tests.browser import launched
from tests.messages import offline, online
from tests.notifications.receiver import Receiver, Request, receiving
from tests.processes import Deployment, deployment
from tests.servers import free_port, mongo_server, redis_server
from tests.waiting import wait_for

STARTS = 1_000
PACE = 20.0
"""Messages a second in the measurement of ordinary load."""

CONDUIT_SATURATING_RATE = 70.0
"""Messages a second that a worker stores from the WebSocket on two cores, which it shares with all
other processes: measured with messages at a higher rate."""

LIVE_AT_ONCE = 40
FOLLOWED_SESSIONS = 10
"""The session of every so many streams is asked for."""

PLACES = {
    "the live list of another process": 0.050,
    "an open stream of events": 0.100,
    "the webhook of a notification": 1.0,
    "the session in the API": 5.0,
}
"""What is measured, with the limit of its 99th percentile in seconds."""

LIVE_LIST, EVENTS, NOTIFICATION, SESSION = PLACES

_KEY = "a-key-for-the-benchmark"
_BETWEEN_CARDS = 3.0
"""Seconds: an open page loads itself again every two seconds at most."""

_LIMIT_SECONDS = 120.0
"""Seconds after which a stream that is not seen everywhere ends the benchmark."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from a message until a place shows it."""

    count: int
    median: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: list[float]) -> Self:
        return cls(len(seconds), median(seconds), quantiles(seconds, n=100)[98], max(seconds))

    def __str__(self) -> str:
        milliseconds = (round(value * 1e3) for value in (self.median, self.p99, self.longest))
        median_ms, p99_ms, longest_ms = milliseconds
        return f"{median_ms} ms, {p99_ms} ms, {longest_ms} ms of {self.count}"


@dataclass
class Sightings:
    """When each stream was sent, and when each place first showed it."""

    sent: dict[str, float] = field(default_factory=dict)
    seen: dict[str, dict[str, float]] = field(
        default_factory=lambda: {place: {} for place in PLACES}
    )

    def see(self, place: str, stream_id: str) -> None:
        self.seen[place].setdefault(stream_id, time.perf_counter())

    def delays(self, place: str) -> Delays:
        """The delays of the streams that a place showed."""
        seen = self.seen[place]
        return Delays.of([seen[stream] - at for stream, at in self.sent.items() if stream in seen])

    def is_complete(self) -> bool:
        """Whether all streams were seen everywhere, as far as they are followed."""
        everywhere = (LIVE_LIST, EVENTS, NOTIFICATION)
        return (
            all(self.sent.keys() <= self.seen[place].keys() for place in everywhere)
            and len(self.seen[SESSION]) == len(self.sent) // FOLLOWED_SESSIONS
        )


@dataclass(frozen=True, slots=True)
class Service:
    """The service with the simulated Twitch; `reader_url` is of the web process that gets no
    messages."""

    twitch: Simulator
    deployed: Deployment
    reader_url: str
    users: list[User]


Start = Callable[[User, str], str]
"""Lets a user go live with a stream id, which may be another: returns the id."""

Stop = Callable[[User, str], object]


def measure(transport: str, rate: float, starts: int = STARTS) -> dict[str, Delays]:
    """The delays by place, with `rate` messages a second, half of which start a stream."""
    with running(transport, starts) as service, _watching(service) as sightings:
        start, stop = _senders(service, transport)
        _send(service.users, sightings, rate, start, stop)
        wait_for(sightings.is_complete, _LIMIT_SECONDS)
        return {place: sightings.delays(place) for place in PLACES}


def card_delays(starts: int = 50) -> Delays:
    """Seconds from a webhook message until an open dashboard in Chromium shows the card."""
    seconds: list[float] = []
    with running("webhook", starts) as service, launched() as browser:
        start, stop = _senders(service, "webhook")
        page = browser.new_page()
        page.goto(f"{service.reader_url}/dashboard/?setup=skipped")
        page.wait_for_selector("[data-pulse].on")
        for user in service.users:
            begin = time.perf_counter()
            stream_id = start(user, f"5{user.user_id}")
            page.wait_for_selector(f"#user-{user.user_id}", state="attached")
            seconds.append(time.perf_counter() - begin)
            stop(user, stream_id)
            page.wait_for_selector(f"#user-{user.user_id}", state="detached")
            time.sleep(_BETWEEN_CARDS)
    return Delays.of(seconds)


@contextmanager
def running(transport: str, streamers: int) -> Iterator[Service]:
    """The service with so many streamers, all subscriptions enabled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="streamwatch-bench-")))
        redis = stack.enter_context(redis_server(*DURABLE))
        mongo = stack.enter_context(mongo_server())
        twitch = stack.enter_context(Simulator())
        users = [twitch.world.add_user(f"Streamer_{number}") for number in range(streamers)]
        settings = twitch_settings(twitch, transport) | {
            "REDIS_URL": redis.url,
            "MONGODB_URL": mongo.url,
            "DEFAULT_STREAMERS": ",".join(user.login for user in users),
        }
        deployed = stack.enter_context(deployment(folder, **settings))
        if transport == "webhook":
            deployed.environment["WEBHOOK_URL"] = deployed.webhook_url
        port = free_port()
        deployed.start("web")
        deployed.start("web", PORT=str(port))
        deployed.wait_until_up()
        deployed.start("worker")  # the web answers the challenges of the subscriptions
        wait_for(lambda: _is_subscribed(twitch, streamers), 120)
        yield Service(twitch, deployed, f"http://127.0.0.1:{port}", users)


def twitch_settings(twitch: Simulator, transport: str) -> dict[str, str]:
    """The settings of a service that uses the simulated Twitch."""
    return {
        "STORAGE_TYPE": "redis",
        "ANALYTICS_TYPE": "mongodb",
        "TWITCH_CLIENT_ID": twitch.client_id,
        "TWITCH_CLIENT_SECRET": twitch.client_secret,
        "TWITCH_API_URL": twitch.api_url,
        "TWITCH_AUTH_URL": twitch.auth_url,
        "TWITCH_EVENTSUB_URL": twitch.eventsub_url,
        "EVENTSUB_TRANSPORT": transport,
        "WEBHOOK_SECRET": SECRET,
        "WEB_CONCURRENCY": "1",
        "API_KEY": _KEY,
        "RATE_LIMIT": "0",
        "REFRESH_SECONDS": "86400",
        "NOTIFICATIONS_ALLOW_PRIVATE": "true",
        "LOG_FORMAT": "json",
    }


def _is_subscribed(twitch: Simulator, streamers: int) -> bool:
    subscriptions = twitch.subscriptions.all()
    return (
        len(subscriptions) == 2 * streamers
        and all(subscription.status == ENABLED for subscription in subscriptions)
        and all(twitch.conduits.shards(conduit.id, "enabled") for conduit in twitch.conduits.all())
    )


def _senders(service: Service, transport: str) -> tuple[Start, Stop]:
    if transport == "conduit":
        world = service.twitch.world
        return (
            lambda user, _: world.go_online(user.login).id,
            lambda user, _: world.go_offline(user.login),
        )
    session = requests.Session()
    url = service.deployed.url + WEBHOOK_PATH

    def start(user: User, stream_id: str) -> str:
        message = online(user, stream_id, secret=SECRET)
        session.post(url, data=message.body, headers=message.headers, timeout=10).raise_for_status()
        return stream_id

    def stop(user: User, stream_id: str) -> None:
        message = offline(user, stream_id, secret=SECRET)
        session.post(url, data=message.body, headers=message.headers, timeout=10).raise_for_status()

    return start, stop


def _send(users: list[User], sightings: Sightings, rate: float, start: Start, stop: Stop) -> None:
    """Each user goes live once; at most LIVE_AT_ONCE are live."""
    begin = time.perf_counter()
    live: list[tuple[User, str]] = []
    for number, user in enumerate(users):
        time.sleep(max(0.0, begin + 2 * number / rate - time.perf_counter()))
        sent_at = time.perf_counter()
        stream_id = start(user, f"5{user.user_id}")
        sightings.sent[stream_id] = sent_at
        live.append((user, stream_id))
        if len(live) > LIVE_AT_ONCE:
            stop(*live.pop(0))


@contextmanager
def _watching(service: Service) -> Iterator[Sightings]:
    """Watch all places for as long as the context lasts."""
    sightings = Sightings()
    done = threading.Event()

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        event = orjson.loads(request.body)["data"]["event"]
        sightings.see(NOTIFICATION, event["data"]["id"])
        return 204, {}, b""

    with receiving(Receiver(answer=answer)) as receiver:
        _add_notification(service.reader_url, receiver.url)
        listening = requests.get(
            f"{service.reader_url}/events/live?type=stream.online", stream=True, timeout=300
        )
        watchers = (
            lambda: _watch_events(listening, sightings),
            lambda: _watch_live_list(service.reader_url, sightings, done),
            lambda: _watch_sessions(service, sightings, done),
        )
        for watch in watchers:
            threading.Thread(target=watch, daemon=True).start()
        try:
            yield sightings
        finally:
            done.set()


def _add_notification(url: str, target: str) -> None:
    requests.post(
        f"{url}/notifications",
        json={"name": "bench", "kind": "webhook", "url": target, "events": ["stream.online"]},
        headers={"Authorization": f"Bearer {_KEY}"},
        timeout=10,
    ).raise_for_status()


def _watch_events(response: requests.Response, sightings: Sightings) -> None:
    for line in response.iter_lines(chunk_size=1):
        if line.startswith(b"data: "):
            sightings.see(EVENTS, orjson.loads(line[6:])["data"]["id"])


def _watch_live_list(url: str, sightings: Sightings, done: threading.Event) -> None:
    session = requests.Session()
    known = ""
    while not done.is_set():
        response = session.get(f"{url}/streams/live", headers={"If-None-Match": known}, timeout=10)
        if response.status_code == requests.codes.ok:
            known = response.headers["ETag"]
            for live in orjson.loads(response.content)["live_streams"]:
                sightings.see(LIVE_LIST, live["stream_data"]["id"])
        time.sleep(0.005)


def _watch_sessions(service: Service, sightings: Sightings, done: threading.Event) -> None:
    """Ask for the followed sessions that were not seen yet, over and over."""
    session = requests.Session()
    logins = {user.login: None for user in service.users[::FOLLOWED_SESSIONS]}
    while not done.is_set():
        for login in list(logins):
            response = session.get(
                f"{service.reader_url}/analytics/streamer/{login}/sessions?limit=1", timeout=10
            )
            found: list[dict[str, Any]] = response.json().get("sessions", [])
            if found:
                sightings.see(SESSION, found[0]["stream_id"])
                del logins[login]
        time.sleep(0.02)


def main() -> None:
    """Measure one transport, or `cards`."""
    what = sys.argv[1] if len(sys.argv) > 1 else "webhook"
    measured = {"a card": card_delays()} if what == "cards" else measure(what, PACE)
    for place, delays in measured.items():
        print(f"{place}: {delays}")  # noqa: T201  the result


if __name__ == "__main__":
    main()
