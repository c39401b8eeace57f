"""Tests of the memory storage beyond the contract: what expires, by a clock that the tests set."""

from dataclasses import replace

from streamwatch.storage.base import REMOVED_SECONDS
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.testing.build import change, event, status, store, streamer


def test_a_late_message_does_not_extend_the_life_of_a_hidden_status() -> None:
    now = 0.0
    storage = MemoryStorage(clock=lambda: now)
    storage.add_streamers([streamer("1", "ann")])
    store(storage, change(status("1", "ann"), event("e1", 1)))
    storage.remove_streamer("1")
    now = REMOVED_SECONDS - 1.0
    later = replace(status("1", "ann", version=2), is_removed=True)
    store(storage, change(later, event("e2", 2)))
    assert storage.statuses(["1"]) == {"1": later}

    now = REMOVED_SECONDS + 1.0

    assert storage.statuses(["1"]) == {}
