"""Imports, by the state of Twitch."""

import pytest

from streamwatch.domain.models import Streamer
from streamwatch.twitch.base import TwitchError, TwitchNotConfigured, TwitchUnavailable
from tests.clocks import START
from tests.services.conftest import World


@pytest.mark.parametrize("error", [TwitchNotConfigured("Not set."), TwitchUnavailable("Down.")])
def test_a_monitored_streamer_exists_also_while_twitch_cannot_be_asked(
    world: World, error: TwitchError
) -> None:
    world.storage.add_streamers([Streamer("1", "shroud", "shroud", START)])
    world.twitch.error = error
    imported = world.services.transfer.load({"streamers": ["Shroud", "new"]})
    assert (imported.existing, imported.failed) == (["shroud"], ["new"])
    assert (imported.added, imported.not_found) == ([], [])
