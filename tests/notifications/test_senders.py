"""Senders against receivers on this machine."""

import html
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from types import SimpleNamespace

import pytest
import requests
from standardwebhooks import Webhook, WebhookVerificationError

from streamwatch.domain.notifications.models import EditRefusal, SigningSecret, TargetKind
from streamwatch.domain.notifications.validation import InvalidNotification
from streamwatch.services.notifications.addresses import AddressPolicy, ForbiddenAddress
from streamwatch.services.notifications.http import HttpClient
from streamwatch.services.notifications.senders.apprise import AppriseSender, redacted
from streamwatch.services.notifications.senders.base import Message, Sent
from streamwatch.services.notifications.senders.discord import DiscordSender
from streamwatch.services.notifications.senders.webhook import WebhookSender, new_secret
from streamwatch.services.notifications.targets import check_target
from tests.notifications.build import notification
from tests.notifications.receiver import FakeDiscord, Receiver, receiving

OPEN = HttpClient(AddressPolicy(allow_private=True))
IMPATIENT = HttpClient(AddressPolicy(allow_private=True), answer_seconds=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def send_webhook(
    url: str, *secrets: SigningSecret, client: HttpClient = OPEN, body: str = '{"a":"♥"}'
) -> Sent:
    target = notification(url=url, secrets=secrets or (SigningSecret(new_secret()),))
    return WebhookSender(client, now).send(target, Message("dlv_1", body=body))


def test_a_webhook_is_verified_by_the_library_of_the_standard(receiver: Receiver) -> None:
    secret = new_secret()

    sent = send_webhook(f"{receiver.url}/hook?x=1", SigningSecret(secret))

    [request] = receiver.requests
    assert sent.result.delivered
    assert (request.method, request.path) == ("POST", "/hook?x=1")
    assert request.headers["webhook-id"] == "dlv_1"
    assert Webhook(secret).verify(request.body, request.headers) == {"a": "♥"}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)


