import os
import subprocess
import sys

from streamwatch import __version__
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


def test_links_and_at_signs_are_accepted_as_logins(shell: Shell) -> None:
    assert shell.does(
        "streamers", "add", "https://www.twitch.tv/Shroud", "@quillandcopper", "shroud"
    ) == ("Added: shroud, quillandcopper\n")


def test_logins_are_read_from_standard_input(shell: Shell) -> None:
    answer = "shroud, https://twitch.tv/quillandcopper\n\n@shroud\n"
    assert shell.does("streamers", "add", "-", answer=answer) == ("Added: shroud, quillandcopper\n")


def test_a_wrong_login_on_standard_input_adds_no_streamer(shell: Shell) -> None:
    result = shell.run("streamers", "add", "-", answer="shroud http://example.com/shroud")
    assert result.exit_code == 2
    assert "'http://example.com/shroud': Not a login" in result.stderr
    assert shell.storage.streamers() == []
    assert shell.run("streamers", "add", "-", answer="\n").exit_code == 2


def test_the_version_is_an_option_and_a_command(shell: Shell) -> None:
    assert shell.does("--version") == f"streamwatch {__version__}\n"
    assert shell.does("version") == f"{__version__}\n"


def test_users_unknown_to_twitch_are_listed_with_exit_code_1(shell: Shell) -> None:
    shell.does("streamers", "add", "shroud")
    result = shell.run("streamers", "add", "shroud", "nobody_by_this_name")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Monitored already: shroud",
        "No such Twitch user: nobody_by_this_name",
    ]


def test_refused_credentials_are_named_when_streamers_are_added(shell: Shell) -> None:
    secret = "0123456789abcdefghij0123456789"
    result = shell.run("streamers", "add", "shroud", TWITCH_CLIENT_SECRET=secret)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "invalid client secret" in result.stderr


def test_removing_a_streamer_who_is_not_monitored_fails(shell: Shell) -> None:
    result = shell.run("streamers", "remove", "shroud")
    assert result.exit_code == 1
    assert result.stderr == "Error: 'shroud' is not monitored.\n"


def test_an_invalid_login_is_wrong_usage(shell: Shell) -> None:
    result = shell.run("streamers", "add", "not a login")
    assert result.exit_code == 2
    assert "not a login" in result.stderr


def test_memory_storage_cannot_be_reached_from_a_shell(shell: Shell) -> None:
    result = shell.run("streamers", "list", STORAGE_TYPE="memory")
    assert result.exit_code == 1
    assert "use its API instead" in result.stderr


def test_tags_are_set_shown_filtered_and_cleared(shell: Shell) -> None:
    shell.does("streamers", "add", "shroud", "quillandcopper")
    assert shell.does("streamers", "tag", "@Shroud", "friends", "FPS", "friends") == (
        "Tags of shroud: fps, friends\n"
    )
    [line] = shell.does("streamers", "list", "--tag", "fps").splitlines()
    assert (line.split()[0], line.split()[-2:]) == ("shroud", ["fps", "friends"])
    assert shell.does("streamers", "list", "--tag", "unknown") == ""
    assert shell.does("streamers", "tag", "shroud", "--clear") == "Tags of shroud: none\n"


def test_tags_are_not_removed_by_a_forgotten_argument(shell: Shell) -> None:
    shell.does("streamers", "add", "shroud")
    shell.does("streamers", "tag", "shroud", "friends")
    for arguments in ((), ("--clear", "fps")):
        result = shell.run("streamers", "tag", "shroud", *arguments)
        assert result.exit_code == 2
        assert "--clear" in result.stderr
    assert [streamer.tags for streamer in shell.storage.streamers()] == [("friends",)]


def test_wrong_tags_and_streamers_who_are_not_monitored_are_named(shell: Shell) -> None:
    result = shell.run("streamers", "tag", "shroud", "two words")
    assert result.exit_code == 2
    assert "'two words': Not a tag" in result.stderr
    result = shell.run("streamers", "tag", "shroud", "friends")
    assert (result.exit_code, result.stderr) == (1, "Error: 'shroud' is not monitored.\n")


def test_lines_that_cannot_be_used_are_named_and_the_others_added(shell: Shell) -> None:
    answer = (
        "shroud\nnot-a-login quillandcopper\n\n@quillandcopper, shroud\nhttps://example.com/x\n"
    )
    result = shell.run("streamers", "add", "-", answer=answer)
    assert result.exit_code == 1
    assert result.stdout == "Added: shroud, quillandcopper\n"
    assert [line for line in result.stderr.splitlines() if line.startswith("Line")] == [
        "Line 2: 'not-a-login': Not a login: 1 to 25 letters, digits or _.",
        "Line 5: 'https://example.com/x': Not a login: 1 to 25 letters, digits or _.",
    ]


def test_a_list_in_another_encoding_than_the_locale_is_read(shell: Shell) -> None:
    given = {name: value for name, value in shell.environment.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-m", "streamwatch", "streamers", "add", "-"],
        input=b"shroud\n\xe9milie\n",
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8:strict", **given},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"Added: shroud\n")
    assert b"Line 2: " in done.stderr
