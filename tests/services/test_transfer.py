"""Imports: what they add, also while Twitch cannot be asked."""

import pytest

from streamwatch.domain.exports import export_document
from streamwatch.domain.models import Streamer
from streamwatch.domain.notifications.models import ONLINE, Notification, TargetKind
from streamwatch.twitch.base import (
    TwitchDenied,
    TwitchError,
    TwitchNotConfigured,
    TwitchUnavailable,
)
from tests.clocks import START
from tests.services.conftest import World


@pytest.mark.parametrize(
    "error",
    [TwitchNotConfigured("Not set."), TwitchDenied("Invalid.", 403), TwitchUnavailable("Down.")],
)
def test_a_monitored_streamer_exists_also_while_twitch_cannot_be_asked(
    world: World, error: TwitchError
) -> None:
    world.storage.add_streamers([Streamer("1", "shroud", "shroud", START)])
    world.twitch.error = error
    imported = world.services.transfer.load({"streamers": ["Shroud", "new"]})
    assert (imported.existing, imported.failed) == (["shroud"], ["new"])
    assert (imported.added, imported.not_found) == ([], [])


def test_an_import_takes_no_login_from_a_monitored_streamer(world: World) -> None:
    world.storage.add_streamers([Streamer("2", "foo", "Foo", START)])
    entries = [
        {"user_id": "1", "username": "foo"},  # before the account was made anew
        {"user_id": "3", "username": "bar"},
        {"user_id": "4", "username": "bar"},
    ]
    imported = world.services.transfer.load({"streamers": entries})
    assert (imported.added, imported.failed) == (["bar"], ["foo", "bar"])
    found = world.services.streamers.find("foo"), world.services.streamers.find("bar")
    assert [streamer and streamer.user_id for streamer in found] == ["2", "3"]


def test_an_imported_notification_is_stored_as_a_new_one_would_be(world: World) -> None:
    made = Notification(
        id="n1",
        name=" A hook ",
        kind=TargetKind.DISCORD,
        url="https://discord.com/api/webhooks/1/token",
        created_at=START,
        active_since=START,
        events=(ONLINE, ONLINE),
        changed=("title", "title"),
    )
    world.services.transfer.load(export_document([], [made], secrets=True))
    [imported] = world.storage.notifications.all()
    assert (imported.name, imported.events, imported.changed) == ("A hook", (ONLINE,), ("title",))
