import logging

import pytest

from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.storage.base import Storage
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


def test_an_end_that_is_estimated_again_replaces_no_message(storage: Storage) -> None:
    """The late messages of a stream that ended twice each take the place of an estimate: the same
    end, found by the same poll."""
    recorder = ObservationRecorder(storage)
    for observation in (
        build.online("s1", 1, started=0, message_id="on 1"),
        build.seen("s1", 400),
        build.seen("s1", 700),
        build.online("s2", 720, message_id="on of s2"),  # s1 must have ended: an estimate
        build.offline("s1", 610, message_id="off 610"),  # replaces it
        build.online("s1", 650, started=0, message_id="on 650"),  # and s1 must have ended again
        build.offline("s1", 705, message_id="off 705"),
    ):
        recorder.record([observation])
    messages = {"on 1", "off 610", "on 650", "off 705", "on of s2"}
    assert {event.id for event in storage.events(50)} == messages
    walked, after = [], None
    while page := storage.events(1, after):
        walked.append(page[0].id)
        after = page[0].position
    assert sorted(walked) == sorted(messages)
