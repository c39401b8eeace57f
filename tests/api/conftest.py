import pytest

from tests.api.world import World, build_world


@pytest.fixture
def world() -> World:
    return build_world()