def test_while_rotating_both_secrets_sign(receiver: Receiver) -> None:
    new, old, expired = new_secret(), new_secret(), new_secret()
    send_webhook(
        receiver.url,
        SigningSecret(new),
        SigningSecret(old, now() + timedelta(hours=1)),
        SigningSecret(expired, now() - timedelta(seconds=1)),
    )

    [request] = receiver.requests
    for secret in (new, old):
        Webhook(secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(expired).verify(request.body, request.headers)


def test_user_info_is_sent_as_basic_authentication(receiver: Receiver) -> None:
    send_webhook(receiver.url.replace("://", "://ann:p%40ss@"))

    assert receiver.requests[0].headers["authorization"] == "Basic YW5uOnBAc3M="


def test_a_response_other_than_2xx_is_a_failure_with_its_text(receiver: Receiver) -> None:
    receiver.answer = lambda _: (503, {"Retry-After": "120"}, b"over\x00loaded\n")

    result = send_webhook(receiver.url).result

    assert (result.delivered, result.status_code, result.retry_after) == (False, 503, 120)
    assert result.detail == "the receiver answered 503: over loaded"


@pytest.mark.parametrize(
    ("target", "answer", "shown"),
    [
        ("/hooks/s3cret-token", b"Cannot POST /hooks/s3cret-token", "Cannot POST /hooks/…"),
        ("/in?key=s3cret%2Ftoken", b"no key s3cret/token", "no key …"),
        pytest.param("/s3cret-token", b" " * 790 + b"s3cret-token", "…", id="after spaces"),
    ],
)
def test_a_response_that_repeats_the_secret_of_the_url_does_not_reveal_it(
    receiver: Receiver, target: str, answer: bytes, shown: str
) -> None:
    receiver.answer = lambda _: (404, {}, answer)

    result = send_webhook(receiver.url + target).result

    assert result.detail == f"the receiver answered 404: {shown}"


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = lambda _: (302, {"Location": f"{receiver.url}/elsewhere"}, b"")

    result = send_webhook(receiver.url).result

    assert not result.delivered
    assert "redirects are not followed" in result.detail
    assert len(receiver.requests) == 1


def test_status_410_means_that_the_receiver_is_gone(receiver: Receiver) -> None:
    receiver.answer = lambda _: (410, {}, b"")

    assert send_webhook(receiver.url).result.is_gone


def test_a_huge_answer_is_read_in_part(receiver: Receiver) -> None:
    receiver.answer = lambda _: (200, {}, b"x" * 5_000_000)

    assert send_webhook(receiver.url).result.delivered


def test_a_refused_connection_is_a_failure_without_the_path() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    result = send_webhook(f"http://127.0.0.1:{port}/secret-path").result

    assert result.detail == f"127.0.0.1:{port} refused the connection"


@contextmanager
def dripping(first: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers one drop at a time, for ever."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    connection.sendall(first)
                    while not stopped.wait(0.1):
                        connection.sendall(drop)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        stopped.set()
        thread.join()


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status line", "header", "body", "interim answers"],
)
def test_an_answer_that_drips_ends_at_the_limit(first: bytes, drop: bytes) -> None:
    with dripping(first, drop) as url:
        result = send_webhook(url, client=IMPATIENT).result

    assert not result.delivered
    assert "did not answer in time" in result.detail


# Addresses


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",  # noqa: S104  refused
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b:1::7f00:1]",
        "[fec0::1]",
    ],
)
def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    result = send_webhook(f"http://{host}/", client=HttpClient(AddressPolicy())).result

    assert not result.delivered
    assert "not a public one" in result.detail


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.8",
        "192.0.0.9",
        "192.0.0.192",  # Oracle Cloud's metadata
        "192.0.0.255",
        "192.88.99.1",
        "::ffff:192.0.0.192",
        "64:ff9b::192.0.0.192",
        "2002:c000:c0::1",
        "2001:0:c000:c0::1",
        "100::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "5f00::1",
    ],
)
def test_blocks_for_special_purposes_are_refused(address: str) -> None:
    policy = AddressPolicy(resolve=lambda *_: [address])

    with pytest.raises(ForbiddenAddress, match="not a public one"):
        policy.addresses("special.example", 443)


@pytest.mark.parametrize(
    "address", ["192.0.1.1", "192.88.98.255", "64:ff9b::8.8.8.8", "2002:808:808::1", "2606:4700::1"]
)
def test_public_addresses_are_taken(address: str) -> None:
    policy = AddressPolicy(resolve=lambda *_: [address])

    assert policy.addresses("public.example", 443) == [address]


def test_a_host_with_one_private_address_among_public_ones_is_refused() -> None:
    policy = AddressPolicy(resolve=lambda *_: ["93.184.216.34", "10.0.0.1"])

    result = send_webhook("http://mixed.example/", client=HttpClient(policy)).result

    assert "10.0.0.1, which is not a public one" in result.detail


