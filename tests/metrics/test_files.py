"""The alert rules and the dashboard: valid, and about metrics that there are."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.api.world import build_world
from tests.metrics.reading import promtool
from tests.processes import ROOT

RULES = ROOT / "config/prometheus/alerts.yml"
DASHBOARD = ROOT / "config/grafana/streamwatch.json"
_METRIC = re.compile(r"\bstreamwatch_\w+")


def known_metrics() -> set[str]:
    """The names of all samples that can exist."""
    text = build_world().get("/metrics").text
    suffixes = {"counter": ("_total",), "summary": ("_sum", "_count")}
    suffixes["histogram"] = ("_sum", "_count", "_bucket")
    return {
        family.name + suffix
        for family in text_string_to_metric_families(text)
        for suffix in suffixes.get(family.type, ("",))
    }


def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return document


def test_the_alert_rules_are_valid_and_fire() -> None:
    promtool("check", "rules", "--lint-fatal", str(RULES))
    promtool("check", "config", str(RULES.parent / "prometheus.yml"))
    promtool("test", "rules", str(RULES.parent / "alerts_test.yml"))


def test_promtool_accepts_the_metrics_of_memory_storage() -> None:
    promtool("check", "metrics", stdin=build_world().get("/metrics").text)


def test_rules_use_existing_metrics() -> None:
    named = set(_METRIC.findall(RULES.read_text()))
    assert named
    assert named <= known_metrics()


def test_the_dashboard_uses_existing_metrics() -> None:
    expressions = [t["expr"] for panel in dashboard()["panels"] for t in panel.get("targets", [])]
    named = {name for expression in expressions for name in _METRIC.findall(expression)}
    assert len(named) > 20
    assert named <= known_metrics()


def test_the_dashboards_expressions_are_prometheus(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{panel['id']}:{target['refId']}", "expr": target["expr"]}
        for panel in dashboard()["panels"]
        for target in panel.get("targets", [])
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(file))


def test_the_dashboards_panels_do_not_cover_each_other() -> None:
    places = [panel["gridPos"] for panel in dashboard()["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for first, other in combinations(places, 2):
        apart = (
            first["x"] + first["w"] <= other["x"]
            or other["x"] + other["w"] <= first["x"]
            or first["y"] + first["h"] <= other["y"]
            or other["y"] + other["h"] <= first["y"]
        )
        assert apart
