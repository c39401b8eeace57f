"""Figures as JSON, and the JSON as tables."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from bench.growth import Growth
from bench.load import CONNECTIONS, generator
from bench.works import Side, Work
from streamwatch import __version__
from streamwatch.domain.times import format_time

ServiceMetrics = dict[str, Any]


def circumstances(repetitions: int, seconds: int, snapshots: int) -> ServiceMetrics:
    return {
        "at": format_time(datetime.now(UTC).replace(microsecond=0)),
        "version": __version__,
        "cores": os.cpu_count(),
        "busy": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "generator": generator(),
        "connections": CONNECTIONS,
        "repetitions": repetitions,
        "seconds": seconds,
        "snapshots": snapshots,
    }


def works(measured: Sequence[Work]) -> list[ServiceMetrics]:
    return [
        {
            "work": work.name,
            "yardstick": work.yardstick,
            "target": work.target,
            "share": round(work.share, 3),
            "shares": [round(share, 3) for share in sorted(work.shares)],
            "ours": _side(work.ours),
            "theirs": _side(work.theirs),
        }
        for work in measured
    ]


def _side(side: Side) -> ServiceMetrics:
    web, redis = (round(median(used)) for used in zip(*side.cpu, strict=True))
    return {"rate": round(median(side.rates)), "web_cpu_us": web, "redis_cpu_us": redis}


def growths(measured: Sequence[Growth]) -> list[ServiceMetrics]:
    return [
        {
            "work": one.name,
            "limit": one.limit,
            "times": round(one.ratio, 3),
            "all_times": [round(ratio, 3) for ratio in sorted(one.ratios)],
            "small": _side(one.small),
            "large": _side(one.large),
        }
        for one in measured
    ]


def tables(figures: ServiceMetrics) -> str:
    about = figures["circumstances"]
    head = (
        f"{about['at']}, version {about['version']}, Python {about['python']}, {about['cores']}"
        f" cores with a load of {about['busy']} before; {about['connections']} connections by"
        f" {about['generator']}, {about['repetitions']} times {about['seconds']} s each;"
        f" {about['snapshots']:,} snapshots where it says large."
    )
    return "\n\n".join([head, _works(figures), _growths(figures), _facts(figures)])


def _works(figures: ServiceMetrics) -> str:
    names = (
        "work",
        "a second",
        "yardstick",
        "share",
        "from … to",
        "to reach",
        "CPU µs (yardstick's)",
    )
    rows = [
        (
            work["work"],
            f"{work['ours']['rate']:,}",
            f"{work['yardstick']} {work['theirs']['rate']:,}",
            f"**{work['share']:.2f}**",
            f"{work['shares'][0]:.2f} … {work['shares'][-1]:.2f}",
            f"≥ {work['target']:.2f}",
            f"{_cpu(work['ours'])} ({_cpu(work['theirs'])})",
        )
        for work in figures["works"]
    ]
    return _table(names, rows)


def _growths(figures: ServiceMetrics) -> str:
    names = ("work", "small: a second", "large: a second", "times the cost", "from … to", "at most")
    rows = [
        (
            one["work"],
            f"{one['small']['rate']:,}",
            f"{one['large']['rate']:,}",
            f"**{one['times']:.2f}**",
            f"{one['all_times'][0]:.2f} … {one['all_times'][-1]:.2f}",
            f"{one['limit']:.2f}",
        )
        for one in figures["growth"]
    ]
    return _table(names, rows)


def _facts(figures: ServiceMetrics) -> str:
    return _table(
        ("what", "measured", "to reach"),
        [(fact["what"], f"**{fact['measured']}**", fact["target"]) for fact in figures["facts"]],
    )


def _cpu(side: ServiceMetrics) -> str:
    return f"{side['web_cpu_us']:,} + {side['redis_cpu_us']}"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] + ["---:"] * (len(names) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
