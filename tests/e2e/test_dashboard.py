"""The dashboard and the event stream of the whole service."""

from contextlib import ExitStack, nullcontext

import pytest
import requests
from playwright.sync_api import Browser, expect

from streamwatch.simulator import Simulator
from tests.browser import Visit
from tests.e2e.conftest import API_KEY, wait_for_subscriptions
from tests.e2e.event_stream import listening
from tests.processes import Deployment
from tests.waiting import wait_for

WEB_PROCESSES = 2
"""The most web processes of the tested deployments."""


@pytest.mark.xdist_group("e2e")
def test_events_are_pushed_and_resumed(
    shared_service: Deployment, shared_twitch: Simulator, streamer: str
) -> None:
    service, twitch = shared_service, shared_twitch
    with listening(service) as events:
        twitch.world.go_online(streamer, viewers=24_000, category="Chess", title="Hello")
        online = next(events)
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

LISTENERS_PER_CLIENT = 8


@pytest.mark.xdist_group("e2e")
def test_open_streams_leave_threads_for_others(shared_service: Deployment) -> None:
    with ExitStack() as stack:
        first_lines = [_first_line(stack, shared_service) for _ in range(MANY)]
        assert set(first_lines) == {"retry: 3000", "retry: 10000"}
        # The bound is per process, and the kernel decides which process gets a connection.
        accepted = first_lines.count("retry: 3000")
        assert LISTENERS_PER_CLIENT <= accepted <= WEB_PROCESSES * LISTENERS_PER_CLIENT
        for _ in range(20):
            shared_service.get("/streamers")
    for _ in range(MANY):
        wait_for(lambda: _is_accepted(shared_service), 5)


def _first_line(stack: ExitStack, service: Deployment) -> str:
    """The first line of a new event stream: a stream beyond the limits ends after it. It belongs to
    a client with a key, so that streams of other tests do not count."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    answer = stack.enter_context(
        requests.get(f"{service.url}/events/live", headers=headers, stream=True, timeout=30)
    )
    assert answer.status_code == 200, answer.text
    lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
    stack.enter_context(nullcontext(lines))  # the connection closes with the iterator
    line: str = next(lines)
    return line


def _is_accepted(service: Deployment) -> bool:
    with ExitStack() as stack:
        return _first_line(stack, service) == "retry: 3000"


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
@pytest.mark.parametrize("service", [{"REQUIRE_API_KEY": "true"}], indirect=True, ids=["key"])
def test_a_page_behind_a_key_follows_the_events_after_the_login(
    service: Deployment, twitch: Simulator, browser: Browser
) -> None:
    wait_for_subscriptions(service, twitch)
    visit = Visit(browser, service.url)
    page = visit.open("/dashboard/")
    page.get_by_label("Key").fill(API_KEY)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.locator("[data-pulse]")).to_have_text("Live", timeout=10_000)
    twitch.world.go_online("shroud")
    expect(page.locator(".card")).to_contain_text("shroud", timeout=10_000)
    visit.close()
