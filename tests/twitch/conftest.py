"""Helix with a manual clock, and a token store in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from responses.matchers import header_matcher

from streamwatch.domain.models import AppToken
from streamwatch.twitch.client import Helix

API = "https://api.twitch.test/helix"
AUTH = "https://id.twitch.test/oauth2"
CLIENT_ID = "client-id-0123"
CLIENT_SECRET = "client-secret-4567"
TOKEN = "token-of-the-first-89ab"
SUBSCRIPTION_SECRET = "subscription-secret-cdef"

MakeHelix = Callable[..., Helix]


@dataclass
class FakeTime:
    """A manual clock that only sleep() advances."""

    now: datetime = datetime(2026, 5, 1, 12, tzinfo=UTC)
    waits: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)

    def in_seconds(self, seconds: float) -> str:
        """A Ratelimit-Reset that far ahead."""
        return str(int(self.now.timestamp() + seconds))


@dataclass
class MemoryTokens:
    token: AppToken | None = None

    def app_token(self) -> AppToken | None:
        return self.token

    def save_app_token(self, token: AppToken) -> None:
        self.token = token


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def tokens(time: FakeTime) -> MemoryTokens:
    """A store with a token that is good for days."""
    return MemoryTokens(AppToken(TOKEN, time.now + timedelta(days=30)))


@pytest.fixture
def make_helix(time: FakeTime, tokens: MemoryTokens) -> MakeHelix:
    def make(**changed: Any) -> Helix:
        arguments: dict[str, Any] = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "tokens": tokens,
            "api_url": API,
            "auth_url": AUTH,
            "clock": time.clock,
            "sleep": time.sleep,
            "jitter": lambda: 0.5,
        }
        return Helix(**(arguments | changed))

    return make


@pytest.fixture
def helix(make_helix: MakeHelix) -> Helix:
    return make_helix()


@pytest.fixture
def twitch() -> Iterator[responses.RequestsMock]:
    """Answers in the order in which they are registered. Each registered response must be
    requested."""
    with responses.RequestsMock(registry=responses.registries.OrderedRegistry) as mock:
        yield mock


def give_token(mock: responses.RequestsMock, value: str, expires_in: Any = 5_000_000) -> None:
    mock.post(
        f"{AUTH}/token",
        json={"access_token": value, "expires_in": expires_in, "token_type": "bearer"},
    )


def bearing(token: str) -> Any:
    return header_matcher({"Authorization": f"Bearer {token}", "Client-Id": CLIENT_ID})


def user_item(user_id: str, login: str) -> dict[str, Any]:
    return {"id": user_id, "login": login, "display_name": login.title(), "broadcaster_type": ""}


def stream_item(user_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"4{user_id}",
        "user_id": user_id,
        "user_login": f"login_{user_id}",
        "user_name": f"Login_{user_id}",
        "game_id": "12453",
        "game_name": "Grand Theft Auto",
        "type": "live",
        "title": "Best Stream Ever",
        "tags": ["English"],
        "viewer_count": 78,
        "started_at": "2026-05-01T11:00:00Z",
        "language": "en",
        "thumbnail_url": "https://static.twitch.test/live_{width}x{height}.jpg",
        "is_mature": False,
    } | changed


def subscription_item(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"subscription-{number}",
        "type": "stream.online",
        "version": "1",
        "status": "enabled",
        "cost": 1,
        "condition": {"broadcaster_user_id": str(number)},
        "transport": {"method": "webhook", "callback": "https://example.com/webhooks/eventsub"},
        "created_at": "2019-11-16T10:11:12.634234626Z",
    } | changed
