from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click
import pytest
import redis
from click.testing import CliRunner

from streamwatch import __version__
from streamwatch.cli import main
from streamwatch.services.clock import CorrectedClock
from streamwatch.simulator.faults import CallFault
from streamwatch.storage.redis.server_info import MIN_VERSIONS
from tests.cli.conftest import Shell
from tests.servers import free_port
from tests.simulator.receiver import SECRET


def findings(output: str) -> dict[str, str]:
    """The verdict on each subject."""
    lines = [line.split() for line in output.splitlines() if not line.startswith(" ")]
    return {subject: verdict for verdict, subject, *_ in lines}


@pytest.fixture
def running(shell: Shell, redis_url: str) -> Iterator[Shell]:
    """A deployment whose Redis writes to disk, whose worker runs and whose webhook answers."""
    shell.storage.coordination.heartbeat(datetime.now(UTC))
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("appendonly", "yes")
        yield shell
        client.config_set("appendonly", "no")


SUBJECTS = ("settings", "storage", "analytics", "Twitch", "worker", "webhook")


@pytest.mark.xdist_group("mongo")
def test_a_healthy_installation_has_no_faults(running: Shell, mongodb_url: str) -> None:
    said = running.does("doctor", ANALYTICS_TYPE="mongodb", MONGODB_URL=mongodb_url)
    assert findings(said) == dict.fromkeys(SUBJECTS, "ok")
    assert SECRET not in said


def fault(shell: Shell, subject: str, **environment: str | None) -> str:
    """What the doctor says where that one thing is wrong."""
    result = shell.run("doctor", answer="", **environment)
    found = findings(result.stdout)
    assert [name for name, verdict in found.items() if verdict == "FAULT"] == [subject]
    assert result.exit_code == 1
    assert SECRET not in result.output
    return result.stdout


def test_settings_of_redis_that_put_data_at_risk_are_reported(shell: Shell) -> None:
    shell.storage.coordination.heartbeat(datetime.now(UTC))

    said = shell.run("doctor").stdout

    assert "ok     storage    redis (Redis " in said
    assert "note   storage    appendonly is no" in said


def test_a_redis_that_is_too_old_is_a_fault(
    running: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MIN_VERSIONS, "Redis", (99, 0))
    result, migrated = running.run("doctor"), running.run("migrate")

    assert findings(result.stdout)["storage"] == "FAULT"
    assert "is too old: at least Redis 99.0 or Valkey 7.2 is needed" in result.stdout
    assert migrated.exit_code != 0
    assert "is too old" in migrated.output


def test_each_wrong_setting_is_reported(shell: Shell) -> None:
    result = shell.run("doctor", PORT="none", WEBHOOK_SECRET="short")
    assert result.exit_code == 1
    assert result.stdout.count("FAULT") == 2
    assert "PORT" in result.stdout
    assert "WEBHOOK_SECRET" in result.stdout


def test_an_unreachable_storage_is_reported(running: Shell) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}"
    result = running.run("doctor", REDIS_URL=nowhere)
    assert result.exit_code == 1
    found = findings(result.stdout)
    assert (found["storage"], found["worker"], found["Twitch"]) == ("FAULT", "note", "ok")
    assert "REDIS_URL" in result.stdout


def test_unreachable_analytics_are_reported(running: Shell) -> None:
    nowhere = f"mongodb://127.0.0.1:{free_port()}"
    said = fault(running, "analytics", ANALYTICS_TYPE="mongodb", MONGODB_URL=nowhere)
    assert "MONGODB_URL" in said


def test_unreachable_analytics_on_redis_are_reported_with_the_setting_of_redis(
    shell: Shell,
) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}"
    said = shell.run("doctor", ANALYTICS_TYPE="redis", REDIS_URL=nowhere).stdout
    assert findings(said)["analytics"] == "FAULT"
    assert "MONGODB_URL" not in said


def test_missing_credentials_are_reported(running: Shell) -> None:
    said = fault(running, "Twitch", TWITCH_CLIENT_ID=None, TWITCH_CLIENT_SECRET=None)
    assert "set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET" in said


def test_wrong_credentials_are_reported_despite_a_shared_token(running: Shell) -> None:
    running.does("subscriptions", "list")
    said = fault(running, "Twitch", TWITCH_CLIENT_SECRET="another-client-secret")
    assert "make a new secret" in said
    assert "another-client-secret" not in said


