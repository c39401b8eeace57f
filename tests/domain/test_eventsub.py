import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamwatch.domain import eventsub
from streamwatch.domain.models import EventType, Source
from streamwatch.domain.observations import WentOffline, WentOnline

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECRET = "correct-horse-battery"
SUBSCRIPTION: dict[str, Any] = {
    "id": "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
    "type": "stream.online",
    "version": "1",
    "status": "enabled",
    "cost": 0,
    "condition": {"broadcaster_user_id": "1337"},
    "transport": {"method": "webhook", "callback": "https://example.com/webhooks/callback"},
    "created_at": "2019-11-16T10:11:12.634234626Z",
}
ONLINE: dict[str, Any] = {
    "id": "9001",
    "broadcaster_user_id": "1337",
    "broadcaster_user_login": "Cool_User",
    "broadcaster_user_name": "Cool_User",
    "type": "live",
    "started_at": "2020-10-11T10:11:12.123Z",
}
OFFLINE_SUBSCRIPTION = SUBSCRIPTION | {"type": "stream.offline"}
OFFLINE = {key: value for key, value in ONLINE.items() if key.startswith("broadcaster")}


def message(
    payload: Any,
    kind: str = "notification",
    *,
    secret: str = SECRET,
    timestamp: str = "2026-06-01T12:00:00.123456789Z",
    message_id: str = "e76c6bd4-55c9-4987-8304-da1588d8988b",
) -> tuple[dict[str, str], bytes]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {
        "Twitch-Eventsub-Message-Id": message_id,
        "Twitch-Eventsub-Message-Timestamp": timestamp,
        "Twitch-Eventsub-Message-Type": kind,
        "Twitch-Eventsub-Message-Signature": eventsub.sign(message_id, timestamp, body, secret),
    }
    return headers, body


def parse(message: tuple[dict[str, str], bytes], *secrets: str) -> eventsub.Message:
    headers, body = message
    return eventsub.parse(headers, body, secrets or (SECRET,), NOW)


def online(**changes: Any) -> dict[str, Any]:
    return {"subscription": SUBSCRIPTION, "event": ONLINE | changes}


def test_an_online_is_understood() -> None:
    parsed = parse(message(online()))
    assert isinstance(parsed, eventsub.Notification)
    assert isinstance(parsed.observation, WentOnline)
    event, stream = parsed.observation.event, parsed.observation.stream
    assert event.id == parsed.message_id == "e76c6bd4-55c9-4987-8304-da1588d8988b"
    assert event.event_type is EventType.ONLINE
    assert event.timestamp == datetime(2026, 6, 1, 12, 0, 0, 123456, UTC)
    assert (event.broadcaster_id, event.broadcaster_login) == ("1337", "cool_user")
    assert event.data == ONLINE
    assert event.source is Source.EVENTSUB
    assert (stream.id, stream.type) == ("9001", "live")
    assert stream.started_at == datetime(2020, 10, 11, 10, 11, 12, 123000, UTC)


@pytest.mark.parametrize("named", [{}, {"id": "9001"}, {"id": None}])
def test_an_offline_is_understood_with_and_without_the_streams_id(named: dict[str, Any]) -> None:
    parsed = parse(message({"subscription": OFFLINE_SUBSCRIPTION, "event": OFFLINE | named}))
    assert isinstance(parsed, eventsub.Notification)
    assert isinstance(parsed.observation, WentOffline)
    assert parsed.observation.event.stream_id == named.get("id")


def test_a_challenge_is_handed_out_as_it_came() -> None:
    payload = {"challenge": "pogchamp-kappa-360noscope-vohiyo", "subscription": SUBSCRIPTION}
    parsed = parse(message(payload, "webhook_callback_verification"))
    assert parsed == eventsub.Verification("pogchamp-kappa-360noscope-vohiyo")


def test_a_revocation_has_its_reason() -> None:
    payload = {"subscription": SUBSCRIPTION | {"status": "user_removed"}}
    parsed = parse(message(payload, "revocation"))
    assert isinstance(parsed, eventsub.Revocation)
    assert parsed.subscription.status == "user_removed"
    assert parsed.subscription.user_id == "1337"


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (online(), "something_new"),
        (online(), ""),
        ({"subscription": SUBSCRIPTION | {"type": "channel.raid"}, "event": {}}, "notification"),
        ({"subscription": SUBSCRIPTION | {"version": "2"}, "event": {}}, "notification"),
    ],
)
def test_unknown_records_are_not_an_error(payload: Any, kind: str) -> None:
    assert isinstance(parse(message(payload, kind)), eventsub.Unknown)


@pytest.mark.parametrize(
    "secrets", [("new-secret-of-ours", SECRET), (SECRET, "new-secret-of-ours")]
)
def test_any_of_several_secrets_is_accepted_during_a_rotation(secrets: tuple[str, ...]) -> None:
    assert isinstance(parse(message(online()), *secrets), eventsub.Notification)


