"""True histories, played through a faulty Twitch: see `plans`, `world`, `play` and `checks`."""

import fakeredis
import pytest
from hypothesis import HealthCheck, given, settings

from streamwatch.storage.base import Storage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests.truth.checks import check_all, check_now
from tests.truth.plans import PLANS, Plan
from tests.truth.play import Play


def _on_redis() -> Storage:
    """An empty storage on the double of Redis, with the scripts of the real one."""
    client = fakeredis.FakeRedis(protocol=2)
    return RedisStorage(Connection(lambda: client), 10_000)


_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


# The same 200 histories in every run, so that a run says something about the change that was made;
# `make soak` plays others.
@given(PLANS)
@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=_SLOW)
def test_answers_match_the_true_world(plan: Plan) -> None:
    check_all(Play(plan, check_now).run())


@given(PLANS)
@settings(max_examples=50, derandomize=True, deadline=None, suppress_health_check=_SLOW)
def test_answers_on_redis_match_the_true_world(plan: Plan) -> None:
    check_all(Play(plan, check_now, _on_redis()).run())


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(PLANS)
@settings(max_examples=1_000, deadline=None, suppress_health_check=_SLOW)
def test_answers_on_redis_match_the_true_world_in_a_thousand_histories(plan: Plan) -> None:
    check_all(Play(plan, check_now, _on_redis()).run())


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(PLANS)
@settings(max_examples=10_000, deadline=None, suppress_health_check=_SLOW)
def test_answers_match_the_true_world_in_ten_thousand_histories(plan: Plan) -> None:
    check_all(Play(plan, check_now).run())