def test_an_unreachable_twitch_is_reported(running: Shell) -> None:
    running.twitch.faults.on_call("/helix/users", CallFault(500), times=3)
    assert "api.twitch.tv" in fault(running, "Twitch")


def test_a_missing_worker_is_reported(shell: Shell) -> None:
    assert "streamwatch.worker" in fault(shell, "worker")


def test_an_unreachable_webhook_is_reported(running: Shell) -> None:
    url = f"http://127.0.0.1:{free_port()}/webhooks/eventsub"
    assert "does not answer from here" in fault(running, "webhook", WEBHOOK_URL=url)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(301, "needs no redirect"), (404, "leads to this service"), (502, "read the logs")],
)
def test_a_webhook_that_answers_another_status_is_reported(
    running: Shell, status: int, remedy: str
) -> None:
    running.receiver.bad = deque([status])
    assert remedy in fault(running, "webhook")


def test_a_webhook_that_answers_another_text_is_reported(running: Shell) -> None:
    running.receiver.challenge_answer = b"welcome"
    fault(running, "webhook")


def test_a_different_secret_of_the_web_process_is_reported(running: Shell) -> None:
    said = fault(running, "webhook", WEBHOOK_SECRET="another-webhook-secret")
    assert "same WEBHOOK_SECRET" in said


def test_a_webhook_whose_clock_is_wrong_is_reported_as_that(
    running: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's clock is behind Twitch's, and the web process does not know it."""

    class TwitchsClock(CorrectedClock):
        is_far = True

        def __call__(self) -> datetime:
            return datetime.now(UTC) + timedelta(minutes=15)

    monkeypatch.setattr("streamwatch.cli.doctor_checks.CorrectedClock", TwitchsClock)
    said = fault(running, "webhook")
    assert "synchronize the clock" in said
    assert "WEBHOOK_SECRET" not in said


def test_storage_that_nobody_chose_is_explained(shell: Shell) -> None:
    hint = "run this command while it runs, in its folder"
    assert hint in shell.run("doctor", STORAGE_TYPE=None, ANALYTICS_TYPE=None).stdout
    assert hint not in shell.run("doctor", STORAGE_TYPE="memory").stdout


def test_colours_are_left_out_where_no_color_is_set(shell: Shell) -> None:
    for no_color, count in ((None, 0), ("", 0), ("1", 1), ("no", 1)):
        result = CliRunner(env=shell.environment | {"NO_COLOR": no_color}).invoke(
            main, ["doctor"], color=True
        )
        assert ("\x1b[" not in result.stdout) == count


def test_memory_storage_and_polling_only_are_no_faults(shell: Shell) -> None:
    said = shell.does("doctor", STORAGE_TYPE="memory", WEBHOOK_URL=None)
    found = findings(said)
    assert [name for name, verdict in found.items() if verdict == "note"] == [
        "storage",
        "worker",
        "eventsub",
    ]


def test_the_version_is_printed(shell: Shell) -> None:
    assert shell.does("version") == f"{__version__}\n"


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """The path of a command and of each of its subcommands."""
    yield path
    if isinstance(command, click.Group):
        for name, subcommand in command.commands.items():
            yield from commands(subcommand, *path, name)


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_every_command_says_what_it_does(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0, result.output
    # Click prints the usage, the command's own text, and the options.
    usage, text, *_ = result.stdout.split("\n\n")
    assert usage.startswith(f"Usage: {' '.join(('main', *path))} ")
    assert not text.startswith("Options:"), result.stdout


def test_a_wrong_setting_prints_one_line_and_exits_with_1(shell: Shell) -> None:
    result = shell.run("streamers", "list", PORT="none")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: PORT: 'none' cannot be used")
    assert len(result.stderr.splitlines()) == 1


def test_an_unreachable_storage_does_not_hide_the_findings_about_other_subjects(
    shell: Shell,
) -> None:
    redis_url = f"redis://127.0.0.1:{free_port()}"
    result = shell.run("doctor", REDIS_URL=redis_url, WEBHOOK_URL=None)
    found = findings(result.stdout)
    assert (found["storage"], found["Twitch"], found["eventsub"]) == ("FAULT", "ok", "note")
