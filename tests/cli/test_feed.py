from dataclasses import replace
from datetime import UTC, datetime

import pytest

from streamwatch.analytics import open_analytics
from streamwatch.services.analytics.projector import READER
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.settings import Settings
from tests.cli.conftest import Shell
from tests.domain.build import online
from tests.servers import free_port

pytestmark = pytest.mark.xdist_group("mongo")

AT = datetime(2026, 6, 1, tzinfo=UTC)


pytestmark = pytest.mark.xdist_group("mongo")


@pytest.fixture
def analytics(shell: Shell, mongodb_url: str, mongodb_database: str) -> Settings:
    """Settings of analytics in which nothing is yet."""
    shell.environment |= {
        "ANALYTICS_TYPE": "mongodb",
        "MONGODB_URL": mongodb_url,
        "MONGODB_DATABASE": mongodb_database,
    }
    return Settings(
        analytics_type="mongodb", mongodb_url=mongodb_url, mongodb_database=mongodb_database
    )


def set_aside(shell: Shell, **data: str) -> str:
    """Let an entry be set aside, its event with this data; its id."""
    went = online("9001", 0)
    went = replace(went, event=replace(went.event, data=went.event.data | data))
    shell.storage.feed.register(READER)
    ObservationRecorder(shell.storage).record([went])
    [entry] = shell.storage.feed.read(READER, "test", 1, reclaim_seconds=60)
    shell.storage.feed.add_dead_letter(READER, entry, "something was wrong", AT)
    return entry.id


def test_dead_letters_are_listed(shell: Shell) -> None:
    entry_id = set_aside(shell)
    result = shell.run("feed", "set-aside")
    assert result.stdout == f"{READER}  {entry_id}  2026-06-01T00:00:00Z  something was wrong\n"
    assert result.stderr == "1 set aside\n"


def test_replay_processes_dead_letters(shell: Shell, analytics: Settings) -> None:
    set_aside(shell)
    shell.does("migrate")
    assert shell.does("feed", "replay") == "1 processed, 0 still set aside\n"
    assert shell.does("feed", "set-aside") == ""
    store = open_analytics(analytics)
    stats = store.find("cool_user")
    store.close()
    assert stats is not None
    assert stats.totals.streams == 1
    assert shell.does("feed", "replay") == "0 processed, 0 still set aside\n"


def test_dead_letters_that_fail_again_stay_with_exit_code_1(
    shell: Shell, analytics: Settings
) -> None:
    entry_id = set_aside(shell, started_at="noon")
    result = shell.run("feed", "replay")
    assert result.exit_code == 1
    assert result.stdout == "0 processed, 1 still set aside\n"
    assert f"{entry_id}  The online " in result.stderr
    assert entry_id in shell.does("feed", "set-aside")


def test_replay_changes_nothing_while_the_analytics_are_down(
    shell: Shell, analytics: Settings
) -> None:
    set_aside(shell)
    result = shell.run("feed", "replay", MONGODB_URL=f"mongodb://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert len(shell.does("feed", "set-aside").splitlines()) == 1


def test_a_dead_letter_of_any_reader_can_be_dropped(shell: Shell) -> None:
    entry_id = set_aside(shell)
    assert shell.run("feed", "drop", "notifications", entry_id).exit_code == 1
    done = shell.does("feed", "drop", READER, entry_id)
    assert done == f"Deleted the dead letter {entry_id} of {READER}.\n"
    assert shell.does("feed", "set-aside") == ""
    again = shell.run("feed", "drop", READER, entry_id)
    assert again.exit_code == 1
    assert again.stderr == f"Error: The reader {READER} has no dead letter {entry_id}.\n"


def test_analytics_in_memory_cannot_be_reached_from_a_shell(shell: Shell) -> None:
    set_aside(shell)
    assert shell.run("feed", "replay").exit_code == 1
    assert len(shell.does("feed", "set-aside").splitlines()) == 1