def test_the_address_that_was_checked_is_connected_to(receiver: Receiver) -> None:
    """DNS rebinding: the name has another address when it is asked again."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    connected: list[str] = []

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    policy = AddressPolicy(resolve=lambda *_: next(answers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamwatch.services.notifications.http.socket.create_connection", connect)
        send_webhook(f"http://rebinding.example:{receiver.port}/", client=HttpClient(policy))

    assert connected == ["93.184.216.34"]
    assert receiver.requests == []


def test_the_host_name_is_sent_to_the_receiver(receiver: Receiver) -> None:
    policy = AddressPolicy(allow_private=True, resolve=lambda *_: ["127.0.0.1"])

    send_webhook(f"http://hooks.example:{receiver.port}/x", client=HttpClient(policy))

    assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_a_name_without_an_address_is_a_failure() -> None:
    def resolve(*_: object) -> list[str]:
        raise socket.gaierror

    policy = AddressPolicy(resolve=resolve)

    result = send_webhook("http://nowhere.example/secret", client=HttpClient(policy)).result

    assert result.detail == "the host nowhere.example does not resolve"


@contextmanager
def not_accepting(port: int) -> Iterator[str]:
    """An address at which a connection to `port` stays unanswered: the backlog is full."""
    address = "127.0.0.2"
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(4):
            filling = opened.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex((address, port))
        yield address


@pytest.mark.skipif(sys.platform != "linux", reason="uses 127.0.0.2 and Linux's backlog")
def test_an_address_that_does_not_answer_leaves_time_for_the_next(receiver: Receiver) -> None:
    with not_accepting(receiver.port) as dead:
        policy = AddressPolicy(allow_private=True, resolve=lambda *_: [dead, "127.0.0.1"])
        client = HttpClient(policy, connect_seconds=1)

        result = send_webhook(f"http://two.example:{receiver.port}/", client=client).result

    assert result.delivered


def test_proxies_of_the_environment_are_ignored(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert send_webhook(receiver.url).result.delivered


# Discord


@pytest.fixture
def discord() -> Iterator[FakeDiscord]:
    fake = FakeDiscord()
    with receiving(fake):
        yield fake


def send_discord(discord: FakeDiscord, text: str, edits: str | None = None, **fields: str) -> Sent:
    target = notification(
        TargetKind.DISCORD, url=f"{discord.url}/api/webhooks/1/token?thread_id=7", **fields
    )
    return DiscordSender(OPEN, now).send(target, Message("dlv_1", text=text, edits=edits))


def test_discord_posts_and_edits_a_message(discord: FakeDiscord) -> None:
    posted = send_discord(discord, "Ann is live").result
    edited = send_discord(discord, "It is over", posted.message_id).result

    assert posted.delivered
    assert edited.delivered
    assert discord.messages == {"1": "It is over"}
    assert [r.path for r in discord.requests] == [
        "/api/webhooks/1/token?thread_id=7&wait=true",
        "/api/webhooks/1/token/messages/1?thread_id=7",
    ]


def test_only_roles_of_the_template_are_mentioned_and_only_when_posting(
    discord: FakeDiscord,
) -> None:
    send_discord(discord, "<@&12> @everyone", template="<@&12> $title")
    send_discord(discord, "<@&12> <@&99>", "1", template="<@&12> $title")
    send_discord(discord, "<@&99>", template="$title")

    assert discord.mentions == [["12"], [], []]


def test_text_of_strangers_is_escaped() -> None:
    sender = DiscordSender(OPEN, now)

    assert sender.escape("**<@&1>** my_name [x](y)") == r"\*\*\<@&1\>\*\* my\_name \[x\](y)"


def test_each_refusal_of_an_edit_by_discord_has_its_own_outcome(discord: FakeDiscord) -> None:
    assert send_discord(discord, "x", "404").result.edit_refusal is EditRefusal.NO_MESSAGE

    discord.old_edits_limited = True
    limited = send_discord(discord, "x", "1")

    assert limited.result.edit_refusal is EditRefusal.TOO_MANY
    assert limited.result.retry_after is None


def test_a_webhook_that_was_deleted_in_discord_is_gone(discord: FakeDiscord) -> None:
    answer = b'{"message": "Unknown Webhook", "code": 10015}'
    discord.answer = lambda _: (404, {}, answer)

    for edits in (None, "1"):
        result = send_discord(discord, "Ann is live", edits).result
        assert result.is_gone
        assert result.detail == "the webhook was deleted in Discord"
        assert result.edit_refusal is None


def test_calls_keep_to_the_limits_of_discord() -> None:
    """Simulated time: 100 calls as fast as the sender allows."""
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    discord = FakeDiscord(clock=lambda: moment.timestamp())  # noqa: PLW0108  `moment` changes
    rate = None
    with receiving(discord):
        sender = DiscordSender(OPEN, lambda: moment)
        target = notification(TargetKind.DISCORD, url=f"{discord.url}/api/webhooks/1/token")
        for number in range(100):
            sent = sender.send(target, Message(f"dlv_{number}", text="x", rate=rate))
            rate = sent.rate
            moment = sent.paused_until or moment

    assert len(discord.messages) == 100
    assert discord.limited == 0
    assert moment - datetime(2026, 6, 1, tzinfo=UTC) < timedelta(minutes=4)


def test_a_rate_limit_that_others_use_up_pauses_the_target(discord: FakeDiscord) -> None:
    for _ in range(5):
        send_discord(discord, "x")

    limited = send_discord(discord, "x")

    assert limited.result.status_code == 429
    assert limited.paused_until is not None
    assert limited.paused_until > now()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (429, {}, b'{"retry_after": 1e300}'),
        (429, {"Retry-After": "999999999"}, b""),
        (204, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "inf"}, b""),
    ],
)
def test_no_answer_of_discord_pauses_the_target_for_more_than_an_hour(
    discord: FakeDiscord, status: int, headers: dict[str, str], body: bytes
) -> None:
    discord.answer = lambda _: (status, headers, body)

    sent = send_discord(discord, "x")

    assert sent.result.status_code == status
    assert sent.paused_until is not None
    assert sent.paused_until < now() + timedelta(minutes=61)


# Apprise


def send_apprise(url: str, *, allow_private: bool = True, text: str = "Ann is live") -> Sent:
    sender = AppriseSender(AddressPolicy(allow_private=allow_private))
    target = notification(TargetKind.APPRISE, url=url)
    return sender.send(target, Message("dlv_1", text=text))


def test_apprise_sends_to_its_json_service(receiver: Receiver) -> None:
    receiver.answer = lambda _: (200, {}, b"")

    sent = send_apprise(f"json://127.0.0.1:{receiver.port}/x")

    assert sent.result.delivered
    assert json.loads(receiver.requests[0].body)["message"] == "Ann is live"


STRANGE_TITLE = "Ann_B is live: D&D\nI <3 *you* <b>all</b>"


def test_apprise_sends_titles_with_markup_as_plain_text_to_telegram(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Telegram refuses a message whose HTML it cannot read."""
    posted: list[dict[str, str]] = []

    def post(_url: str, *, data: str, **_: object) -> SimpleNamespace:
        posted.append(json.loads(data))
        return SimpleNamespace(status_code=200, content=b'{"ok": true}')

    monkeypatch.setattr("requests.post", post)
    sent = send_apprise(f"tgram://123456789:{'a' * 35}/12345", text=STRANGE_TITLE)

    assert sent.result.delivered
    [message] = posted
    assert message["parse_mode"] == "HTML"
    lines = html.unescape(message["text"]).splitlines()
    assert lines == STRANGE_TITLE.splitlines()
    assert "<" not in message["text"]


