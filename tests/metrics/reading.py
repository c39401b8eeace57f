"""Reading what `/metrics` answers, and Prometheus' own tool."""

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.tools import run, tool


def promtool(*arguments: str, stdin: str | None = None) -> str:
    """What `promtool` says; the test fails where it is not content."""
    done = run([tool("promtool", debian="prometheus"), *arguments], stdin=stdin)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Scrape:
    """One answer of `/metrics`."""

    def __init__(self, url: str, **arguments: object) -> None:
        answer = requests.get(f"{url}/metrics", timeout=10, **arguments)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.text = answer.text
        self._samples = [
            sample
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        ]

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self._samples}

    def sum(self, name: str, **labels: str) -> float:
        """The sum of the samples of `name` with these labels; None of them is 0."""
        wanted = labels.items()
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == f"streamwatch_{name}" and wanted <= sample.labels.items()
        )

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label has."""
        return {
            sample.labels[label] for sample in self._samples if sample.name == f"streamwatch_{name}"
        }
