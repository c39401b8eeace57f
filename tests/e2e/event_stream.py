"""A client of the event stream."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.processes import Deployment


@contextmanager
def listening(service: Deployment, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The messages of the event stream."""
    url = f"{service.url}/events/live"
    with requests.get(url, headers=headers, stream=True, timeout=30) as response:
        assert response.status_code == 200, response.text
        yield _messages(response)


def _messages(response: requests.Response) -> Iterator[dict[str, Any]]:
    message: dict[str, Any] = {}
    for line in response.iter_lines(chunk_size=1, decode_unicode=True):
        name, _, value = line.partition(": ")
        if line and name:
            message[name] = json.loads(value) if name == "data" else value
        elif not line and "event" in message:
            yield message
            message = {}
