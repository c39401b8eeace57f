"""The results as JSON, and the JSON as Markdown tables."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from bench.growth import Growth
from bench.load import CONNECTIONS, generator
from bench.scenarios import Scenario, Series
from streamwatch import __version__
from streamwatch.domain.times import format_time

Results = dict[str, Any]


def conditions(repetitions: int, seconds: int, snapshots: int) -> Results:
    """When, where and how it was measured."""
    return {
        "at": format_time(datetime.now(UTC).replace(microsecond=0)),
        "version": __version__,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "generator": generator(),
        "connections": CONNECTIONS,
        "repetitions": repetitions,
        "seconds": seconds,
        "snapshots": snapshots,
    }


def scenario_results(scenarios: Sequence[Scenario]) -> list[Results]:
    return [
        {
            "scenario": scenario.name,
            "yardstick": scenario.yardstick_name,
            "minimum": scenario.minimum,
            "share": round(scenario.share, 3),
            "shares": [round(share, 3) for share in sorted(scenario.shares)],
            "ours": _series_results(scenario.ours),
            "theirs": _series_results(scenario.yardstick),
        }
        for scenario in scenarios
    ]


def growth_results(growths: Sequence[Growth]) -> list[Results]:
    return [
        {
            "scenario": growth.name,
            "limit": growth.limit,
            "ratio": round(growth.ratio, 3),
            "ratios": [round(ratio, 3) for ratio in sorted(growth.ratios)],
            "small": _series_results(growth.small),
            "large": _series_results(growth.large),
        }
        for growth in growths
    ]


def fact(name: str, measured: str, target: str = "") -> Results:
    """A single result, with its target."""
    return {"what": name, "measured": measured, "target": target}


def _series_results(series: Series) -> Results:
    web, redis = (round(median(used)) for used in zip(*series.cpu, strict=True))
    return {"rate": round(median(series.rates)), "web_cpu_us": web, "redis_cpu_us": redis}


def tables(results: Results) -> str:
    """The results as Markdown."""
    about = results["conditions"]
    head = (
        f"{about['at']}, version {about['version']}, Python {about['python']}, {about['cores']}"
        f" cores with a load of {about['load_before']} before; {about['connections']} connections"
        f" by {about['generator']}, {about['repetitions']} times {about['seconds']} s each;"
        f" {about['snapshots']:,} snapshots in the large data set."
    )
    return "\n\n".join(
        [head, _scenario_table(results), _growth_table(results), _fact_table(results)]
    )


def _scenario_table(results: Results) -> str:
    names = (
        "request",
        "a second",
        "yardstick",
        "share",
        "from … to",
        "to reach",
        "CPU µs (yardstick's)",
    )
    rows = [
        (
            scenario["scenario"],
            f"{scenario['ours']['rate']:,}",
            f"{scenario['yardstick']} {scenario['theirs']['rate']:,}",
            f"**{scenario['share']:.2f}**",
            f"{scenario['shares'][0]:.2f} … {scenario['shares'][-1]:.2f}",
            f"≥ {scenario['minimum']:.2f}",
            f"{_cpu(scenario['ours'])} ({_cpu(scenario['theirs'])})",
        )
        for scenario in results["scenarios"]
    ]
    return _table(names, rows)


def _growth_table(results: Results) -> str:
    names = ("request", "small: a second", "large: a second", "cost ratio", "from … to", "at most")
    rows = [
        (
            growth["scenario"],
            f"{growth['small']['rate']:,}",
            f"{growth['large']['rate']:,}",
            f"**{growth['ratio']:.2f}**",
            f"{growth['ratios'][0]:.2f} … {growth['ratios'][-1]:.2f}",
            f"{growth['limit']:.2f}",
        )
        for growth in results["growth"]
    ]
    return _table(names, rows)


def _fact_table(results: Results) -> str:
    rows = [(fact["what"], f"**{fact['measured']}**", fact["target"]) for fact in results["facts"]]
    return _table(("what", "measured", "to reach"), rows)


def _cpu(series: Results) -> str:
    return f"{series['web_cpu_us']:,} + {series['redis_cpu_us']}"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] + ["---:"] * (len(names) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
