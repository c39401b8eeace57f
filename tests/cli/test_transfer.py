import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import click
import pytest

from streamwatch.storage.testing.build import streamer
from tests.cli.conftest import Shell


def test_an_export_is_imported_and_exported_again_byte_for_byte(
    shell: Shell, tmp_path: Path
) -> None:
    monitored = [streamer(str(n), f"login{n}", added=n) for n in range(5)]
    monitored[0] = replace(monitored[0], profile_image_url="http://127.0.0.1/simulated.svg")
    shell.storage.add_streamers(monitored)
    shell.environment["NOTIFICATIONS_ALLOW_PRIVATE"] = "true"
    url = "https://127.0.0.1/api/webhooks/1/abc"
    shell.does("notifications", "add", "discord", url, "--name", "Friends")
    exported = shell.does("export", "--secrets")
    file = tmp_path / "export.json"
    file.write_text(exported)

    for number in range(5):
        shell.storage.remove_streamer(str(number))
    [notification] = shell.storage.notifications.all()
    shell.storage.notifications.remove(notification.id)
    lines = shell.does("import", str(file)).splitlines()

    assert lines == [
        "Added: login0, login1, login2, login3, login4",
        "Notifications added: 1",
    ]
    assert shell.does("export", "--secrets") == exported
    assert url not in shell.does("export")


def test_a_full_disk_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(click, "echo", Mock(side_effect=full))
    result = shell.run("export")
    assert result.exit_code == 1
    assert result.stderr == "Error: The output is incomplete: No space left on device.\n"


def test_a_faulty_import_names_the_places_and_changes_nothing(shell: Shell) -> None:
    document = {"streamers": ["shroud", "not a login"], "more": 1}
    result = shell.run("import", "-", answer=json.dumps(document))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: Nothing was imported:",
        "more: Unknown field.",
        "streamers.1.username: Not a login: 1 to 25 letters, digits or _.",
    ]
    assert shell.storage.streamers() == []
    assert shell.run("import", "-", answer="{").exit_code == 1
