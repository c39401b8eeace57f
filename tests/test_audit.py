import json
from typing import Any

import pytest

from tests.audit import verdict

SOUND: dict[str, Any] = {"name": "click", "version": "8.5.1", "vulns": []}
SKIPPED: dict[str, Any] = {"name": "redis", "skip_reason": "not found on PyPI"}
VULNERABLE: dict[str, Any] = {
    "name": "requests",
    "version": "2.0.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1.0"]}, {"id": "PYSEC-2", "fix_versions": []}],
}


def written(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_known_vulnerability_fails_and_is_listed() -> None:
    status, text = verdict(written(SOUND, VULNERABLE, SKIPPED))
    assert status == 1
    assert text.splitlines() == [
        "requests 2.0.0: PYSEC-1, fixed in 2.1.0",
        "requests 2.0.0: PYSEC-2, fixed in no version yet",
    ]


def test_the_number_of_audited_packages_is_reported() -> None:
    assert verdict(written(SOUND, SKIPPED)) == (
        0,
        "Audited 1 of 2 packages: no known vulnerabilities.",
    )


@pytest.mark.parametrize("output", ["", "no network", written(), written(SKIPPED, SKIPPED)])
def test_an_audit_without_a_network_fails_nothing(output: str) -> None:
    status, text = verdict(output)
    assert status == 0
    assert text.startswith("NOT AUDITED")
