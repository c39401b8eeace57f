"""Contract tests of reads: contents, order, and selection by streamer."""

from datetime import timedelta
from functools import partial

import pytest

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.testing.build import (
    CHESS,
    GO,
    NOTHING,
    ContractBase,
    Piece,
    as_input,
    at,
    offline,
    online,
    snapshot,
)
from streamwatch.domain.statistics import HOUR_MS
from streamwatch.domain.totals import Ranking, Summary, Totals

HOUR = 3600


def stream(
    name: str, start: float, hours: float, viewers: int, category: tuple[str, str] = CHESS
) -> list[Piece]:
    """A stream of user `name`, with the same viewers in a sample every 10 minutes."""
    stream_id, end = f"{name}-{start}", start + hours * HOUR
    sample = partial(
        snapshot, stream_id, started=start, category=category, user_id=name, login=name
    )
    return [
        online(stream_id, start, user_id=name, login=name),
        *(sample(start + seconds, viewers) for seconds in range(0, int(hours * HOUR), 600)),
        offline(stream_id, end, user_id=name, login=name),
    ]


class ReadingContract(ContractBase):
    def test_a_streamer_is_found_by_login(self, analytics: AnalyticsStore) -> None:
        analytics.project(as_input(*stream("ann", 0, 2, 100), *stream("bob", 0, 1, 10)))
        stats = analytics.find("ann")
        assert stats is not None
        assert stats.identity.broadcaster_id == "ann"
        assert stats.identity.first_seen_at == at(0)
        assert stats.identity.latest_name.at == at(2 * HOUR)
        assert stats.totals.last_stream_at == at(0)
        assert stats.totals.last_live_at == at(2 * HOUR)
        assert stats.totals.hours_streamed == 2
        assert stats.totals.sums.hours_watched == 200
        assert analytics.find("carol") is None

    def test_a_rename_moves_the_login(self, analytics: AnalyticsStore) -> None:
        analytics.project(as_input(online("s1", 0, user_id="1", login="old")))
        analytics.project(as_input(online("s2", 50, user_id="1", login="new")))
        analytics.project(as_input(offline("s1", 10, user_id="1", login="old")))
        assert analytics.find("old") is None
        stats = analytics.find("new")
        assert stats is not None
        assert (stats.identity.broadcaster_id, stats.totals.streams) == ("1", 2)

    def test_two_streamers_swapping_names_are_not_mixed_up(self, analytics: AnalyticsStore) -> None:
        analytics.project(as_input(online("s1", 0, user_id="1", login="ann")))
        analytics.project(as_input(online("s2", 0, user_id="2", login="bob")))
        analytics.project(as_input(online("s3", 50, user_id="1", login="bob")))
        found = analytics.find("bob")
        assert found is not None
        assert found.identity.broadcaster_id == "1"
        analytics.project(as_input(online("s4", 60, user_id="2", login="ann")))
        for login, user_id, ids in (("bob", "1", ["s3", "s1"]), ("ann", "2", ["s4", "s2"])):
            found = analytics.find(login)
            assert found is not None
            assert found.identity.broadcaster_id == user_id
            assert [item.stream_id for item in analytics.sessions(user_id, 10)] == ids

    def test_sessions_are_found_by_the_ids_of_their_streams(
        self, analytics: AnalyticsStore
    ) -> None:
        analytics.project(as_input(*stream("ann", 0, 1, 5), *stream("ann", 2 * HOUR, 1, 5)))
        analytics.project(as_input(*stream("bob", 0, 1, 5)))
        found = analytics.sessions_of_streams(["ann-0", "unknown", "bob-0"])
        assert {item.stream_id: item for item in found} == {
            stream_id: analytics.session(stream_id) for stream_id in ("ann-0", "bob-0")
        }
        assert analytics.sessions_of_streams([]) == []

    def test_last_live_is_the_latest_end_and_of_an_ongoing_stream_when_it_was_seen(
        self, analytics: AnalyticsStore
    ) -> None:
        analytics.project(as_input(*stream("ann", 0, 5, 100), *stream("bob", HOUR, 2, 10)))
        analytics.project(as_input(online("s9", 6 * HOUR, user_id="carol", login="carol")))
        found = {
            stats.identity.broadcaster_id: stats.totals.last_live_at
            for stats in analytics.top(Ranking.HOURS, 10)
        }
        assert found == {"ann": at(5 * HOUR), "bob": at(3 * HOUR), "carol": at(6 * HOUR)}
        assert analytics.summary().totals.last_live_at == at(6 * HOUR)

    def test_a_streamer_with_only_an_offline_has_no_sessions(
        self, analytics: AnalyticsStore
    ) -> None:
        analytics.project(as_input(offline(None, 0, user_id="1", login="ann")))
        stats = analytics.find("ann")
        assert stats is not None
        assert stats.totals == Totals()
        assert analytics.sessions("1", 10) == []

    def test_totals_are_of_the_streams_that_started_in_between(
        self, analytics: AnalyticsStore
    ) -> None:
        for start, viewers in ((0, 100), (2 * HOUR, 10), (4 * HOUR, 1)):
            analytics.project(as_input(*stream("ann", start, 1, viewers)))
        found = analytics.totals("ann", at(0) + timedelta(seconds=1), at(4 * HOUR))
        assert (found.streams, found.airtime_ms) == (1, HOUR_MS)
        assert (found.sums.viewer_ms, found.sums.max_viewers) == (10 * HOUR_MS, 10)
        assert found.last_stream_at == at(2 * HOUR)
        assert analytics.totals("ann", at(-9), at(0)) == Totals()
        assert analytics.totals("ann", at(0), at(9 * HOUR)).streams == 3

    def test_categories_come_with_the_most_hours_first(self, analytics: AnalyticsStore) -> None:
        analytics.project(as_input(*stream("ann", 0, 1, 100, CHESS)))
        analytics.project(as_input(*stream("ann", 2 * HOUR, 3, 10, GO)))
        analytics.project(as_input(*stream("ann", 6 * HOUR, 1, 20, CHESS)))
        analytics.project(as_input(*stream("ann", 9 * HOUR, 9, 20, NOTHING)))
        go, chess = analytics.categories("ann")
        assert (go.category_name, go.sums.observed_ms) == ("Go", 3 * HOUR_MS)
        assert (chess.category_name, chess.sums.observed_ms) == ("Chess", 2 * HOUR_MS)
        assert (chess.sums.average, chess.sums.max_viewers) == (60, 100)
        assert analytics.categories("bob") == []

    def test_the_summary_includes_all_streamers(self, analytics: AnalyticsStore) -> None:
        assert analytics.summary() == Summary()
        analytics.project(as_input(*stream("ann", 0, 1, 100), *stream("bob", 0, 2, 10)))
        analytics.project(as_input(online("s9", 9 * HOUR, user_id="ann", login="ann")))
        found = analytics.summary()
        assert found.streamers == 2
        assert analytics.user_ids() == ["ann", "bob"]
        assert (found.totals.streams, found.totals.ended_streams) == (3, 2)
        assert found.totals.airtime_ms == 3 * HOUR_MS
        assert found.totals.sums.viewer_ms == 120 * HOUR_MS
        assert found.totals.sums.samples == len(analytics.snapshots(None, 1000)) == 18

    @pytest.mark.parametrize(
        ("ranking", "expected"),
        [
            (Ranking.HOURS, ["bob", "ann", "carol", "dave"]),
            (Ranking.WATCHED, ["ann", "bob", "carol", "dave"]),
            (Ranking.PEAK, ["carol", "ann", "bob", "dave"]),
            (Ranking.AVERAGE, ["carol", "ann", "bob", "dave"]),
        ],
    )
    def test_streamers_are_ranked(
        self, analytics: AnalyticsStore, ranking: Ranking, expected: list[str]
    ) -> None:
        analytics.project(as_input(*stream("ann", 0, 2, 100), *stream("bob", 0, 3, 10)))
        analytics.project(as_input(snapshot("c", 60, 500, user_id="carol", login="carol")))
        analytics.project(as_input(online("d", 0, user_id="dave", login="dave")))
        top = analytics.top(ranking, 50)
        assert [item.identity.broadcaster_id for item in top] == expected
        assert analytics.top(ranking, 2) == top[:2]

    def test_ties_are_ordered_by_user_id(self, analytics: AnalyticsStore) -> None:
        for name in ("bob", "ann", "carol"):
            analytics.project(as_input(*stream(name, 0, 1, 10)))
        for ranking in Ranking:
            found = [item.identity.broadcaster_id for item in analytics.top(ranking, 50)]
            assert found == ["ann", "bob", "carol"]

    def test_categories_are_ranked_over_all_streamers(self, analytics: AnalyticsStore) -> None:
        analytics.project(as_input(*stream("ann", 0, 1, 100, CHESS), *stream("bob", 0, 9, 10, GO)))
        analytics.project(as_input(*stream("carol", 0, 1, 200, CHESS)))
        analytics.project(as_input(*stream("carol", 3 * HOUR, 1, 200, NOTHING)))
        chess, go = analytics.top_categories(10)
        assert (chess.streamers, chess.category.category_name) == (2, "Chess")
        assert chess.category.sums.viewer_ms == 300 * HOUR_MS
        assert chess.category.sums.max_viewers == 200
        assert (go.streamers, go.category.sums.observed_ms) == (1, 9 * HOUR_MS)
        assert analytics.top_categories(1) == [chess]

    def test_one_stream_is_read_by_its_id(self, analytics: AnalyticsStore) -> None:
        analytics.project(as_input(*stream("ann", 0, 1, 100), *stream("bob", 0, 2, 10)))
        [expected] = analytics.sessions("bob", 10)
        assert analytics.session("bob-0") == expected
        assert analytics.session("carol-0") is None
        samples = analytics.samples("bob-0")
        assert [item.captured_at for item in samples] == [at(600 * number) for number in range(12)]
        assert {item.broadcaster_id for item in samples} == {"bob"}
        assert analytics.samples("carol-0") == []

    def test_watched_hours_since_a_time_include_all_streams(
        self, analytics: AnalyticsStore
    ) -> None:
        analytics.project(
            as_input(
                *stream("ann", 0, 2, 100),
                *stream("bob", HOUR, 2, 10),
                *stream("carol", -9 * HOUR, 1, 1_000),
                online("dora-now", 2 * HOUR, user_id="dora"),
                snapshot("dora-now", 2 * HOUR, 7, started=2 * HOUR, user_id="dora"),
                snapshot("dora-now", 2 * HOUR + 600, 7, started=2 * HOUR, user_id="dora"),
            )
        )
        assert analytics.watched_since(at(HOUR)) == (100 + 2 * 10) * HOUR_MS + 7 * HOUR_MS // 6
        assert analytics.watched_since(at(4 * HOUR)) == 0
