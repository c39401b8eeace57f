"""The application under abuse: in memory, without rate limits, at a fixed time."""

from datetime import UTC, datetime
from itertools import count

from werkzeug.test import Client, TestResponse

from streamwatch.bootstrap import assemble
from streamwatch.settings import Settings
from streamwatch.storage.memory import MemoryStorage
from tests.api.world import FakeAnalytics
from tests.application import application
from tests.fakes import FakeTwitch
from tests.messages import CALLBACK, SECRET

START = datetime(2026, 6, 1, 12, tzinfo=UTC)

EXPECTED = {200, 204, 400, 403, 413}
"""What the webhook may answer to whatever is sent."""


def client() -> Client:
    """A test client. Each reading of the storage's clock advances it by 60 s, so that messages are
    soon forgotten, and memory growth is a leak."""
    seconds = count(step=60)
    storage = MemoryStorage(events_kept=100, clock=lambda: float(next(seconds)))
    settings = Settings(
        webhook_secrets=(SECRET,), webhook_url=CALLBACK, rate_limit=0, lookup_limit=0
    )
    services = assemble(settings, storage, FakeTwitch(), FakeAnalytics(), clock=lambda: START)
    return application(services).test_client()


def send(to: Client, headers: dict[str, str], body: bytes) -> TestResponse:
    """Fails unless the answer is one of those that the webhook may give."""
    response = to.post("/webhooks/eventsub", headers=headers, data=body)
    assert response.status_code in EXPECTED, response.status_code
    assert b"Traceback" not in response.data
    return response
