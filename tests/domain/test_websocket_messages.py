"""WebSocket messages: what Twitch sends is understood, and anything else is an error of ours."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain import eventsub
from streamwatch.domain.eventsub import EventSubError, MalformedMessage, StaleMessage, Unknown
from streamwatch.domain.times import format_time
from streamwatch.domain.websocket_messages import (
    MAX_MESSAGE_BYTES,
    Keepalive,
    Reconnect,
    Welcome,
    parse,
)
from tests.messages import online, revocation

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SESSION = {
    "id": "AQoQexAWVYKSTIu4ec_2VAxyuhAB",
    "status": "connected",
    "keepalive_timeout_seconds": 10,
    "reconnect_url": None,
    "connected_at": "2026-06-01T12:00:00Z",
}


def frame(kind: str, payload: dict[str, Any], at: datetime = NOW) -> bytes:
    metadata = {
        "message_id": "befa7b53-d79d-478f-86b9-120f112b044e",
        "message_type": kind,
        "message_timestamp": format_time(at),
    }
    return json.dumps({"metadata": metadata, "payload": payload}).encode()


def session(**changed: Any) -> dict[str, Any]:
    return {"session": SESSION | changed}


def test_a_welcome_names_the_session_and_its_keepalive() -> None:
    assert parse(frame("session_welcome", session()), NOW) == Welcome(str(SESSION["id"]), 10)


def test_a_keepalive_has_no_content() -> None:
    assert parse(frame("session_keepalive", {}), NOW) == Keepalive()


def test_a_reconnect_names_the_url() -> None:
    url = "wss://eventsub.wss.twitch.tv?challenge=abc"
    message = parse(frame("session_reconnect", session(reconnect_url=url)), NOW)
    assert message == Reconnect(url)


@pytest.mark.parametrize("kind", ["notification", "revocation"])
def test_events_are_the_same_as_by_webhook(kind: str) -> None:
    sent = online(at=NOW) if kind == "notification" else revocation(at=NOW)
    payload = json.loads(sent.body)
    message_id = sent.headers["Twitch-Eventsub-Message-Id"]
    by_webhook = eventsub.message_from(kind, message_id, NOW, payload)
    data = json.loads(frame(kind, payload))
    data["metadata"]["message_id"] = message_id
    assert parse(json.dumps(data).encode(), NOW) == by_webhook


@pytest.mark.parametrize("kind", ["session_party", "webhook_callback_verification"])
def test_another_type_is_unknown(kind: str) -> None:
    assert isinstance(parse(frame(kind, {"challenge": "x"}), NOW), Unknown)


@pytest.mark.parametrize("minutes", [-11, 11])
def test_an_event_outside_the_replay_window_is_stale(minutes: int) -> None:
    payload = json.loads(online(at=NOW).body)
    with pytest.raises(StaleMessage):
        parse(frame("notification", payload, NOW + timedelta(minutes=minutes)), NOW)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"metadata": {}, "payload": {}}',
        b'{"metadata": {"message_type": 7}, "payload": {}}',
        frame("session_welcome", {}),
        frame("session_welcome", session(id="")),
        frame("session_welcome", session(id="a b")),
        frame("session_welcome", session(keepalive_timeout_seconds=0)),
        frame("session_welcome", session(keepalive_timeout_seconds=True)),
        frame("session_welcome", session(keepalive_timeout_seconds="10")),
        frame("session_welcome", session(keepalive_timeout_seconds=601)),
        frame("session_reconnect", session(reconnect_url=None)),
        frame("session_reconnect", session(reconnect_url="https://example.com")),
        frame("session_reconnect", session(reconnect_url="wss://" + "x" * 3000)),
        b'{"a":' * 300,
        b" " * (MAX_MESSAGE_BYTES + 1),
    ],
)
def test_messages_twitch_never_sends_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(data, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
KINDS = st.sampled_from(
    ["session_welcome", "session_keepalive", "session_reconnect", "notification", "revocation"]
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    with suppress(EventSubError):
        parse(data, NOW)


@given(KINDS, st.dictionaries(st.sampled_from(["session", "subscription", "event"]), JSON))
def test_any_payload_is_a_message_or_an_error(kind: str, payload: dict[str, Any]) -> None:
    with suppress(EventSubError):
        parse(frame(kind, payload), NOW)
