"""What a start costs: calls to Twitch, time and memory; and the idle CPU of `streamwatch dev`.

`python -m bench.start` takes twenty minutes, since Twitch allows 800 calls a minute and 5,000
streamers need 15,000 subscriptions. It is not a part of `make bench`.
"""

import argparse
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from bench.deployments import SECRET
from bench.end_to_end import twitch_settings
from bench.processes import cpu_seconds, resident_megabytes
from streamwatch.simulator import Simulator
from streamwatch.simulator.subscriptions import ENABLED
from tests.child_processes import children
from tests.processes import Deployment, Process, deployment
from tests.servers import redis_server
from tests.waiting import wait_for

STREAMERS = 5_000
SUBSCRIPTIONS_EACH = 3
IDLE_SECONDS = 60.0
_LIMIT_SECONDS = 3_000.0


def main() -> None:
    """Measure a cold start, a warm start, and an idle installation."""
    parser = argparse.ArgumentParser(prog="python -m bench.start", description=__doc__)
    parser.add_argument("--streamers", type=int, default=STREAMERS)
    streamers = parser.parse_args().streamers
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="streamwatch-bench-")))
        redis = stack.enter_context(redis_server())
        twitch = stack.enter_context(Simulator())
        twitch.subscriptions.max_total_cost = SUBSCRIPTIONS_EACH * streamers
        users = [twitch.world.add_user(f"Streamer_{number}") for number in range(streamers)]
        for user in users[::5]:
            twitch.world.go_online(user.login)
        settings = twitch_settings(twitch, "webhook") | {
            "REDIS_URL": redis.url,
            "ANALYTICS_TYPE": "redis",
            "WATCH_UPDATES": "true",
            "DEFAULT_STREAMERS": ",".join(user.login for user in users),
        }
        deployed = stack.enter_context(deployment(folder, **settings))
        deployed.environment["WEBHOOK_URL"] = deployed.webhook_url
        web = deployed.start("web")
        deployed.wait_until_up()
        worker = _start(deployed, twitch, "cold", streamers)
        worker.stop()
        worker = _start(deployed, twitch, "warm", streamers)
        time.sleep(IDLE_SECONDS)
        _print("memory", f"worker {resident_megabytes(worker.pid):.0f} MB")
        for pid in children(web.pid):
            _print("memory", f"web process {resident_megabytes(pid):.0f} MB")
    _print("idle", f"{_idle_share():.1%} of a core used by `streamwatch dev`")


def _start(deployed: Deployment, twitch: Simulator, name: str, streamers: int) -> Process:
    """Start a worker, and wait until everyone was polled and all subscriptions are enabled."""
    before = len(twitch.calls)
    begin = time.monotonic()
    worker = deployed.start("worker")
    wait_for(lambda: _live(deployed) == streamers // 5, _LIMIT_SECONDS)
    _print(name, f"{time.monotonic() - begin:.0f} s until everyone was polled")
    wait_for(lambda: _enabled(twitch) == SUBSCRIPTIONS_EACH * streamers, _LIMIT_SECONDS)
    wait_for(lambda: "Subscriptions healthy" in worker.log, _LIMIT_SECONDS)
    _print(name, f"{time.monotonic() - begin:.0f} s until all subscriptions were enabled")
    calls = Counter((call.method, call.path) for call in twitch.calls[before:])
    for (method, path), count in sorted(calls.items()):
        _print(name, f"{method} {path}: {count:,}")
    refused = sum(call.status == requests.codes.too_many for call in twitch.calls[before:])
    _print(name, f"{refused} calls refused for their rate")
    return worker


def _live(deployed: Deployment) -> int:
    found: int = deployed.get("/streams/live")["count"]
    return found


def _enabled(twitch: Simulator) -> int:
    return sum(each.status == ENABLED for each in twitch.subscriptions.all())


def _idle_share() -> float:
    """The share of a core that an installation without streamers uses, its database included."""
    with (
        TemporaryDirectory(prefix="streamwatch-bench-") as folder,
        deployment(Path(folder), DATA_DIR=folder, WEBHOOK_SECRET=SECRET) as deployed,
    ):
        process = Process(["streamwatch", "dev"], deployed.environment, deployed.folder)
        deployed.processes.append(process)
        deployed.wait_until_up()
        time.sleep(10)
        family = _family(process.pid)
        before = cpu_seconds(family)
        time.sleep(IDLE_SECONDS)
        used = cpu_seconds(family) - before
        process.stop()
        return used / IDLE_SECONDS


def _family(pid: int) -> list[int]:
    """A process and all that it started, directly or not."""
    return [pid, *(member for child in children(pid) for member in _family(child))]


def _print(name: str, text: str) -> None:
    print(f"{name}: {text}", flush=True)  # noqa: T201  the result


if __name__ == "__main__":
    main()
