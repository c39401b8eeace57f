"""One demo for these tests, in this order: it is read, then changed, then ended."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Browser, expect

from streamwatch.simulator.cast import CAST
from streamwatch.simulator.demo import API_KEY
from tests.browser import Visit
from tests.demo import Demo, running_demo
from tests.e2e.documentation import shell_lines
from tests.processes import ROOT, answers
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("browser")  # one of the tests needs a browser

PAGES = (
    "/dashboard/",
    "/dashboard/streamer/shroud",
    "/dashboard/top",
    "/dashboard/compare?who=shroud&who=quillandcopper",
    "/dashboard/manage",
    "/dashboard/manage/subscriptions",
    "/dashboard/manage/diagnostics",
)

CURLS = [
    line
    for line in shell_lines(ROOT / "README.md", ROOT / "docs/api.md")
    if line.startswith("curl ")
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo") / "output") as demo:
        demo.wait_until_ready()
        yield demo


def test_the_demo_watches_the_simulated_streamers(demo: Demo) -> None:
    assert f"curl {demo.url}/streams/live" in demo.printed()
    wait_for(lambda: demo.get("/streamers")["count"] == len(CAST) == 30, 60)
    wait_for(lambda: demo.get("/streams/live")["count"] >= 8, 40)
    wait_for(_has_heard_by_webhook(demo), 60)
    month, quarter, year = (_past_streams(demo, days) for days in (30, 90, 365))
    assert 0 < month < quarter < year, "its past is longer than 90 days"


def _past_streams(demo: Demo, days: int) -> int:
    """How many streams a streamer's trend of so many days shows."""
    trend = demo.get(f"/analytics/streamer/shroud/trend?days={days}")
    return sum(day["streams"] for day in trend["days"])


def _has_heard_by_webhook(demo: Demo) -> Callable[[], bool]:
    return lambda: any(event["source"] == "eventsub" for event in demo.get("/events")["events"])


def test_every_page_of_the_demo_works(demo: Demo, browser: Browser) -> None:
    visit = Visit(browser, demo.url, image_origin=demo.image_origin())
    page = visit.open("/dashboard/login")
    page.get_by_label("Key").fill(API_KEY)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.locator(".card").first).to_be_visible(timeout=40_000)
    for path in PAGES:
        visit.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    visit.close()


@pytest.mark.skipif(
    not shutil.which("curl") and "CI" not in os.environ, reason="NOT TESTED: there is no curl"
)
def test_every_documented_curl_line_succeeds(demo: Demo) -> None:
    wait_for(lambda: answers(f"{demo.url}/analytics/streamer/quillandcopper/stats"), 40)
    address = demo.url.removeprefix("http://")
    assert len(CURLS) > 30
    for line in CURLS:
        command = shlex.split(line.replace("localhost:8000", address))
        command[1:1] = ["--silent", "--show-error", "--fail-with-body", "--max-time", "20"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, (line, done.stdout, done.stderr)


def test_ctrl_c_ends_the_demo(demo: Demo) -> None:
    assert demo.end(signal.SIGINT) == 0
    with pytest.raises(requests.ConnectionError):
        demo.get("/health")
