"""What the analytics have let the feed forget outlasts a crash of MongoDB."""

import pytest

from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.testing import CAP
from streamwatch.analytics.testing.build import online, told
from tests.servers import mongo_server

pytestmark = pytest.mark.xdist_group("mongo")


def test_what_was_projected_outlasts_a_crash_right_after_it() -> None:
    with mongo_server() as server:
        analytics = MongoAnalytics(server.url, "crashed", CAP)
        analytics.prepare()
        kept = []
        for number in range(3):
            analytics.project(told(online(f"{number}", 100 * number)))
            server.kill()
            server.start()
            kept += [session.stream_id for session in analytics.sessions("1337", 1)]
        analytics.close()
    assert kept == ["0", "1", "2"]
