"""`python -m bench`; see the package."""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import (
    end_to_end,
    freshness,
    growth,
    history,
    latency,
    notifications,
    polling,
    projector,
    report,
)
from bench.deployments import Deployed, Target, streamwatch, yardstick
from bench.processes import resident_megabytes
from bench.report import Results, fact
from bench.scenarios import Scenario, measure_pairs, read_scenario, webhook_scenario
from tests.faults.results import write_results
from tests.processes import ROOT
from tests.servers import Server, mongo_server

DOCUMENT = ROOT / "docs" / "performance.md"
JSON = ROOT / "docs" / "performance.json"
PROJECTED_ENTRIES = 10_000
SUBSCRIBED = 5_000
"""As many streamers as one Twitch application can subscribe to. Messages of fewer streamers would
make timelines that no streamer has: each would go on and off several times a second."""


def main() -> None:
    options = _options()
    results: Results = {}
    with ExitStack() as stack:
        mongo = stack.enter_context(mongo_server())
        plain = stack.enter_context(yardstick())
        small = stack.enter_context(streamwatch(200, 200, mongo, "small"))
        web = stack.enter_context(streamwatch(SUBSCRIBED, 200, mongo, "web"))
        complete = stack.enter_context(streamwatch(SUBSCRIBED, 200, mongo, "complete", worker=True))
        busy = stack.enter_context(streamwatch(1_000, 1_000, mongo, "busy"))
        large = stack.enter_context(streamwatch(10_000, 200, mongo, "large"))
        _log("Writing sessions and samples")
        snapshots = options.snapshots * options.times
        history.write(small.services.analytics, small.users, options.snapshots // 10)
        history.write(busy.services.analytics, small.users, options.snapshots)
        history.write(large.services.analytics, small.users, snapshots)
        results["conditions"] = report.conditions(options.repetitions, options.seconds, snapshots)
        scenarios = _reads(small, busy, plain)
        growths = growth.reads(small, large)
        _measure([*scenarios, *growths], options)
        facts = results["facts"] = []
        # Messages come after the reads, since they change who is live.
        facts += _shown(_freshness_facts(complete, options.tries))
        webhooks = [
            webhook_scenario("webhook, without a worker", 0.50, web, plain),
            webhook_scenario("webhook, with a worker and MongoDB", 0.40, complete, plain),
        ]
        webhook_growth = growth.webhook(small, large)
        _measure([*webhooks, webhook_growth], options)
        results["scenarios"] = report.scenario_results([*scenarios, *webhooks])
        results["growth"] = report.growth_results([*growths, webhook_growth])
        facts += _shown(_webhook_facts(web, mongo))
        facts += _shown([_memory_fact(large)])
        _log("A refresh of 10,000 streamers")
        facts += _shown(_polling_facts(polling.measure(mongo)))
    _log("From a message of Twitch until it is visible elsewhere")
    for transport, saturating in (
        ("webhook", median(webhooks[1].ours.rates)),
        ("conduit", end_to_end.CONDUIT_SATURATING_RATE),
    ):
        for rate in (end_to_end.PACE, saturating / 2):
            facts += _shown(_end_to_end_facts(transport, rate))
    facts += _shown([_card_fact()])
    _log("Notifications")
    facts += _shown([_notification_fact(number) for number in (1, 10, 100)])
    facts += _shown([_notification_fact(1_000, of_one_streamer=True)])
    _write(results, to_docs=options.keep)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9, help="of every measurement")
    parser.add_argument("--seconds", type=int, default=1, help="of load each time")
    parser.add_argument("--snapshots", type=int, default=200_000, help="in the analytics")
    parser.add_argument(
        "--times",
        type=int,
        default=1,
        help="multiplies the snapshots of the large data set: 10 gives 2 million",
    )
    parser.add_argument("--tries", type=int, default=10_000, help="of reads after a write")
    parser.add_argument("--keep", action="store_true", help="put the results into docs/")
    return parser.parse_args()


def _measure(measured: list[Scenario | growth.Growth], options: argparse.Namespace) -> None:
    seconds = 2 * options.seconds
    _log(f"{len(measured)} scenarios, {options.repetitions + 1} times {seconds} s each")
    measure_pairs([item.pair for item in measured], options.repetitions, options.seconds)
    for item in measured:
        ratio = item.share if isinstance(item, Scenario) else item.ratio
        sys.stderr.write(f"  {item.name}: {ratio:.2f}\n")


