"""What happens in the simulated world, by itself and on command."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import requests

from streamwatch.domain.models import EventType
from streamwatch.simulator.cast import CAST
from streamwatch.simulator.faults import Faults, MessageFault, MessageType
from streamwatch.simulator.random_activity import RandomActivity
from streamwatch.simulator.simulator import Simulator
from streamwatch.simulator.world import ChannelUpdate, StreamChange, World

START = datetime(2026, 10, 11, 10, 0, tzinfo=UTC)


def _run(seed: int, minutes: float, step: float = 1.0) -> tuple[World, list[StreamChange]]:
    """The world after `minutes`, advanced every `step` seconds, and what happened."""
    world = World(lambda: START)
    changes: list[StreamChange] = []
    world.listeners.append(changes.append)
    for member in CAST:
        world.add_user(member.display_name)
    activity = RandomActivity(world, Random(seed), START)  # noqa: S311  a game's dice
    for n in range(int(minutes * 60 / step) + 1):
        activity.advance(START + timedelta(seconds=n * step))
    return world, changes


def test_the_same_seed_gives_the_same_events_for_any_step() -> None:
    (world, changes), (other, others) = _run(7, 20, step=1.0), _run(7, 20, step=7.5)
    assert changes == others
    assert list(world.shown(datetime.max.replace(tzinfo=UTC))) == list(
        other.shown(datetime.max.replace(tzinfo=UTC))
    )
    assert _run(8, 20)[1] != changes


def test_streams_that_are_on_at_the_start_have_drawn_previews() -> None:
    with Simulator(alive=True) as twitch:
        streams = [stream for _, stream in twitch.world.shown(datetime.max.replace(tzinfo=UTC))]
        templates = [stream.thumbnail_url or "" for stream in streams]
        assert len(templates) > 5
        assert [url for url in templates if not url.startswith(f"{twitch.origin}/")] == []
        url = templates[0].replace("{width}", "320").replace("{height}", "180")
        assert requests.get(url, timeout=5).headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize("seed", range(5))
def test_within_a_minute_about_a_dozen_streams_are_live(seed: int) -> None:
    world, changes = _run(seed, 1)
    after_start = [change for change in changes if change.at > START]
    assert len(after_start) >= 2
    assert 10 <= len(list(world.shown(START + timedelta(minutes=1)))) <= 16


def test_within_an_hour_streams_start_end_flap_and_change() -> None:
    world, changes = _run(0, 60)
    kinds = Counter(change.type for change in changes)
    assert kinds[EventType.ONLINE] > 60
    assert kinds[EventType.OFFLINE] > 50
    online = Counter(change.stream.id for change in changes if change.type is EventType.ONLINE)
    assert max(online.values()) > 1  # a flap keeps the stream's id
    assert any(user.login.endswith("_tv") for user in world.users())
    viewers = sorted(
        stream.viewer_count or 0 for _, stream in world.shown(START.replace(year=2027))
    )
    assert viewers[0] >= 1
    assert viewers[-1] > 10 * viewers[len(viewers) // 2]  # a few are large


def test_members_save_other_categories_while_live_and_offline() -> None:
    world = World(lambda: START)
    for member in CAST:
        world.add_user(member.display_name)
    activity = RandomActivity(world, Random(0), START)  # noqa: S311  a game's dice
    shown = {user.user_id: world.channel(user.login) for user in world.users()}
    saved: Counter[tuple[bool, bool]] = Counter()

    def note(update: ChannelUpdate) -> None:
        is_changed = update.channel.category != shown[update.user.user_id].category
        saved[world.stream(update.user.login) is not None, is_changed] += 1
        shown[update.user.user_id] = update.channel

    world.update_listeners.append(note)
    for minute in range(60):
        activity.advance(START + timedelta(minutes=minute))
    assert all(
        saved[is_live, is_changed] for is_live in (True, False) for is_changed in (True, False)
    )


def test_some_members_never_stream() -> None:
    _, changes = _run(0, 120)
    seen = {change.user.user_id for change in changes}
    assert 0 < len(CAST) - len(seen) < 5


def test_starts_and_ends_of_a_streamer_alternate() -> None:
    _, changes = _run(3, 60)
    live: set[str] = set()
    for change in changes:
        is_on = change.type is EventType.ONLINE
        assert is_on is (change.user.user_id not in live)
        live ^= {change.user.user_id}


def test_impossible_commands_are_errors() -> None:
    world = World(lambda: START)
    world.add_user("Mallard")
    world.add_user("Moorhen")
    with pytest.raises(ValueError, match="not live"):
        world.go_offline("mallard")
    with pytest.raises(ValueError, match="never had"):
        world.resume("mallard")
    world.go_online("mallard")
    with pytest.raises(ValueError, match="live already"):
        world.go_online("MALLARD")
    with pytest.raises(ValueError, match="moorhen exists already"):
        world.rename("mallard", "MOORHEN")
    with pytest.raises(ValueError, match="mallard exists already"):
        world.add_user("mallard")
    with pytest.raises(KeyError):
        world.go_online("nobody_at_all")


def test_mishaps_occur_with_their_probabilities() -> None:
    faults = Faults(Random(1))  # noqa: S311  a game's dice
    faults.chances = {MessageFault.DROPPED: 0.1, MessageFault.DOUBLED: 0.2}
    drawn = Counter(faults.of_message(MessageType.NOTIFICATION) for _ in range(2000))
    assert set(drawn) == {None, MessageFault.DROPPED, MessageFault.DOUBLED}
    assert 150 < drawn[MessageFault.DROPPED] < 250
    assert 340 < drawn[MessageFault.DOUBLED] < 460
    assert faults.of_message(MessageType.REVOCATION) is None
