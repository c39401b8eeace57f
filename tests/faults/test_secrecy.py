"""Searches everything that a run under faults writes for every secret in use."""

from collections.abc import Iterator
from pathlib import Path

import requests

from tests.e2e.conftest import API_KEY, SECRET
from tests.faults import inflict
from tests.faults.run import run_fault
from tests.faults.stack import Stack, children, stack

REDIS_PASSWORD = "a-password-of-redis"
READ_KEY = "a-read-key-in-a-url"


def test_no_secret_is_logged_or_answered(tmp_path: Path) -> None:
    with stack(tmp_path, rate=20, streamers=20, redis_password=REDIS_PASSWORD) as stacked:
        for process in (stacked.web, *stacked.workers):
            assert process.is_running
        written = dict(answers(stacked))
        run_fault(stacked, "", inflict.redis_killed, 60, before=20)
        written |= dict(answers(stacked)) | dict(titles(stacked))
        written |= {str(file): file.read_text("utf-8", "replace") for file in logs(tmp_path)}
        secrets = {SECRET, API_KEY, READ_KEY, REDIS_PASSWORD, stacked.twitch.client_secret}
        secrets |= set(stacked.twitch.oauth._expiries)
    assert len(secrets) > 4
    assert any("Stream online" in text for text in written.values())
    found = {
        (name, text[max(0, text.index(secret) - 200) : text.index(secret)])
        for name, text in written.items()
        for secret in secrets
        if secret in text
    }
    assert found == set()
    assert not [name for name, text in written.items() if "Traceback" in text]


def answers(stacked: Stack) -> Iterator[tuple[str, str]]:
    """Answers to clients with and without a key, errors included."""
    url = stacked.service.url
    key = {"Authorization": f"Bearer {API_KEY}"}
    for path in (
        "/metrics",
        "/openapi.json",
        "/health",
        "/docs",
        "/dashboard",
        "/admin/diagnostics",
        "/none",
    ):
        yield path, requests.get(url + path, headers=key, timeout=10).text
    wrong = requests.get(f"{url}/admin/diagnostics", headers={"Authorization": "x"}, timeout=10)
    yield "401", wrong.text
    for path in ("/feeds/live.rss", "/badges/nobody_here.svg", "/embed/live", "/streamers"):
        yield path, requests.get(url + path, params={"key": READ_KEY}, timeout=10).text


def titles(stacked: Stack) -> Iterator[tuple[str, str]]:
    """The command line of each process."""
    masters = [stacked.web.pid, *(worker.pid for worker in stacked.workers if worker.is_running)]
    for pid in [*masters, *children(stacked.web.pid)]:
        yield f"title of {pid}", Path(f"/proc/{pid}/cmdline").read_text()


def logs(folder: Path) -> list[Path]:
    return [*folder.rglob("*.log")]
