"""The dashboard and the event stream of the whole service, and the demo."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from streamwatch.simulator import Simulator
from streamwatch.simulator.demo import API_KEY as DEMO_KEY
from tests.browser import Visit
from tests.e2e.conftest import API_KEY, wait_for_subscriptions
from tests.processes import Deployment
from tests.simulator.test_demo import Demo
from tests.waiting import wait_for

PAGES = (
    "/dashboard/",
    "/dashboard/streamer/shroud",
    "/dashboard/top",
    "/dashboard/compare?who=shroud&who=quillandcopper",
    "/dashboard/manage",
    "/dashboard/manage/subscriptions",
    "/dashboard/manage/diagnostics",
)


WEB_PROCESSES = 2
"""The most web processes of the tested deployments."""


@contextmanager
def listening(service: Deployment, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The messages of the event stream."""
    url = f"{service.url}/events/live"
    with requests.get(url, headers=headers, stream=True, timeout=30) as response:
        assert response.status_code == 200, response.text
        yield _messages(response)


def _messages(response: requests.Response) -> Iterator[dict[str, Any]]:
    message: dict[str, Any] = {}
    for line in response.iter_lines(chunk_size=1, decode_unicode=True):
        name, _, value = line.partition(": ")
        if line and name:
            message[name] = json.loads(value) if name == "data" else value
        elif not line and "event" in message:
            yield message
            message = {}


@pytest.mark.xdist_group("e2e")
def test_events_are_pushed_within_seconds_and_resumed(
    shared_service: Deployment, shared_twitch: Simulator, streamer: str
) -> None:
    service, twitch = shared_service, shared_twitch
    with listening(service) as events:
        start = time.monotonic()
        twitch.world.go_online(streamer, viewers=24_000, category="Chess", title="Hello")
        online = next(events)
        assert time.monotonic() - start < 3
        assert online["event"] == "stream.online"
        heard = {"stream.category": "Chess", "stream.title": "Hello", "stream.viewers": 24_000}
        for message in events:
            field = {"stream.category": "category_name", "stream.title": "title"}
            name = field.get(message["event"], "viewer_count")
            assert message["data"][name] == heard.pop(message["event"])
            if not heard:
                break
    twitch.world.go_offline(streamer)
    twitch.wait_until_delivered()
    with listening(service, **{"Last-Event-ID": message["id"]}) as events:
        assert next(event for event in events if event["event"] != "stream.viewers")["event"] == (
            "stream.offline"
        )


MANY = 40
"""More listeners than all processes together accept of a client."""

LISTENERS_A_CLIENT = 8


def test_open_streams_leave_threads_for_others(service: Deployment) -> None:
    with ExitStack() as stack:
        first_lines = [_first_line(stack, service) for _ in range(MANY)]
        assert set(first_lines) == {"retry: 3000", "retry: 10000"}
        # The bound is per process, and the kernel decides which process gets a connection.
        accepted = first_lines.count("retry: 3000")
        assert LISTENERS_A_CLIENT <= accepted <= WEB_PROCESSES * LISTENERS_A_CLIENT
        for _ in range(20):
            service.get("/streamers")
    for _ in range(MANY):
        wait_for(lambda: _is_accepted(service), 5)


def _first_line(stack: ExitStack, service: Deployment) -> str:
    """The first line of a new event stream: a stream beyond the limits ends after it."""
    answer = stack.enter_context(
        requests.get(f"{service.url}/events/live", stream=True, timeout=30)
    )
    assert answer.status_code == 200, answer.text
    lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
    stack.enter_context(nullcontext(lines))  # the connection closes with the iterator
    line: str = next(lines)
    return line


def _is_accepted(service: Deployment) -> bool:
    with ExitStack() as stack:
        return _first_line(stack, service) == "retry: 3000"


def test_open_streams_end_with_the_service(service: Deployment) -> None:
    with listening(service) as events:
        web = service.processes[0]
        status, seconds = web.stop()
        assert status == 0, web.log
        assert seconds < 6  # gunicorn would wait 8 for an answer that does not end
        assert list(events) == []
    assert "Traceback" not in web.log


@pytest.mark.xdist_group("browser")
def test_a_stream_goes_live_and_ends_on_an_open_page(
    service: Deployment, twitch: Simulator, browser: Browser
) -> None:
    wait_for_subscriptions(service, twitch)
    visit = Visit(browser, service.url)
    page = visit.open("/dashboard/")
    page.evaluate("window.isTheSame = true")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    twitch.world.go_online("shroud", viewers=24_000, category="Chess", title="Up the ladder")
    card = page.locator(".card")
    expect(card).to_contain_text("shroud", timeout=10_000)
    expect(card).to_contain_text("24,000", timeout=15_000)
    expect(card).to_contain_text("Up the ladder")
    twitch.world.set_viewers("shroud", 31_000)
    expect(card).to_contain_text("31,000", timeout=15_000)
    twitch.world.go_offline("shroud")
    expect(card).to_have_count(0, timeout=10_000)
    assert page.evaluate("window.isTheSame")
    visit.close()


@pytest.mark.xdist_group("browser")
def test_a_page_behind_a_key_follows_the_events_after_the_login(
    service: Deployment, browser: Browser
) -> None:
    service.processes[0].stop()
    service.start("web", REQUIRE_API_KEY="true")
    wait_for(lambda: service.answers("/health/live"), 20)
    visit = Visit(browser, service.url)
    page = visit.open("/dashboard/")
    page.get_by_label("Key").fill(API_KEY)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.locator("[data-pulse]")).to_have_text("Live", timeout=10_000)
    visit.close()


@pytest.mark.xdist_group("browser")
def test_every_page_of_the_demo_works_and_sigterm_ends_it(tmp_path: Path, browser: Browser) -> None:
    demo = Demo(tmp_path / "output")
    try:
        wait_for(lambda: "Ctrl-C ends it" in demo.printed(), 60)
        visit = Visit(browser, demo.url, image_origin=demo.image_origin())
        page = visit.open("/dashboard/login")
        page.get_by_label("Key").fill(DEMO_KEY)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(page.locator(".card").first).to_be_visible(timeout=40_000)
        for path in PAGES:
            visit.open(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
        visit.close()
        assert demo.end(signal.SIGTERM) == 0
    finally:
        demo.process.kill()
        demo.process.wait(timeout=15)
