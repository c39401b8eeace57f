"""True histories, played through a faulty Twitch: see `plans`, `world`, `play` and `checks`."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.truth.checks import check_all, check_now
from tests.truth.plans import PLANS, Plan
from tests.truth.play import Play

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


# The same 200 histories in every run, so that a run says something about the change that was made;
# `make soak` plays others.
@given(PLANS)
@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=_SLOW)
def test_answers_match_the_true_world(plan: Plan) -> None:
    check_all(Play(plan, check_now).run())


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(PLANS)
@settings(max_examples=10_000, deadline=None, suppress_health_check=_SLOW)
def test_answers_match_the_true_world_in_ten_thousand_histories(plan: Plan) -> None:
    check_all(Play(plan, check_now).run())
