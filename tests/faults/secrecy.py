"""Searches what a stack writes and answers for every secret in use."""

from collections.abc import Iterator
from pathlib import Path

import requests

from tests.child_processes import children
from tests.e2e.conftest import API_KEY, SECRET
from tests.faults.stack import Stack

REDIS_PASSWORD = "a-password-of-redis"
READ_KEY = "a-read-key-in-a-url"


def check_secrecy(texts: dict[str, str], stack: Stack) -> None:
    """Fail if one of `texts` contains a secret that the stack uses, or a traceback."""
    secrets = {SECRET, API_KEY, READ_KEY, REDIS_PASSWORD, stack.twitch.client_secret}
    secrets |= set(stack.twitch.oauth._expiries)
    assert len(secrets) > 4
    assert any("Stream online" in text for text in texts.values())
    found = {
        (name, text[max(0, text.index(secret) - 200) : text.index(secret)])
        for name, text in texts.items()
        for secret in secrets
        if secret in text
    }
    assert found == set()
    assert not [name for name, text in texts.items() if "Traceback" in text]


def readable(stack: Stack) -> Iterator[tuple[str, str]]:
    """The texts that other people may read now: answers and the command lines of processes."""
    yield from answers(stack)
    yield from titles(stack)


def answers(stack: Stack) -> Iterator[tuple[str, str]]:
    """Answers to clients with and without a key, errors included."""
    url = stack.service.url
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


def titles(stack: Stack) -> Iterator[tuple[str, str]]:
    """The command line of each process."""
    masters = [stack.web.pid, *(worker.pid for worker in stack.workers if worker.is_running)]
    for pid in [*masters, *children(stack.web.pid)]:
        yield f"title of {pid}", Path(f"/proc/{pid}/cmdline").read_text()


def logs(folder: Path) -> dict[str, str]:
    """The content of each log in a folder."""
    return {str(file): file.read_text("utf-8", "replace") for file in folder.rglob("*.log")}
