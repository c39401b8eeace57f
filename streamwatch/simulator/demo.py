"""`make demo`: StreamWatch with a simulated Twitch.

It needs no account and no server, and ignores the developer's own settings.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click
import urllib3

from streamwatch.analytics import journal
from streamwatch.dev.process_group import STOP_SECONDS, Process, start, stop, stopped_by_signals
from streamwatch.dev.run import GUNICORN
from streamwatch.domain.session_events import Kind, ProjectionInput
from streamwatch.domain.times import utc_now
from streamwatch.settings import VARIABLES, WEBHOOK_PATH
from streamwatch.simulator.cast import CAST
from streamwatch.simulator.faults import MessageFault
from streamwatch.simulator.past import Past
from streamwatch.simulator.simulator import Simulator
from streamwatch.simulator.web import HOST

API_KEY = "demo-key"

_WEBHOOK, _CONDUIT = "webhook", "conduit"
_START_SECONDS = 30
_ARCHIVED = timedelta(days=21)
"""How far back there are videos of the past streams."""

_NOT_OBSERVED = CAST[-1].login
"""A streamer who is known from videos only."""


@click.command()
@click.option("--port", envvar="PORT", default=8000, type=click.IntRange(1, 65_535))
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--transport",
    envvar="TRANSPORT",
    default=_WEBHOOK,
    type=click.Choice([_WEBHOOK, _CONDUIT]),
    show_default=True,
    help="How events arrive; also TRANSPORT=conduit make demo.",
)
def main(port: int, seed: int, transport: str) -> None:
    """Run until SIGINT or SIGTERM. If the web process ends by itself, exit with its exit code."""
    if not _is_free(port):
        click.echo(f"Port {port} is taken. Take another: PORT={port + 1} make demo", err=True)
        sys.exit(1)
    url = f"http://{HOST}:{port}"
    stopped = stopped_by_signals()
    with (
        TemporaryDirectory(prefix="streamwatch-demo-") as data,
        Simulator(alive=True, seed=seed) as twitch,
    ):
        write_past(twitch, data, seed)
        twitch.faults.helix_lag = timedelta(seconds=3)
        twitch.faults.chances = {
            MessageFault.DROPPED: 0.01,
            MessageFault.DOUBLED: 0.05,
            MessageFault.ECHOED: 0.03,
            MessageFault.LATE: 0.05,
        }
        with _web_process(environment(twitch, port, data, transport)) as web:
            if _wait_until_ready(web, url, stopped):
                _print_guide(url, twitch.control_url)
            while web.poll() is None and not stopped.wait(0.1):
                pass
            ended = web.poll()
    sys.exit(_exit_code(ended))


def write_past(twitch: Simulator, data: str, seed: int) -> None:
    """Write past streams into a file in the folder `data`, which the web process projects, and add
    the videos of the latest ones."""
    now = utc_now()
    past = Past(Random(seed), now).of(twitch.world)  # noqa: S311  a game's dice
    journal.write(Path(data) / journal.FILE_NAME, past)
    _archive(twitch, past, now)


def _archive(twitch: Simulator, past: ProjectionInput, now: datetime) -> None:
    """Add videos of the streams in `past`, and those of a streamer who was never observed."""
    starts = {event.stream_id: event for event in past.events if event.kind is Kind.ONLINE}
    for end in past.events:
        start = starts.get(end.stream_id)
        if end.kind is Kind.OFFLINE and start and start.at > now - _ARCHIVED:
            login, length = start.broadcaster_login, end.at - start.at
            twitch.videos.add(login, start.stream_id, start.at, length, title="Past stream")
    for days in range(2, _ARCHIVED.days, 3):
        start_at, length = now - timedelta(days=days), timedelta(hours=2 + days % 3)
        stream_id = f"{int(start_at.timestamp())}"
        twitch.videos.add(_NOT_OBSERVED, stream_id, start_at, length, title="Past stream")


def environment(
    twitch: Simulator, port: int, data: str, transport: str = _WEBHOOK
) -> dict[str, str]:
    """The environment of the web process. Variables of StreamWatch that the demo does not use are
    empty, so that values of the shell and of `.env` do not apply."""
    inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
    return {
        **inherited,
        **dict.fromkeys(VARIABLES, ""),
        "NO_PROXY": HOST,
        "TWITCH_CLIENT_ID": twitch.client_id,
        "TWITCH_CLIENT_SECRET": twitch.client_secret,
        "TWITCH_API_URL": twitch.api_url,
        "TWITCH_AUTH_URL": twitch.auth_url,
        "TWITCH_EVENTSUB_URL": twitch.eventsub_url,
        "EVENTSUB_TRANSPORT": transport,
        "WEBHOOK_URL": f"http://{HOST}:{port}{WEBHOOK_PATH}" if transport == _WEBHOOK else "",
        "STORAGE_TYPE": "memory",
        "ANALYTICS_TYPE": "memory",
        "DATA_DIR": data,
        "DEFAULT_STREAMERS": ",".join(member.login for member in CAST),
        "API_KEY": API_KEY,
        "IMAGE_ORIGINS": twitch.origin,
        "REFRESH_SECONDS": "15",
        "VERIFY_SECONDS": "60",
        "LOG_FORMAT": "console",
        "LOG_LEVEL": "WARNING",
        "HOST": HOST,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",  # gunicorn reads it too, and refuses an empty value
    }


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@contextmanager
def _web_process(env: dict[str, str]) -> Iterator[Process]:
    """Run gunicorn as in production; it is stopped at the end of the context."""
    web = start([*GUNICORN, "streamwatch.simulator.demo_app:app"], env)
    try:
        yield web
    finally:
        stop([web], STOP_SECONDS)


def _wait_until_ready(web: Process, url: str, stopped: threading.Event) -> bool:
    """Wait for the first live stream. False if the web process ends or `stopped` is set before."""
    deadline = time.monotonic() + _START_SECONDS
    while web.poll() is None and not stopped.wait(0.1):
        if _has_live_streams(url):
            return True
        if time.monotonic() > deadline:
            raise click.ClickException(f"No stream is live at {url} after {_START_SECONDS} s.")
    return False


def _has_live_streams(url: str) -> bool:
    try:
        answer = urllib3.request("GET", f"{url}/streams/live", timeout=2, retries=False)
    except urllib3.exceptions.HTTPError:
        return False  # not up yet
    return answer.status == HTTPStatus.OK and answer.json()["count"] > 0


def _print_guide(url: str, control: str) -> None:
    admin = f"curl -H 'Authorization: Bearer {API_KEY}' {url}/admin/subscriptions"
    commands = {
        "dashboard": f"{url}/dashboard (Manage asks for the key {API_KEY})",
        "who is live": f"curl {url}/streams/live",
        "what happened": f"curl '{url}/events?limit=5'",
        "one streamer": f"curl {url}/streamers/shroud/status",
        "remove one": f"curl -X DELETE {url}/streamers/waldkauzig",
        "add again": f"curl -X POST {url}/streamers/waldkauzig",
        "administration": admin,
        "make it happen": f"curl -X POST {control}/online/ossifiedotto",
        "all else": f"{url}/docs",
    }
    click.echo(f"\nStreamWatch watches {len(CAST)} simulated streamers at {url}. To try:\n")
    for meaning, command in commands.items():
        click.echo(f"  {meaning:16}{command}")
    click.echo("\nSomething happens every 10 to 20 seconds. Ctrl-C ends it.\n")


def _exit_code(ended: int | None) -> int:
    """The exit code of the web process, or 128 plus the signal that ended it; 0 if it runs."""
    if ended is None:
        return 0
    return ended if ended >= 0 else 128 - ended


if __name__ == "__main__":
    main()
