"""Contract tests of projecting: any order, repetition and concurrency give the same result."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, count
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamwatch.analytics.base import AnalyticsError, AnalyticsStore
from streamwatch.analytics.testing.build import (
    NEXT_MONTH,
    ContractBase,
    OpenAnalytics,
    Piece,
    as_input,
    by_id,
    expected_sessions,
    history,
    offline,
    online,
    snapshot,
    together,
    video,
)
from streamwatch.domain.session_events import ProjectionInput, identities
from streamwatch.domain.totals import StreamerStats, categories, totals

_numbers = count(1)

EXAMPLES_PART = 20
"""An example plays a whole history, which takes many times as long as an ordinary example."""

examples = settings(
    max_examples=max(settings().max_examples // EXAMPLES_PART, 1),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
"""A part of the number of examples in hypothesis' profile. Each example is about another user, so
that examples may share a database."""

randoms = st.randoms(use_true_random=False)


def new_user() -> str:
    return f"user-{next(_numbers)}"


def batches(pieces: Sequence[Piece], random: Random) -> Iterator[ProjectionInput]:
    """The pieces in batches of random sizes."""
    rest = list(pieces)
    while rest:
        size = random.randint(1, 5)
        yield as_input(*rest[:size])
        rest = rest[size:]


def check(analytics: AnalyticsStore, user_id: str, pieces: Sequence[Piece]) -> None:
    """What was made is what the rules make of all pieces at once, to the last digit."""
    sessions = expected_sessions(pieces)
    played = [session.sample_totals.categories for session in sessions.values()]
    identity = identities(as_input(*pieces).events)[user_id]
    assert by_id(analytics.each_session(user_id)) == sessions
    assert analytics.categories(user_id) == categories(chain.from_iterable(played))
    stats = StreamerStats(identity, totals(sessions.values()))
    assert analytics.find(identity.latest_name.login) == stats


class ProjectingContract(ContractBase):
    @examples
    @given(random=randoms, order=randoms)
    def test_order_repetition_and_batches_make_no_difference(
        self, analytics: AnalyticsStore, random: Random, order: Random
    ) -> None:
        pieces = history(random, user_id := new_user())
        again = [*pieces, *order.sample(pieces, len(pieces) // 2)]
        order.shuffle(again)
        for batch in batches(again, order):
            analytics.project(batch)
        check(analytics, user_id, pieces)

    @examples
    @given(random=randoms)
    def test_every_intermediate_state_matches_the_observations_so_far(
        self, analytics: AnalyticsStore, random: Random
    ) -> None:
        pieces = history(random, user_id := new_user())
        for number, piece in enumerate(pieces, start=1):
            analytics.project(as_input(piece))
            check(analytics, user_id, pieces[:number])

    @examples
    @given(random=randoms, order=randoms)
    def test_several_processes_at_once_make_no_difference(
        self, open_analytics: OpenAnalytics, random: Random, order: Random
    ) -> None:
        pieces = history(random, user_id := new_user())
        share = len(pieces) // 2
        parts = [pieces[: share + 2], pieces[share:], order.sample(pieces, share)]

        def project(analytics: AnalyticsStore, part: list[ProjectionInput]) -> None:
            for batch in part:
                analytics.project(batch)

        together(
            *(partial(project, open_analytics(), list(batches(part, order))) for part in parts)
        )
        check(open_analytics(), user_id, pieces)

    @examples
    @given(random=randoms)
    def test_recalculation_equals_projection(
        self, analytics: AnalyticsStore, random: Random
    ) -> None:
        pieces = history(random, user_id := new_user())
        for piece in pieces:
            analytics.project(as_input(piece))
        analytics.recalculate(user_id)
        check(analytics, user_id, pieces)

    def test_a_late_online_takes_over_an_offline_without_stream_id(
        self, analytics: AnalyticsStore
    ) -> None:
        """For the stream before it is over since it was last seen, not since the offline."""
        late: list[Piece] = [
            online("s2", 100, started=90),
            snapshot("s3", 150, started=140),
            snapshot("s3", 140, started=140),
        ]
        known: list[Piece] = [
            online("s1", 0),
            snapshot("s1", 60),
            offline(None, 145),
            offline(None, 155),
            online("s3", 160, started=140),
        ]
        analytics.project(as_input(*known))
        for number, piece in enumerate(late, start=1):
            analytics.project(as_input(piece))
            assert by_id(analytics.sessions("1337", 10)) == expected_sessions(
                [*known, *late[:number]]
            )

    def test_a_start_that_turns_out_to_be_in_another_month_counts_once(
        self, analytics: AnalyticsStore
    ) -> None:
        pieces: list[Piece] = [
            online("s1", NEXT_MONTH),
            snapshot("s1", NEXT_MONTH + 100, 5, started=NEXT_MONTH),
            online("s1", NEXT_MONTH + 1, started=NEXT_MONTH - 600),
            online("s2", NEXT_MONTH + 3600),
            snapshot("s1", NEXT_MONTH + 200, 7, started=NEXT_MONTH - 600),
        ]
        for number, piece in enumerate(pieces, start=1):
            analytics.project(as_input(piece))
            check(analytics, "1337", pieces[:number])
        analytics.recalculate("1337")
        check(analytics, "1337", pieces)

    def test_a_batch_of_several_streamers(self, analytics: AnalyticsStore) -> None:
        users = [new_user() for _ in range(20)]
        pieces: dict[str, list[Piece]] = {
            user_id: [
                online(f"{user_id}-s", 0, user_id=user_id),
                snapshot(f"{user_id}-s", 60, 5, user_id=user_id),
                offline(None, 90, user_id=user_id),
            ]
            for user_id in users
        }
        analytics.project(as_input(*chain.from_iterable(pieces.values())))
        for user_id in users:
            assert by_id(analytics.sessions(user_id, 10)) == expected_sessions(pieces[user_id])

    def test_a_stream_of_another_streamer_is_refused(self, analytics: AnalyticsStore) -> None:
        """Stream ids are unique at Twitch, but not in messages that somebody made up."""
        first: list[Piece] = [online("s1", 0), snapshot("s1", 60)]
        other: list[Piece] = [
            online("s1", 100, user_id="2", login="other"),
            snapshot("s1", 160, user_id="2", login="other"),
        ]
        with pytest.raises(AnalyticsError):
            analytics.project(as_input(*first, *other))
        analytics.project(as_input(*first))
        for piece in other:
            with pytest.raises(AnalyticsError):
                analytics.project(as_input(piece))
        analytics.project(as_input(online("s2", 200, user_id="2", login="other")))
        with pytest.raises(AnalyticsError):
            analytics.project(as_input(video("s1", -90_000, -80_000, user_id="2", login="other")))
        check(analytics, "1337", first)
        assert [session.stream_id for session in analytics.sessions("2", 10)] == ["s2"]
        assert len(analytics.snapshots(None, 10)) == 1

    def test_an_empty_batch_and_an_unknown_streamer_change_nothing(
        self, analytics: AnalyticsStore
    ) -> None:
        analytics.project(ProjectionInput())
        assert analytics.summary().streamers == 0
        analytics.recalculate("nobody")
        assert analytics.summary().streamers == 0

    def test_preparing_again_changes_nothing(self, analytics: AnalyticsStore) -> None:
        analytics.prepare()
        analytics.project(as_input(snapshot("s1", 0)))
        analytics.prepare()
        assert len(analytics.snapshots(None, 10)) == 1
