"""The index of streamers by tag."""

from dataclasses import replace

import pytest

from streamwatch.domain.models import Streamer
from streamwatch.services.tags import MAX_AGE_SECONDS, TagIndex
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.testing.build import streamer
from tests.fakes import FailingStorage


class CountingStorage(FailingStorage):
    reads = 0

    def streamers(self) -> list[Streamer]:
        self.reads += 1
        return super().streamers()


@pytest.fixture
def storage() -> CountingStorage:
    storage = CountingStorage()
    storage.add_streamers(
        [
            replace(streamer("1", "ann"), tags=("fps", "friends")),
            replace(streamer("2", "bob"), tags=("friends",)),
            streamer("3", "cat"),
        ]
    )
    return storage


def test_streamers_are_found_by_tag(storage: CountingStorage) -> None:
    index = TagIndex(storage)

    assert set(index.user_ids("friends")) == {"1", "2"}
    assert set(index.user_ids("fps")) == {"1"}
    assert not index.user_ids("unknown")


def test_a_change_of_tags_is_seen_at_once(storage: CountingStorage) -> None:
    index = TagIndex(storage)
    index.user_ids("fps")

    storage.commit_streamers([replace(streamer("3", "cat"), tags=("fps",), version=2)])
    assert set(index.user_ids("fps")) == {"1", "3"}
    storage.remove_streamer("1")
    assert set(index.user_ids("fps")) == {"3"}


def test_the_records_are_read_again_only_after_a_change_or_a_second(
    storage: CountingStorage,
) -> None:
    now = 0.0
    index = TagIndex(storage, clock=lambda: now)
    for _ in range(5):
        index.user_ids("fps")
    assert storage.reads == 1

    now += MAX_AGE_SECONDS
    index.user_ids("fps")
    assert storage.reads == 2


def test_a_failed_read_is_an_error_and_is_repeated(storage: CountingStorage) -> None:
    index = TagIndex(storage)
    storage.error = StorageUnavailable("The storage is down.")
    with pytest.raises(StorageUnavailable):
        index.user_ids("fps")

    storage.error = None
    assert set(index.user_ids("fps")) == {"1"}
