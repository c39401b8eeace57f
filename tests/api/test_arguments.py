"""Query parameters and paths."""

import pytest

from tests.api.world import World, problem


def test_each_path_checks_a_parameter_by_its_own_bounds(world: World) -> None:
    for _ in range(2):
        assert world.get("/events?limit=100").status_code == 200
        problem(world.get("/analytics/top-streamers/hours?limit=100"), 422)
        assert world.get("/analytics/top-streamers/hours?limit=10").status_code == 200


@pytest.mark.parametrize("path", ["/events", "/streamers", "/health", "/events/live"])
def test_an_unknown_query_parameter_is_422(world: World, path: str) -> None:
    [fault] = problem(world.get(f"{path}?limitt=10"), 422)["errors"]
    assert (fault["in"], fault["name"]) == ("query", "limitt")


def test_an_underscore_is_ignored(world: World) -> None:
    assert world.get("/streamers?_=1700000000").status_code == 200
    assert world.get("/events?limit=1&_=1700000000").status_code == 200


@pytest.mark.parametrize("path", ["/events", "/streamers", "/streams/live", "/health", "/docs"])
def test_a_trailing_slash_is_the_same_resource(world: World, path: str) -> None:
    plain, slashed = (world.client.get(address, buffered=True) for address in (path, f"{path}/"))
    assert (slashed.status_code, slashed.data) == (plain.status_code, plain.data)
