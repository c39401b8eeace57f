import logging

import pytest

from streamwatch.services.ingestion.recorder import ObservationRecorder
from tests.domain import build
from tests.services.conftest import World


def test_each_event_is_logged_by_its_type(world: World, caplog: pytest.LogCaptureFixture) -> None:
    recorder = ObservationRecorder(world.storage)
    with caplog.at_level(logging.INFO):
        for observation in (
            build.online("s1", 0),
            build.update("A title", 10),
            build.offline("s1", 20),
        ):
            recorder.record([observation])
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Stream online",
        "Stream updated",
        "Stream offline",
    ]
