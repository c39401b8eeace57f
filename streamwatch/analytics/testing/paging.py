"""Contract tests of pages of sessions and samples."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.testing.build import ContractBase, as_input, at, online, snapshot
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.positions import Item, Position

HOUR = 3600


class PagingContract(ContractBase):
    def test_sessions_come_newest_first_in_pages(self, analytics: AnalyticsStore) -> None:
        starts = [0, 0, 0, HOUR, 2 * HOUR, 3 * HOUR, 3 * HOUR]
        analytics.project(as_input(*(online(f"s{n}", start) for n, start in enumerate(starts))))

        everything = analytics.sessions("1337", 10)
        assert [session.stream_id for session in everything] == [f"s{n}" for n in range(6, -1, -1)]

        pages = list(_pages(partial(analytics.sessions, "1337"), 2))
        assert [len(page) for page in pages] == [2, 2, 2, 1]
        assert [session for page in pages for session in page] == everything
        assert analytics.sessions("1337", 10, Position(at(HOUR), "s0")) == everything[4:]
        assert list(analytics.each_session("1337")) == everything
        assert list(analytics.each_session("1337", at(2 * HOUR))) == everything[:3]
        assert analytics.sessions("bob", 3) == []

    def test_samples_come_newest_first_in_pages(self, analytics: AnalyticsStore) -> None:
        samples = _samples(Random(1))  # noqa: S311  reproducible
        analytics.project(as_input(*samples, samples[0]))
        newest_first = sorted(samples, key=lambda sample: sample.position, reverse=True)

        assert list(analytics.each_snapshot(None)) == newest_first
        assert analytics.snapshots(None, 1000) == newest_first
        pages = list(_pages(partial(analytics.snapshots, None), 7))
        assert [sample for page in pages for sample in page] == newest_first

        of_one = [sample for sample in newest_first if sample.broadcaster_id == "2"]
        pages = list(_pages(partial(analytics.snapshots, "2"), 3))
        assert [sample for page in pages for sample in page] == of_one
        assert list(analytics.each_snapshot("2")) == of_one
        assert analytics.snapshots("nobody", 2) == []

    def test_a_walk_while_samples_arrive_shows_each_earlier_sample_once(
        self, analytics: AnalyticsStore
    ) -> None:
        random = Random(2)  # noqa: S311  reproducible
        samples = _samples(random)
        arriving = [sample for sample in samples if random.random() < 0.3]
        before = [sample for sample in samples if sample not in arriving]
        analytics.project(as_input(*before))

        shown: list[StreamSnapshot] = []
        for page in _pages(partial(analytics.snapshots, None), 9):
            shown += page
            if arriving:
                analytics.project(as_input(arriving.pop()))

        positions = [sample.position for sample in shown]
        assert len(positions) == len(set(positions))
        assert {sample.position for sample in before} <= set(positions)

    def test_a_long_read_while_samples_arrive_shows_each_earlier_sample_once(
        self, analytics: AnalyticsStore
    ) -> None:
        """As of a file that a client downloads slowly. Each poll shows half of the streams."""
        before = [sample for poll in range(6) for sample in _poll(poll, range(50))]
        analytics.project(as_input(*before))

        shown: list[StreamSnapshot] = []
        for sample in analytics.each_snapshot(None):
            if len(shown) % 60 == 0:
                poll = 6 + len(shown) // 60
                analytics.project(as_input(*_poll(poll, range(poll % 2, 52, 2))))
            shown.append(sample)

        positions = [sample.position for sample in shown]
        assert positions == sorted(set(positions), reverse=True)
        assert {sample.position for sample in before} <= set(positions)


def _poll(number: int, streams: Iterable[int]) -> Iterator[StreamSnapshot]:
    """A sample of each of these streams, which have one streamer each."""
    for stream in streams:
        yield snapshot(f"s{stream}", 300 * number, user_id=f"{stream}", login=f"login{stream}")


def _samples(random: Random) -> list[StreamSnapshot]:
    """Of four streamers with streams of all lengths, most of them taken at the same moments."""
    samples = []
    for user_id in "1234":
        moment = random.randrange(20)
        for number in range(4):
            length = random.choice([1, 2, 5, 30])
            samples += [
                snapshot(
                    f"{user_id}-{number}",
                    600 * (moment + index),
                    started=600 * moment,
                    user_id=user_id,
                    login=f"login{user_id}",
                )
                for index in range(length)
            ]
            moment += length + random.randrange(1, 20)
    return samples


def _pages(read: Callable[[int, Position | None], list[Item]], limit: int) -> Iterator[list[Item]]:
    after = None
    while page := read(limit, after):
        yield page
        after = page[-1].position