def test_apprise_sends_mail_as_plain_text_with_a_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    mails: list[str] = []

    class Server:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def sendmail(self, _sender: str, _to: list[str], text: str) -> dict[str, object]:
            mails.append(text)
            return {}

        def __getattr__(self, _name: str) -> Callable[..., object]:
            return lambda *_args, **_options: (250, b"")

    monkeypatch.setattr("smtplib.SMTP", Server)
    sent = send_apprise("mailto://ann:secret@localhost:2525?to=bob@example.org", text=STRANGE_TITLE)

    assert sent.result.delivered
    [mail] = [message_from_string(text, policy=policy.default) for text in mails]
    assert mail["Subject"] == "Ann_B is live: D&D"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == STRANGE_TITLE.splitlines()


def test_apprise_reports_the_response_of_the_service(receiver: Receiver) -> None:
    receiver.answer = lambda _: (403, {}, b"")

    result = send_apprise(f"json://127.0.0.1:{receiver.port}/secret-path").result

    assert not result.delivered
    assert "403" in result.detail
    assert "secret-path" not in result.detail


def test_apprise_follows_no_redirect(receiver: Receiver) -> None:
    receiver.answer = lambda _: (302, {"Location": f"{receiver.url}/elsewhere"}, b"")

    assert not send_apprise(f"json://127.0.0.1:{receiver.port}/x").result.delivered
    assert {r.path for r in receiver.requests} == {"/x"}


