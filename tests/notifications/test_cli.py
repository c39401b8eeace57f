"""`streamwatch notifications`, beside a worker on the same Redis."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from streamwatch.bootstrap import assemble
from streamwatch.cli import main
from streamwatch.domain.tags import NOT_A_TAG
from streamwatch.settings import Settings
from streamwatch.worker.threads import NotificationThreads
from tests.api.world import FakeAnalytics
from tests.cli.conftest import Shell, shell
from tests.fakes import FakeTwitch
from tests.notifications.receiver import Receiver, receiving

__all__ = ["shell"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def worker(shell: Shell) -> Iterator[None]:
    shell.environment["NOTIFICATIONS_ALLOW_PRIVATE"] = "true"
    settings = Settings(notifications_allow_private=True)
    services = assemble(settings, shell.storage, FakeTwitch(), FakeAnalytics())
    threads = NotificationThreads(services.notifications, shell.storage.coordination)
    threads.start()
    yield
    threads.stop()


pytestmark = pytest.mark.usefixtures("worker")


def add(shell: Shell, receiver: Receiver, *options: str) -> str:
    """The id of a new webhook."""
    printed = shell.does("notifications", "add", "webhook", f"{receiver.url}/secret", *options)
    return printed.splitlines()[0]


def test_a_notification_is_added_listed_and_removed(shell: Shell, receiver: Receiver) -> None:
    made = add(shell, receiver, "--name", "Mine", "--event", "stream.online", "--cooldown", "0")

    listed = shell.does("notifications", "list")
    assert made in listed
    assert "Mine" in listed
    assert "/secret" not in listed
    latin = CliRunner(charset="iso-8859-1", env=shell.environment)
    assert r"\u2026" in latin.invoke(main, ["notifications", "list"]).stdout  # it has no …
    stored = shell.storage.notifications.get(made)
    assert stored is not None
    assert (stored.events, stored.cooldown_minutes) == (("stream.online",), 0)

    assert shell.does("notifications", "remove", made) == "Removed: Mine\n"
    assert "no notification" in shell.run("notifications", "remove", made).output


def test_an_edit_changes_the_given_settings_alone(shell: Shell, receiver: Receiver) -> None:
    quiet = "23:00-07:00@Europe/Berlin"
    made = add(shell, receiver, "--tag", "a", "--tag", "b", "--cooldown", "0", "--quiet", quiet)
    before = shell.storage.notifications.get(made)
    assert before is not None
    edit = ("notifications", "edit", made)

    new = ("--name", "Ours", "--url", f"{receiver.url}/other", "--tag", "c", "--off")
    assert shell.does(*edit, *new) == "Changed: Ours\n"
    assert shell.does(*edit, "--reset", "quiet_hours", "--reset", "categories") == "Changed: Ours\n"

    assert shell.storage.notifications.get(made) == replace(
        before,
        name="Ours",
        url=f"{receiver.url}/other",
        tags=("c",),
        quiet_hours=None,
        enabled=False,
        version=before.version + 2,
    )
    assert "Give at least one setting" in shell.run(*edit).output
    assert "name: Not a text" in shell.run(*edit, "--name", "").output
    assert "no notification" in shell.run("notifications", "edit", "ntf_x", "--on").output


def test_tags_are_given_as_for_streamers(shell: Shell, receiver: Receiver) -> None:
    stored = shell.storage.notifications.get(add(shell, receiver, "--tag", "Friends"))
    assert stored is not None
    assert stored.tags == ("friends",)
    refused = shell.run("notifications", "add", "webhook", receiver.url, "--tag", "two words")
    assert refused.exit_code == 2
    assert f"'two words': {NOT_A_TAG}" in refused.stderr


def test_streamers_who_are_not_monitored_are_named(shell: Shell, receiver: Receiver) -> None:
    for login in ("ann", "ben"):
        shell.twitch.world.add_user(login)
    shell.does("streamers", "add", "ann")
    logins = ("--streamer", "ann", "--streamer", "ben")

    added = shell.run("notifications", "add", "webhook", receiver.url, *logins)
    made = added.stdout.splitlines()[0]
    edited = shell.run("notifications", "edit", made, "--name", "Ours")

    for result in (added, edited):
        assert result.exit_code == 0
        assert "Not monitored: ben." in result.stderr
        assert "streamwatch streamers add ben" in result.stderr


def test_a_test_is_sent_by_the_worker(shell: Shell, receiver: Receiver) -> None:
    made = add(shell, receiver)

    assert shell.does("notifications", "test", made) == "Delivered (status 204)\n"

    receiver.answer = lambda _: (500, {}, b"broken")
    failed = shell.run("notifications", "test", made)
    assert failed.exit_code == 1
    assert "the receiver answered 500: broken" in failed.output


def test_deliveries_are_listed_and_sent_again(shell: Shell, receiver: Receiver) -> None:
    made = add(shell, receiver)
    shell.does("notifications", "test", made)
    [delivery] = shell.storage.notifications.deliveries(made, 10)

    listed = shell.does("notifications", "deliveries", made)
    assert delivery.id in listed
    assert "delivered" in listed
    assert f"Pending: {delivery.id}" in shell.does("notifications", "retry", made, delivery.id)


def test_invalid_input_is_reported(shell: Shell, receiver: Receiver) -> None:
    result = shell.run("notifications", "add", "webhook", receiver.url, "--quiet", "25:00-07:00")

    assert result.exit_code == 1
    assert "quiet_hours: start is not a time like 23:00." in result.output

    for option in ("--template", "--category"):
        not_text = shell.run("notifications", "add", "discord", receiver.url, option, "a\udcff")
        assert isinstance(not_text.exception, SystemExit)
        assert "a character that is not valid" in not_text.output


def test_doctor_names_targets_that_fail(shell: Shell, receiver: Receiver) -> None:
    made = add(shell, receiver, "--name", "Broken hook")
    known = shell.storage.notifications.get(made)
    assert known is not None
    assert datetime.now(UTC) > known.created_at
    assert "1 notifications, no failing target" in shell.run("doctor").output

    shell.environment["NOTIFICATIONS_ALLOW_PRIVATE"] = "true"
    off = replace(known, enabled=False, disabled_reason="it is gone", version=known.version + 1)
    shell.storage.notifications.replace(off)

    assert "Broken hook: switched off: it is gone" in shell.run("doctor").output