def _reads(small: Deployed, busy: Deployed, plain: Target) -> list[Scenario]:
    return [
        read_scenario("status", "/streamers/streamer_7/status", 0.55, small, plain),
        read_scenario("the newest 50 events", "/events?limit=50", 0.55, small, plain),
        read_scenario("200 live", "/streams/live", 0.45, small, plain),
        read_scenario("1,000 live", "/streams/live", 0.20, busy, plain),
        read_scenario("stats", "/analytics/streamer/streamer_7/stats", 0.55, busy, plain),
        read_scenario("top list", "/analytics/top-streamers/hours", 0.55, busy, plain),
        read_scenario("summary", "/analytics/summary", 0.55, busy, plain),
    ]


def _memory_fact(large: Deployed) -> Results:
    return fact(
        "memory of a web process, at 10,000 streamers",
        f"{max(map(resident_megabytes, large.target.workers)):.0f} MB",
        "≤ 80 MB",
    )


def _notification_fact(count: int, *, of_one_streamer: bool = False) -> Results:
    seconds = notifications.delivery_seconds(count, of_one_streamer=of_one_streamer)
    p99, median = seconds[len(seconds) * 99 // 100], seconds[len(seconds) // 2]
    return fact(
        f"message to webhook, {notifications.EVENTS_PER_SECOND} events a second to {count:,}"
        f" notifications{' of one streamer each' if of_one_streamer else ''}:"
        " 99th percentile, median",
        f"{p99:.2f} s, {median:.2f} s",
        "< 1 s",
    )


def _webhook_facts(small: Deployed, mongo: Server) -> list[Results]:
    _log("Webhooks at half the saturating rate")
    measured = latency.webhook_latency(small)
    _log("The projector")
    projected = projector.measure(small, mongo, PROJECTED_ENTRIES)
    return [
        fact(
            f"webhook at {measured.rate:,.0f} a second: 99th percentile, median",
            f"{measured.p99 * 1e3:.1f} ms, {measured.median * 1e3:.1f} ms:"
            f" {measured.p99 / measured.median:.1f} times",
            "≤ 4 times",
        ),
        fact(
            "projector on MongoDB, entries a second",
            f"{projected.entries_per_second:,.0f}",
            "≥ 2,000",
        ),
        fact(
            "projector on MongoDB, CPU of an entry: its process and MongoDB",
            f"{projected.own_us:.0f} + {projected.server_us:.0f}"
            f" = {projected.own_us + projected.server_us:.0f} µs",
            "≤ 300 µs",
        ),
    ]


def _freshness_facts(deployed: Deployed, tries: int) -> list[Results]:
    _log(f"{tries:,} reads after a write to another process")
    measured = freshness.measure(deployed, tries)
    return [
        fact(
            f"age of an outdated answer of another process, {measured.tries:,} tries:"
            " 99.9th percentile, longest",
            f"{measured.p999:.1f} ms, {measured.longest:.1f} ms",
            "≤ 50 ms, ≤ 1,000 ms",
        )
    ]


def _polling_facts(measured: polling.Polling) -> list[Results]:
    trips = measured.redis_trips + measured.mongo_trips
    return [
        fact("one refresh: calls to Helix", f"{measured.helix_calls}", "100"),
        fact(
            "one refresh, projected: round trips to Redis and MongoDB",
            f"{measured.redis_trips} + {measured.mongo_trips} = {trips}",
            "≤ 300",
        ),
        fact(
            "one refresh of 1,000 live streams, and its projection: seconds",
            f"{measured.refresh_seconds:.2f} + {measured.projection_seconds:.2f}",
        ),
        fact("memory of the worker", f"{measured.worker_megabytes:.0f} MB", "≤ 120 MB"),
    ]


def _end_to_end_facts(transport: str, rate: float) -> list[Results]:
    return [
        fact(
            f"{transport}, {rate:,.0f} messages a second, to {place}:"
            " median, 99th percentile, longest",
            str(delays),
            f"p99 ≤ {end_to_end.PLACES[place] * 1e3:,.0f} ms",
        )
        for place, delays in end_to_end.measure(transport, rate).items()
    ]


def _card_fact() -> Results:
    return fact(
        "webhook to a card on an open dashboard in Chromium: median, 99th percentile, longest",
        str(end_to_end.card_delays()),
        "≤ 1,000 ms",
    )


def _write(results: Results, *, to_docs: bool) -> None:
    tables = report.tables(results)
    sys.stdout.write(f"{tables}\n")
    Path(ROOT, "build").mkdir(exist_ok=True)
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    Path(ROOT, "build", "bench.json").write_text(text)
    if to_docs:
        JSON.write_text(text)
        write_results("latest", tables, DOCUMENT)


def _shown(facts: list[Results]) -> list[Results]:
    """The same facts, after printing them: the run is long, and can be interrupted."""
    for row in facts:
        sys.stderr.write(f"  {row['what']}: {row['measured']}\n")
    return facts


def _log(step: str) -> None:
    sys.stderr.write(f"{step} …\n")


if __name__ == "__main__":
    main()