@pytest.mark.parametrize("url", ["json://127.0.0.1/x", "syslog://", "dbus://", "windows://"])
def test_schemes_that_reach_this_machine_are_refused(url: str) -> None:
    assert "is not taken" in send_apprise(url, allow_private=False).result.detail


@pytest.mark.parametrize(
    "url",
    [
        "gotify://127.0.0.1/tokentokentoken",
        "ntfy://localhost/topic",
        "mailto://ann:secret@example.org?smtp=127.0.0.1&to=a@example.org",
    ],
)
def test_a_private_host_within_an_apprise_url_is_refused(url: str) -> None:
    assert "not a public one" in send_apprise(url, allow_private=False).result.detail


@pytest.mark.parametrize(
    "url",
    [
        "mailtos://ann:secret@example.org?smtp=127.0.0.1&to=a@example.org",
        "mailto://ann:secret@example.org?to=a@example.org;%53mtp=::1",
        "mailto://ann:secret@gmail.com/?smtp=8.8.8.8&smtp=localhost",
        "mailto://ann:secret@10.0.0.1",
        "mailtos://ann:secret@[fd00::1]:465/?to=a@example.org",
    ],
)
def test_a_private_mail_server_is_refused_when_it_is_set(url: str) -> None:
    with pytest.raises(InvalidNotification, match="not a public one"):
        check_target(TargetKind.APPRISE, url, AddressPolicy())


@pytest.mark.parametrize(
    "url", ["mailtos://ann:secret@gmail.com", "mailto://ann:secret@example.org?smtp=8.8.8.8"]
)
def test_other_mail_servers_are_taken(url: str) -> None:
    check_target(TargetKind.APPRISE, url, AddressPolicy())


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that Apprise sends requests to. None is answered."""
    urls: list[str] = []

    def send(_session: object, request: requests.PreparedRequest, **_: object) -> None:
        urls.append(request.url or "")
        raise requests.ConnectionError

    monkeypatch.setattr("requests.Session.send", send)
    return urls


TOKEN = "a" * 32


@pytest.mark.parametrize(
    "url",
    [
        f"zulip://bot@169.254.169.254/{TOKEN}/stream",
        f"zulip://bot@127.0.0.1:8443/{TOKEN}/stream",
        f"zulip://bot@a.localhost%3A8443%2Fadmin%3Fx=/{TOKEN}/stream",
    ],
)
def test_a_private_zulip_server_is_refused(url: str, requested: list[str]) -> None:
    with pytest.raises(InvalidNotification):
        check_target(TargetKind.APPRISE, url, AddressPolicy())

    assert not send_apprise(url, allow_private=False).result.delivered
    assert requested == []


def test_an_organization_of_zulips_cloud_is_sent_to(requested: list[str]) -> None:
    policy = AddressPolicy(resolve=lambda *_: ["93.184.216.34"])
    target = notification(TargetKind.APPRISE, url=f"zulip://bot@acme/{TOKEN}/stream")

    check_target(TargetKind.APPRISE, target.url, policy)
    AppriseSender(policy).send(target, Message("dlv_1", text="Ann is live"))

    assert requested == ["https://acme.zulipchat.com/api/v1/messages"]


@pytest.mark.parametrize(
    "url",
    [
        f"zulip://bot@169.254.169.254%2Fx.example/{TOKEN}/stream",
        f"zulip://bot@a.example%40169.254.169.254/{TOKEN}/stream",
        f"hassio://169.254.169.254%2Fx.example/{TOKEN}",
        "signal://169.254.169.254%2Fx.example/+15551234567/+15551234568",
    ],
)
def test_a_host_that_is_no_name_is_refused_whatever_the_resolver_answers(
    url: str, requested: list[str]
) -> None:
    policy = AddressPolicy(resolve=lambda *_: ["93.184.216.34"])

    target = notification(TargetKind.APPRISE, url=url)
    sent = AppriseSender(policy).send(target, Message("dlv_1", text="Ann is live"))

    assert "is not a valid name" in sent.result.detail
    assert requested == []


@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23c?template=http://127.0.0.1/x",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#c?format=text&%74emplate=/etc/hosts",
        "tgram://123456789:abcdefg_hijklmnop/12315544/?Template=http%3A%2F%2F127.0.0.1%2Fx",
        "tgram://123456789:abcdefg_hijklmnop/12315544/?x=1;template+=/etc/hostname",
        "mailto://ann:secret@example.org?pgp=encrypt&pgppub=/etc/hostname",
        "mailto://ann:secret@example.org?pgpprv=http://127.0.0.1/x",
        "mailto://ann:secret@example.org?wkd=yes",
        "fcm://project/device?keyfile=/etc/hostname",
    ],
)
def test_an_apprise_url_that_reads_a_file_or_an_address_is_refused(
    url: str, allow_private: bool, requested: list[str]
) -> None:
    with pytest.raises(InvalidNotification):
        check_target(TargetKind.APPRISE, url, AddressPolicy(allow_private=allow_private))

    sent = send_apprise(url, allow_private=allow_private)

    assert re.search("is not (taken|allowed)", sent.result.detail)
    assert requested == []


@pytest.mark.parametrize("url", ["ifttt://webhookid/event", "syslog://"])
def test_with_private_addresses_allowed_every_scheme_is_sent_to(
    url: str, requested: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one whose URL has no host in the place of a host."""
    monkeypatch.setattr("syslog.syslog", lambda *_: requested.append("syslog"))

    send_apprise(url)

    assert requested