@pytest.mark.parametrize(
    "header",
    ["Twitch-Eventsub-Message-Id", "Twitch-Eventsub-Message-Timestamp"],
)
def test_a_signed_message_cannot_be_changed(header: str) -> None:
    headers, body = message(online())
    with pytest.raises(eventsub.ForgedMessage):
        parse((headers | {header: headers[header] + "0"}, body))
    with pytest.raises(eventsub.ForgedMessage):
        parse((headers, body + b" "))


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=00", "sha1=abc", "\xff\ud800"])
def test_a_message_without_our_signature_is_forged(signature: str) -> None:
    headers, body = message(online())
    with pytest.raises(eventsub.ForgedMessage):
        parse((headers | {"Twitch-Eventsub-Message-Signature": signature}, body))
    with pytest.raises(eventsub.ForgedMessage):
        parse(message(online(), secret="somebody-elses-secret"))
    with pytest.raises(eventsub.ForgedMessage):
        parse(({}, body))


@pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (9.99, True), (10.01, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_ten_minutes_off_is_stale(minutes: float, fresh: bool, sign: int) -> None:
    sent = (NOW + sign * timedelta(minutes=minutes)).isoformat()
    if fresh:
        parse(message(online(), timestamp=sent))
    else:
        with pytest.raises(eventsub.StaleMessage):
            parse(message(online(), timestamp=sent))


@pytest.mark.parametrize("timestamp", ["", "now", "2026-06-01T12:00:00"])
def test_a_message_with_an_invalid_timestamp_is_stale(timestamp: str) -> None:
    with pytest.raises(eventsub.StaleMessage):
        parse(message(online(), timestamp=timestamp))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"", "notification"),
        (b"not json", "notification"),
        (b"\xff\xfe", "notification"),
        (b"[" * 60_000, "notification"),
        ([], "notification"),
        ({}, "notification"),
        ({"subscription": [], "event": ONLINE}, "notification"),
        ({"subscription": SUBSCRIPTION}, "notification"),
        ({"subscription": SUBSCRIPTION, "event": "online"}, "notification"),
        (online(id=None), "notification"),
        (online(id=9001), "notification"),
        (online(id="{x}:*\n"), "notification"),
        (online(broadcaster_user_id=""), "notification"),
        (online(broadcaster_user_login="a b"), "notification"),
        (online(broadcaster_user_login="a" * 26), "notification"),
        (online(broadcaster_user_name=None), "notification"),
        (online(started_at="soon"), "notification"),
        (online(extra="\0"), "notification"),
        (online(extra=2**64), "notification"),
        (b'{"subscription": {}, "event": {"x": "\\ud800"}}', "notification"),
        (b'{"subscription": {}, "event": {"x": NaN}}', "notification"),
        (b'{"subscription": {}, "event": {"x": 1e999}}', "notification"),
        (
            {"subscription": OFFLINE_SUBSCRIPTION, "event": OFFLINE | {"id": 7}},
            "notification",
        ),
        ({"subscription": SUBSCRIPTION}, "webhook_callback_verification"),
        ({"challenge": 7, "subscription": SUBSCRIPTION}, "webhook_callback_verification"),
        ({}, "revocation"),
        (online(), "revocation"),
        ({"subscription": SUBSCRIPTION | {"created_at": 1}}, "revocation"),
    ],
)
def test_a_signed_body_that_does_not_match_its_type_is_malformed(payload: Any, kind: str) -> None:
    with pytest.raises(eventsub.MalformedMessage):
        parse(message(payload, kind))


@pytest.mark.parametrize("message_id", ["", "x" * 257, "a\nb"])
def test_a_message_id_that_cannot_be_stored_is_malformed(message_id: str) -> None:
    with pytest.raises(eventsub.MalformedMessage):
        parse(message(online(), message_id=message_id))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(
    st.one_of(
        st.binary(),
        st.builds(lambda value: json.dumps(value).encode(), JSON),
        st.builds(
            lambda event: json.dumps(
                {"subscription": SUBSCRIPTION, "event": ONLINE | event}
            ).encode(),
            st.dictionaries(st.sampled_from(sorted(ONLINE)) | st.text(), JSON),
        ),
    ),
    st.sampled_from(["notification", "revocation", "webhook_callback_verification", "other"]),
)
@example(b"9" * 5000, "notification")
def test_whatever_is_signed_is_a_message_or_malformed(body: bytes, kind: str) -> None:
    try:
        parsed = parse(message(body, kind))
    except eventsub.MalformedMessage:
        return
    if isinstance(parsed, eventsub.Notification):
        json.dumps(parsed.observation.event.data, allow_nan=False, ensure_ascii=False).encode()


@given(st.dictionaries(st.text(), st.text()), st.binary())
def test_whatever_is_not_signed_is_forged(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(eventsub.ForgedMessage):
        parse((headers, body))
