"""Projected entries survive a crash of MongoDB, since the feed may drop them."""

import pytest

from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.testing import CAP
from streamwatch.analytics.testing.build import as_input, online
from tests.servers import mongo_server

pytestmark = pytest.mark.xdist_group("mongo")


def test_projected_entries_survive_an_immediate_crash() -> None:
    with mongo_server() as server:
        analytics = MongoAnalytics(server.url, "crashed", CAP)
        analytics.prepare()
        stream_ids = []
        for number in range(3):
            analytics.project(as_input(online(f"{number}", 100 * number)))
            server.kill()
            server.start()
            stream_ids += [session.stream_id for session in analytics.sessions("1337", 1)]
        analytics.close()
    assert stream_ids == ["0", "1", "2"]