ONE_CHAT = f"tgram://123456789:{'a' * 35}/1111"


@pytest.mark.parametrize(
    ("url", "is_final"),
    [
        (ONE_CHAT, False),
        (f"{ONE_CHAT}?retry=3", False),
        (f"{ONE_CHAT}/2222", True),
        ("mailto://ann:secret@localhost:2525?to=bob@example.org,eve@example.org", True),
    ],
)
def test_a_failure_is_final_where_a_url_names_several_recipients(
    url: str, is_final: bool, requested: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apprise does not say which of them got the message."""

    def refuse(*_: object, **__: object) -> None:
        requested.append("smtp")
        raise ConnectionRefusedError

    monkeypatch.setattr("smtplib.SMTP", refuse)

    result = send_apprise(url).result

    assert (result.delivered, result.is_final) == (False, is_final)
    assert len(requested) == (2 if url.startswith("tgram") and is_final else 1)


def test_a_timeout_is_final_where_a_url_names_several_recipients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr("requests.post", lambda *_, **__: answered.wait())
    monkeypatch.setattr("streamwatch.services.notifications.senders.apprise.SEND_SECONDS", 0.05)

    alone = send_apprise(ONE_CHAT).result
    several = send_apprise(f"{ONE_CHAT}/2222").result
    answered.set()

    assert (alone.is_final, several.is_final) == (False, True)
    assert all("did not answer in time" in result.detail for result in (alone, several))


def test_parts_of_a_url_are_redacted() -> None:
    text = "POST https://api.telegram.org/bot123456:abcdef failed for abcdef"

    assert redacted(text, "tgram://123456:abcdef/999") == (
        "POST https://api.telegram.org/bot…:… failed for …"
    )


@pytest.mark.parametrize(
    "date", ["Wed, 21 Oct 99999999999 07:28:00 GMT", "Wed, 99 Oct 2026 07:28:00 GMT", "soon", "-1"]
)
def test_a_retry_after_that_is_no_date_is_ignored(receiver: Receiver, date: str) -> None:
    receiver.answer = lambda _: (503, {"Retry-After": date}, b"")

    result = send_webhook(receiver.url).result

    assert (result.status_code, result.retry_after) == (503, None)
