"""`python -m bench`; see the package."""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path

from bench import growth, latency, past, polling, projecting, report, works
from bench.processes import resident_megabytes
from bench.report import ServiceMetrics
from bench.worlds import Target, World, world, yardstick
from tests.faults.figures import keep
from tests.processes import ROOT
from tests.servers import mongo_server

DOCUMENT = ROOT / "docs" / "performance.md"
JSON = ROOT / "docs" / "performance.json"
DRAINED = 10_000


def main() -> None:
    given = _arguments()
    with ExitStack() as stack:
        mongo = stack.enter_context(mongo_server())
        bare = stack.enter_context(yardstick())
        small = stack.enter_context(world(200, 200, mongo, "small"))
        busy = stack.enter_context(world(1_000, 1_000, mongo, "busy"))
        large = stack.enter_context(world(10_000, 200, mongo, "large"))
        _say("Filling the analytics")
        past.fill(small.services.analytics, small.users, given.snapshots // 10)
        past.fill(busy.services.analytics, small.users, given.snapshots)
        most = given.snapshots * given.times
        past.fill(large.services.analytics, small.users, most)
        about = report.circumstances(given.repetitions, given.seconds, most)
        figures: ServiceMetrics = {"circumstances": about}
        reads, webhook = _reads(small, busy, bare), works.webhook("webhook", 0.70, small, bare)
        grown_reads, grown_webhook = growth.reads(small, large), growth.webhook(small, large)
        # Webhooks come last: they change who is live.
        for pairs in (
            [*(one.sides for one in reads), *(one.sides for one in grown_reads)],
            [webhook.sides, grown_webhook.sides],
        ):
            _say(f"{len(pairs)} works, {given.repetitions + 1} times {2 * given.seconds} s each")
            works.take_all(pairs, given.repetitions, given.seconds)
        figures["works"] = report.works([*reads, webhook])
        figures["growth"] = report.growths([*grown_reads, grown_webhook])
        figures["facts"] = [
            *_webhook_facts(small, figures),
            {
                "what": "memory of a web process, at 10,000 streamers",
                "measured": f"{max(map(resident_megabytes, large.target.workers)):.0f} MB",
                "target": "≤ 80 MB",
            },
        ]
        _say("A refresh of 10,000 streamers")
        figures["facts"] += _polling_facts(polling.measure(mongo))
    _tell(figures, keep_them=given.keep)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9, help="of every figure")
    parser.add_argument("--seconds", type=int, default=1, help="of load each time")
    parser.add_argument("--snapshots", type=int, default=200_000, help="in the analytics")
    parser.add_argument(
        "--times",
        type=int,
        default=1,
        help="as many snapshots where there is more: 10 is for 2 million",
    )
    parser.add_argument("--keep", action="store_true", help="put the figures into docs/")
    return parser.parse_args()


def _reads(small: World, busy: World, bare: Target) -> list[works.Work]:
    return [
        works.read("status", "/streamers/streamer_7/status", 0.65, small, bare),
        works.read("the newest 50 events", "/events?limit=50", 0.50, small, bare),
        works.read("200 live", "/streams/live", 0.30, small, bare),
        works.read("1,000 live", "/streams/live", 0.08, busy, bare),
        works.read("stats", "/analytics/streamer/streamer_7/stats", 0.45, busy, bare),
        works.read("top list", "/analytics/top-streamers/hours", 0.45, busy, bare),
        works.read("summary", "/analytics/summary", 0.45, busy, bare),
    ]


def _webhook_facts(small: World, figures: ServiceMetrics) -> list[ServiceMetrics]:
    _say("Webhooks at half the rate that saturates")
    took = latency.of_webhook(small)
    _say("The projector")
    drained = projecting.drained_a_second(small, DRAINED)
    [webhook] = [work for work in figures["works"] if work["work"] == "webhook"]
    return [
        {
            "what": f"webhook at {took.rate:,.0f} a second: 99 % within, median",
            "measured": f"{took.p99 * 1e3:.1f} ms, {took.median * 1e3:.1f} ms:"
            f" {took.p99 / took.median:.1f} times",
            "target": "≤ 4 times",
        },
        {
            "what": "projector, entries a second",
            "measured": f"{drained:,.0f}:"
            f" {drained / webhook['ours']['rate']:.1f} times the webhook",
            "target": "≥ 3 times",
        },
    ]


def _polling_facts(taken: polling.Polling) -> list[ServiceMetrics]:
    trips = taken.redis_trips + taken.mongo_trips
    return [
        {
            "what": "one refresh: calls to Helix",
            "measured": f"{taken.helix_calls}",
            "target": "100",
        },
        {
            "what": "one refresh, projected: round trips to Redis and MongoDB",
            "measured": f"{taken.redis_trips} + {taken.mongo_trips} = {trips}",
            "target": "≤ 300",
        },
        {
            "what": "one refresh, and its projection, of 1,000 who are live: seconds",
            "measured": f"{taken.refresh_seconds:.2f} + {taken.projection_seconds:.2f}",
            "target": "",
        },
        {
            "what": "memory of the worker",
            "measured": f"{taken.worker_megabytes:.0f} MB",
            "target": "≤ 120 MB",
        },
    ]


def _tell(figures: ServiceMetrics, *, keep_them: bool) -> None:
    tables = report.tables(figures)
    sys.stdout.write(f"{tables}\n")
    Path(ROOT, "build").mkdir(exist_ok=True)
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    Path(ROOT, "build", "bench.json").write_text(text)
    if keep_them:
        JSON.write_text(text)
        keep("latest", tables, DOCUMENT)


def _say(what: str) -> None:
    sys.stderr.write(f"{what} …\n")


if __name__ == "__main__":
    main()
