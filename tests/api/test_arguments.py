"""Queries that were found good are remembered: each for its path, and not too many."""

from streamwatch.api.blueprint import Blueprint
from tests.api.world import World, build_world, problem


def test_a_query_is_judged_by_every_path_for_itself(world: World) -> None:
    for _ in range(2):
        assert world.get("/events?limit=100").status_code == 200
        problem(world.get("/analytics/top-streamers/hours?limit=100"), 422)
        assert world.get("/analytics/top-streamers/hours?limit=10").status_code == 200


def test_not_all_queries_are_remembered() -> None:
    world = build_world(rate_limit=0)
    for number in range(1200):
        assert world.get(f"/events?nobody_knows={number}").status_code == 200
    assert world.get(f"/events?nobody_knows={'x' * 1000}").status_code == 200
    known = Blueprint.ARGUMENTS_PARSER._good_queries
    assert 100 < len(known) <= 1000
    assert max(len(query) for _, query in known) < 300
