"""The webhook through a real socket, as Twitch and other clients use it."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from streamwatch.domain.eventsub import MAX_BODY_BYTES, sign
from streamwatch.domain.models import User
from tests import messages
from tests.api.server import Answer, Server, gunicorn, post, read_answer
from tests.messages import SECRET, Message

pytestmark = pytest.mark.xdist_group("webhook")

_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with gunicorn("working", tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def user() -> User:
    """A user of this test alone."""
    number = next(_numbers)
    return User(f"{number}", f"user_{number}", f"User_{number}")


def event_types(server: Server, user: User) -> list[str]:
    """The history of `user`, oldest first, as "online" and "offline"."""
    events = server.get(f"/events/streamer/{user.login}")["events"]
    return [event["event_type"].removeprefix("stream.") for event in reversed(events)]


def live(server: Server, user: User) -> bool:
    names = {status["username"] for status in server.get("/streams/live")["live_streams"]}
    return user.login in names


def refused(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]


def accepted(answer: Answer) -> None:
    assert (answer.status, answer.body) == (204, b"")


# Verification


@pytest.mark.parametrize("challenge", ["pogchamp-kappa-360noscope-vohiyo", "ü→😀", "x" * 4096])
def test_a_challenge_is_answered_as_it_is_and_with_nothing_else(
    server: Server, challenge: str
) -> None:
    answer = server.send(messages.verification(challenge))
    assert (answer.status, answer.body) == (200, challenge.encode())
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Length"] == str(len(challenge.encode()))


def test_a_challenge_is_answered_each_time(server: Server) -> None:
    message = messages.verification()
    assert [server.send(message).status for _ in range(3)] == [200, 200, 200]


def test_a_challenge_that_twitch_did_not_sign_is_not_answered(server: Server) -> None:
    answer = server.send(messages.verification("the-challenge", secret="another-secret"))
    refused(answer, 403)
    assert b"the-challenge" not in answer.body


# Notifications


def test_an_online_and_its_offline_are_stored(server: Server, user: User) -> None:
    accepted(server.send(messages.online(user)))
    assert (event_types(server, user), live(server, user)) == (["online"], True)
    accepted(server.send(messages.offline(user)))
    assert (event_types(server, user), live(server, user)) == (["online", "offline"], False)


def test_the_same_message_again_changes_nothing(server: Server, user: User) -> None:
    message = messages.online(user)
    for _ in range(3):
        accepted(server.send(message, twitch_eventsub_message_retry="1"))
    assert event_types(server, user) == ["online"]


def test_the_same_message_many_times_at_once_changes_nothing(server: Server, user: User) -> None:
    message = messages.online(user)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(server.send, [message] * 60))
    assert {answer.status for answer in answers} == {204}
    assert event_types(server, user) == ["online"]


def test_the_same_event_under_another_id_changes_nothing(server: Server, user: User) -> None:
    for make in (messages.online, messages.online, messages.offline, messages.offline):
        accepted(server.send(make(user)))
    assert event_types(server, user) == ["online", "offline"]


def test_an_offline_before_its_online_ends_the_stream(server: Server, user: User) -> None:
    now = datetime.now(UTC)
    accepted(server.send(messages.offline(user, at=now)))
    accepted(server.send(messages.online(user, at=now - timedelta(minutes=5))))
    assert (event_types(server, user), live(server, user)) == (["online", "offline"], False)


@pytest.mark.parametrize("stream_id", ["9001", None])
def test_a_late_offline_goes_into_the_history_only(
    server: Server, user: User, stream_id: str | None
) -> None:
    now = datetime.now(UTC)
    accepted(server.send(messages.online(user, "9001", at=now - timedelta(minutes=8))))
    accepted(server.send(messages.online(user, "9002", at=now)))
    accepted(server.send(messages.offline(user, stream_id, at=now - timedelta(minutes=4))))
    assert (event_types(server, user), live(server, user)) == (
        ["online", "offline", "online"],
        True,
    )


def test_a_body_in_chunks_is_taken(server: Server, user: User) -> None:
    message = messages.online(user)
    accepted(server.exchange(chunked(message)))
    assert event_types(server, user) == ["online"]


def test_header_names_are_matched_in_any_case(server: Server, user: User) -> None:
    head, body = messages.online(user)
    message = Message({name.lower(): value for name, value in head.items()}, body)
    accepted(server.send(message))
    assert event_types(server, user) == ["online"]


def test_a_revocation_is_taken(server: Server, user: User) -> None:
    accepted(server.send(messages.revocation(user)))
    assert event_types(server, user) == []


@pytest.mark.parametrize(
    "message",
    [
        messages.message("drop", {"subscription": messages.subscription("stream.online", "1")}),
        messages.message("", {}),
        messages.notification("channel.follow", {"broadcaster_user_id": "1337"}),
        messages.message(
            "notification",
            {"subscription": messages.subscription("stream.online", "1", version="2"), "event": {}},
        ),
    ],
    ids=["message type", "no message type", "subscription type", "version"],
)
def test_unknown_message_is_answered_and_not_stored(server: Server, message: Message) -> None:
    before = server.get("/events?limit=1000")
    accepted(server.send(signed_now(message)))
    assert server.get("/events?limit=1000") == before


# Forged


@pytest.fixture
def signed() -> Message:
    """A message that is accepted as long as nothing of it is changed. Signed by each test: the
    tests may begin more than ten minutes after their collection."""
    return messages.online(User("666", "forged", "Forged"))


OTHER_TIME = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "changes",
    [
        {"twitch_eventsub_message_signature": None},
        {"twitch_eventsub_message_signature": ""},
        {"twitch_eventsub_message_signature": "sha256="},
        {"twitch_eventsub_message_signature": "sha256=" + "0" * 64},
        {"twitch_eventsub_message_signature": "sha256=é"},
        {"twitch_eventsub_message_signature": "sha1=" + "0" * 40},
        {"twitch_eventsub_message_signature": "x" * 4000},
        {"twitch_eventsub_message_id": None},
        {"twitch_eventsub_message_id": "another-id"},
        {"twitch_eventsub_message_id": "é"},
        {"twitch_eventsub_message_timestamp": None},
        {"twitch_eventsub_message_timestamp": OTHER_TIME},
    ],
)
def test_a_changed_message_is_refused(
    server: Server, signed: Message, changes: dict[str, str | None]
) -> None:
    refused(server.send(signed, **changes), 403)
    assert server.get("/events/streamer/forged")["count"] == 0


def test_a_shortened_signature_is_refused(server: Server, signed: Message) -> None:
    signature = signed.headers["Twitch-Eventsub-Message-Signature"][:-1]
    refused(server.send(signed, twitch_eventsub_message_signature=signature), 403)
    assert server.get("/events/streamer/forged")["count"] == 0


def test_a_changed_body_is_refused(server: Server, signed: Message) -> None:
    refused(server.send(signed._replace(body=signed.body + b" ")), 403)
    refused(server.send(signed._replace(body=signed.body.replace(b"666", b"667"))), 403)


def test_another_secrets_signature_is_refused(server: Server, user: User) -> None:
    refused(server.send(messages.online(user, secret="a-secret-of-someone-else")), 403)
    assert event_types(server, user) == []


def test_a_request_without_headers_is_refused(server: Server) -> None:
    refused(server.exchange(b"POST /webhooks/eventsub HTTP/1.1\r\nHost: x\r\n\r\n"), 403)


# Stale


@pytest.mark.parametrize("minutes", [-11, 11, -600_000])
def test_a_message_of_another_time_is_refused(server: Server, user: User, minutes: float) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    refused(server.send(messages.online(user, at=at)), 403)
    assert event_types(server, user) == []


@pytest.mark.parametrize("minutes", [-9.8, 9.8])
def test_a_message_of_ten_minutes_around_now_is_taken(
    server: Server, user: User, minutes: float
) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    accepted(server.send(messages.online(user, at=at)))
    assert event_types(server, user) == ["online"]


@pytest.mark.parametrize(
    "timestamp", ["", "now", "1700000000", "2026-01-01", "9999-99-99T00:00:00Z"]
)
def test_a_signed_message_with_an_invalid_timestamp_is_refused(
    server: Server, signed: Message, timestamp: str
) -> None:
    signature = sign("an-id", timestamp, signed.body, SECRET)
    answer = server.send(
        signed,
        twitch_eventsub_message_id="an-id",
        twitch_eventsub_message_timestamp=timestamp,
        twitch_eventsub_message_signature=signature,
    )
    refused(answer, 403)


# Malformed


def online_with(**changes: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(
        messages.online(User("667", "malformed", "Malformed")).body
    )
    event = {**payload["event"], **changes}
    return payload | {"event": {name: value for name, value in event.items() if value is not ...}}


def signed_now(message: Message) -> Message:
    """The same message with the present time: it may have been made minutes ago, at collection."""
    message_type = message.headers["Twitch-Eventsub-Message-Type"]
    message_id = message.headers["Twitch-Eventsub-Message-Id"]
    return messages.message(message_type, message.body, message_id=message_id)


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


MALFORMED: list[Message] = [
    *(
        messages.message("notification", body)
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"{}",
            b"\xff\xfe{}",
            b"[" * 60_000,
            b'{"a":' * 10_000,
            b'{"subscription": NaN}',
        )
    ),
    *(
        messages.message("notification", payload)
        for payload in (
            {"subscription": messages.subscription("stream.online", "667")},
            {"subscription": messages.subscription("stream.online", "667"), "event": []},
            {"subscription": messages.subscription("stream.online", "667"), "event": {}},
            online_with(id=...),
            online_with(id=9001),
            online_with(id=""),
            online_with(id="9" * 65),
            online_with(id="a b"),
            online_with(broadcaster_user_id=...),
            online_with(broadcaster_user_id=667),
            online_with(broadcaster_user_login=...),
            online_with(broadcaster_user_login="not a login"),
            online_with(broadcaster_user_name=None),
            online_with(broadcaster_user_name="x" * 257),
            online_with(broadcaster_user_name="nul\0"),
            online_with(broadcaster_user_name="\ud800"),
            online_with(started_at=...),
            online_with(started_at="yesterday"),
            online_with(started_at=5),
            online_with(type=...),
            online_with(more=2**64),
            online_with(more=nested(33)),
            online_with(more=nested(254)),
            online_with(more=float("inf")),
        )
    ),
    messages.message("webhook_callback_verification", {}),
    messages.message("webhook_callback_verification", {"challenge": 5}),
    messages.message("webhook_callback_verification", {"challenge": ""}),
    messages.message("revocation", {}),
    messages.message("revocation", {"subscription": {}}),
    messages.message("revocation", online_with()),
    messages.online(User("667", "malformed", "Malformed"), message_id="x" * 257),
]


@pytest.mark.parametrize("message", MALFORMED)
def test_signed_message_that_does_not_fit_its_type_is_refused(
    server: Server, message: Message
) -> None:
    refused(server.send(signed_now(message)), 400)
    assert server.get("/events/streamer/malformed")["count"] == 0


# Too large


def test_a_body_of_64_kibibytes_is_accepted_and_one_byte_more_is_not(
    server: Server, user: User
) -> None:
    body = messages.online(user).body
    message = messages.message("notification", body.ljust(MAX_BODY_BYTES))
    refused(server.send(messages.message("notification", body.ljust(MAX_BODY_BYTES + 1))), 413)
    assert event_types(server, user) == []
    accepted(server.send(message))
    assert event_types(server, user) == ["online"]


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, 10**12])
def test_a_body_that_is_announced_too_large_is_refused_unread(
    server: Server, signed: Message, length: int
) -> None:
    # Nothing of the body is sent: a server that waited for it would never answer.
    refused(server.exchange(post(signed, content_length=str(length))), 413)


def test_a_body_in_chunks_is_read_no_further_than_the_limit(server: Server) -> None:
    message = messages.message("notification", b" " * (MAX_BODY_BYTES + 1))
    endless = chunked(message).removesuffix(b"0\r\n\r\n")
    refused(server.exchange(endless), 413)


# Malformed requests


def chunked(message: Message) -> bytes:
    size = 1000
    parts = [message.body[at : at + size] for at in range(0, len(message.body), size)]
    head = post(message, content_length=None, transfer_encoding="chunked")
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


def test_a_body_without_its_length_is_not_read(server: Server, signed: Message) -> None:
    refused(server.exchange(post(signed, content_length=None) + signed.body), 403)


@pytest.mark.parametrize("missing", [0, 1, 100])
def test_a_body_shorter_than_announced_is_refused(server: Server, user: User, missing: int) -> None:
    message = messages.online(user)
    head = post(message, content_length=str(len(message.body) + 1))
    sent = message.body[: len(message.body) - missing]
    refused(server.exchange(head + sent, then_close=True), 400)
    assert event_types(server, user) == []


@pytest.mark.parametrize("sent", [b"zz\r\n", b"5\r\nhel", b"", b"1\r\nxx", b"0\r\nfoo: \0\r\n\r\n"])
def test_malformed_chunks_are_refused(server: Server, signed: Message, sent: bytes) -> None:
    head = post(signed, content_length=None, transfer_encoding="chunked")
    refused(server.exchange(head + sent, then_close=True), 400)


MALFORMED_REQUESTS: dict[str, Callable[[Message], bytes]] = {
    "negative length": lambda signed: post(signed, content_length="-1") + signed.body,
    "length in words": lambda signed: post(signed, content_length="ten") + signed.body,
    "two lengths": lambda signed: post(signed, content_length="1, 2") + signed.body,
    "length and chunks": lambda signed: post(signed, transfer_encoding="chunked") + signed.body,
    "gzip after chunks": lambda signed: (
        post(signed, content_length=None, transfer_encoding="chunked, gzip") + b"0\r\n\r\n"
    ),
    "control character": lambda signed: (
        post(signed, twitch_eventsub_message_id="\x01") + signed.body
    ),
    "200 headers": lambda signed: post(signed, **{f"x_{number}": "x" for number in range(200)}),
    "long header": lambda signed: post(signed, x_long="x" * 70_000),
    "no version": lambda _: b"POST /webhooks/eventsub\r\n\r\n",
    "TLS": lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "long path": lambda _: b"POST /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED_REQUESTS)
def test_a_malformed_request_is_refused_and_the_next_is_served(
    server: Server, user: User, signed: Message, name: str
) -> None:
    request = MALFORMED_REQUESTS[name](signed)
    assert server.exchange(request, then_close=True).status in (400, 414, 431, 501)
    accepted(server.send(messages.online(user)))
    assert event_types(server, user) == ["online"]


def test_clients_that_hang_up_or_stay_silent_delay_no_other(server: Server, user: User) -> None:
    message = messages.online(user)
    with server.connect() as still, server.connect() as halfway:
        halfway.sendall(post(message) + message.body[:10])
        with server.connect() as hung_up:
            hung_up.sendall(post(message)[:50])
        started = time.monotonic()
        accepted(server.send(message))
        assert time.monotonic() - started < 2
        still.sendall(post(message) + message.body)
        accepted(read_answer(still))
    assert event_types(server, user) == ["online"]


def test_one_connection_carries_many_messages(server: Server, user: User) -> None:
    with server.connect() as connection:
        for make in (messages.online, messages.offline):
            message = make(user)
            connection.sendall(post(message) + message.body)
            accepted(read_answer(connection))
    assert event_types(server, user) == ["online", "offline"]


# Faults of the service itself


def test_refusals_are_logged_without_the_content_of_the_message(
    server: Server, signed: Message
) -> None:
    message_id = "evil-\x1b[31m" + "x" * 500
    server.send(signed, twitch_eventsub_message_id=message_id.replace("\x1b", "é"))
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    [line] = [line for line in lines if "evil" in str(line)]
    assert line["level"] == "WARNING"
    assert "refused:forged" in line["message"]
    assert len(line["message_id"]) < 80
    assert line["message_id"].isascii()
    assert line["request_id"]
