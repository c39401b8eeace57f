from tests.cli.conftest import Shell


def test_streamers_are_added_listed_and_removed(shell: Shell) -> None:
    assert shell.does("streamers", "add", "Shroud", "quillandcopper") == (
        "Added: shroud, quillandcopper\n"
    )
    assert {streamer.login for streamer in shell.storage.streamers()} == {
        "shroud",
        "quillandcopper",
    }
    lines = shell.does("streamers", "list").splitlines()
    assert {tuple(line.split()[:2]) for line in lines} == {
        ("shroud", "polled"),
        ("quillandcopper", "polled"),
    }
    assert shell.does("streamers", "remove", "SHROUD") == "Removed: shroud\n"
    [line] = shell.does("streamers", "list").splitlines()
    assert line.startswith("quillandcopper ")


def test_what_twitch_does_not_know_is_told_and_is_exit_code_1(shell: Shell) -> None:
    shell.does("streamers", "add", "shroud")
    result = shell.run("streamers", "add", "shroud", "nobody_by_this_name")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Monitored already: shroud",
        "No such Twitch user: nobody_by_this_name",
    ]


def test_removing_somebody_who_is_not_monitored_is_exit_code_1(shell: Shell) -> None:
    result = shell.run("streamers", "remove", "shroud")
    assert result.exit_code == 1
    assert result.stderr == "Error: 'shroud' is not monitored.\n"


def test_what_is_not_a_login_is_a_wrong_call(shell: Shell) -> None:
    result = shell.run("streamers", "add", "not a login")
    assert result.exit_code == 2
    assert "not a login" in result.stderr


def test_memory_storage_cannot_be_reached_from_a_shell(shell: Shell) -> None:
    result = shell.run("streamers", "list", STORAGE_TYPE="memory")
    assert result.exit_code == 1
    assert "use its API instead" in result.stderr
