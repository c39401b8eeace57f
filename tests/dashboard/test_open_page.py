"""An open page in a real browser says what it knows: lost connections, ended streams, coverage."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.dashboard.login_session import COOKIE
from streamwatch.settings import KeyRequirement
from streamwatch.simulator.past import SAMPLED_EVERY
from tests.browser import DESKTOP, PHONE
from tests.dashboard.conftest import Visiting
from tests.dashboard.showcase import API_KEY, Showcase
from tests.dashboard.test_browser import cut_off, is_wider_than_the_window, log_in
from tests.fakes import FailingAnalytics

RETURN = "document.dispatchEvent(new Event('connectionrestored'))"
"""Makes an open page load its contents again."""

REFRESH = f"""new Promise((done) => {{
    document.addEventListener("refreshed", () => done(), {{ once: true }});
    {RETURN};
}})"""
"""Makes an open page load its contents again, and waits until it shows them."""

COUNT_ANNOUNCEMENTS = """window.announcements = 0;
window.outcome = document.querySelector(".outcome");
for (const element of document.querySelectorAll("#found, [data-pulse], .outcome")) {
    new MutationObserver((records) => window.announcements += records.length)
        .observe(element, { characterData: true, childList: true, subtree: true });
}"""
"""Counts the changes of the elements whose changes a screen reader announces."""

pytestmark = pytest.mark.xdist_group("browser")


def test_lost_connection_is_reported_and_clocks_stop_until_it_is_back(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1", minutes_ago=30)
    showcase.poll("Shroud", viewer_count=100)
    visitor = visit(served)
    visitor.page.clock.install(time=datetime.now(UTC) - timedelta(hours=2))  # a wrong clock
    page = visitor.open("/dashboard/")
    clock = page.locator(".card .clock")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    shown = clock.text_content()
    page.clock.run_for(3_000)
    expect(clock).not_to_have_text(shown or "")
    expect(clock).to_have_text(re.compile("^0:30:"))

    visitor.page.context.set_offline(True)
    page.clock.run_for(30_000)
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text(re.compile(r"No connection to the server since \d\d:\d\d:\d\d"))
    expect(page.locator("html")).to_have_class(re.compile("disconnected"))
    assert page.locator("main").evaluate("main => getComputedStyle(main).opacity") == "0.5"
    stopped = clock.text_content()
    page.clock.run_for(60_000)
    expect(clock).to_have_text(stopped or "")

    showcase.go_offline("Shroud", "s1")
    visitor.page.context.set_offline(False)
    page.clock.run_for(30_000)
    expect(banner).to_be_hidden()
    page.clock.run_for(5_000)
    expect(page.get_by_text("No streamer is live")).to_be_visible()
    assert all("ERR_INTERNET_DISCONNECTED" in error for error in visitor.page_errors), (
        visitor.page_errors
    )
    visitor.page_errors.clear()


def test_server_that_fails_is_a_lost_connection(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    visitor = visit(served)

    def fail(route: Route) -> None:
        route.fulfill(status=503)

    visitor.page.route("**/events/live*", fail)
    visitor.page.route("**/health/live", fail)
    page = visitor.open("/dashboard/")
    expect(page.get_by_role("alert")).to_be_visible()
    visitor.page.unroute("**/health/live")
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert all("503" in error for error in visitor.page_errors), visitor.page_errors
    visitor.page_errors.clear()


def test_form_is_not_sent_until_the_server_answers_and_then_once(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.twitch.add_user("waldkauzig", name="Waldkauzig")
    visitor = visit(served)
    log_in(visitor.page, served)
    page = visitor.open("/dashboard/manage")
    forms: list[str] = []
    page.on(
        "request", lambda request: forms.append(request.url) if request.method == "POST" else None
    )
    names = page.get_by_label("Twitch names")
    names.fill("waldkauzig")
    page.route("**/health/live", lambda route: route.abort())
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the server")
    expect(names).to_have_value("waldkauzig")
    assert forms == []

    page.unroute("**/health/live")
    page.get_by_role("button", name="Add", exact=True).dblclick()
    expect(page.get_by_text("Added: waldkauzig")).to_be_visible()
    assert len(forms) == 1
    visitor.page_errors.clear()


def test_streamer_page_follows_the_end_and_the_next_stream(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1", minutes_ago=30)
    showcase.poll("Shroud", viewer_count=100, title="First")
    page = visit(served).open("/dashboard/streamer/shroud")
    expect(page.get_by_role("heading", name="Current stream")).to_be_visible()
    expect(page.locator("#sessions-table .chip.live")).to_have_count(1)
    expect(page).to_have_title(re.compile("^● Shroud"))
    page.locator("#trend summary").click()
    page.locator("#trend .tall").evaluate("area => area.scrollTo(0, 60)")
    page.evaluate("document.activeElement.blur()")

    showcase.go_offline("Shroud", "s1")
    expect(page.locator("#who")).to_contain_text("Offline")
    expect(page.get_by_role("heading", name="Current stream")).to_have_count(0)
    expect(page.locator(".chip.live")).to_have_count(0)
    expect(page).to_have_title(re.compile("^Shroud"))
    assert page.locator("#trend .tall").evaluate("area => area.scrollTop") == 60

    showcase.go_online("Shroud", "s2")
    showcase.poll("Shroud", viewer_count=4321, title="Second")
    expect(page.get_by_role("heading", name="Current stream")).to_be_visible()
    expect(page.locator("#sessions-table tbody tr")).to_have_count(2)
    expect(page.locator("#stream-head")).to_contain_text("Second")
    expect(page.locator("#stream[data-drawn]")).to_be_visible()
    # The chart was drawn twice: in UTC, and in the time zone of the browser.
    assert _listeners(page, "themechange") == 1


def _listeners(page: Page, event_type: str) -> int:
    """How many of the page's listeners to these events there are at the document."""
    session = page.context.new_cdp_session(page)
    document = session.send("Runtime.evaluate", {"expression": "document"})["result"]
    found = session.send("DOMDebugger.getEventListeners", {"objectId": document["objectId"]})
    return sum(listener["type"] == event_type for listener in found["listeners"])


def test_first_stream_of_a_streamer_appears_on_the_open_page(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    page = visit(served).open("/dashboard/streamer/shroud")
    expect(page.get_by_text("No statistics yet")).to_be_visible()
    showcase.go_online("Shroud", "s1")
    expect(page.get_by_text("No viewer samples were stored for this stream.")).to_be_visible()
    expect(page.locator("#stream .chart-tools")).to_have_count(0)
    showcase.poll("Shroud", viewer_count=10)
    expect(page.locator("figure[data-chart][data-drawn]")).to_be_visible()
    # The only sample is in the middle of the time axis, however it is zoomed.
    for button in ("Zoom in", "Reset"):
        page.locator(".plot").press("End")
        area, cursor = (
            page.locator(f".plot {name}").bounding_box() for name in (".u-over", ".u-cursor-x")
        )
        assert area
        assert cursor
        assert abs(cursor["x"] - area["x"] - area["width"] / 2) < 5
        page.get_by_role("button", name=button).click()
    expect(page.get_by_role("button", name="Reset")).to_be_disabled()


def test_stream_observed_in_part_says_since_when(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1", minutes_ago=270)
    showcase.poll("Shroud", viewer_count=38_000)
    showcase.poll("Shroud", viewer_count=38_100)
    page = visit(served).open("/dashboard/streamer/shroud")
    expect(page.locator("figcaption").last).to_contain_text(
        re.compile(r"observed since \d\d:\d\d \(1 % of this stream\)")
    )
    expect(page.locator("rect.unseen")).to_have_count(1)
    expect(page.locator("#segments")).to_contain_text("Not observed")


def test_change_of_viewers_names_its_period_and_is_left_out_for_few_viewers(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    large = "LargeWithTheLongestNameOf"
    showcase.monitor(large, "Tiny")
    for name, viewers in ((large, (1_000_000, 1_500_000)), ("Tiny", (2, 9))):
        showcase.go_online(name, f"stream-{name}", minutes_ago=5)
        for count in viewers:
            showcase.poll(name, viewer_count=count, title="W" * 140)
    visitor = visit(served)
    page = visitor.open("/dashboard/?view=list")
    card = page.locator(".card", has_text=large)
    expect(card).to_contain_text("+50 % since the start")
    expect(page.locator(".card", has_text="Tiny").locator(".change")).to_have_count(0)

    # Long words and large numbers fit.
    shown, change = card.locator("[data-viewers-of]"), card.locator(".change")
    edges = "element => element.getBoundingClientRect()"
    assert shown.evaluate(edges)["right"] <= change.evaluate(edges)["left"]
    page.get_by_role("button", name="Cards").click()
    for viewport in (PHONE, DESKTOP):
        page.set_viewport_size(viewport)
        assert change.evaluate("element => element.scrollWidth <= element.clientWidth")
    page.set_viewport_size(PHONE)
    total = page.locator("[data-total=viewers]")
    assert total.evaluate("element => element.scrollWidth <= element.clientWidth")
    assert _lines(total) == 1
    visitor.open(f"/dashboard/streamer/{large.lower()}")
    assert not is_wider_than_the_window(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not is_wider_than_the_window(page)
    expect(page.locator("figure[data-drawn]")).to_be_visible()
    page.emulate_media(media="print")
    chart, place = page.locator(".uplot canvas"), page.locator(".plot")
    assert chart.evaluate(edges)["width"] == place.evaluate(edges)["width"]
    page.emulate_media(media="screen")
    visitor.open("/dashboard/top?days=30")
    assert cut_off(page) == []
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_have_count(0)  # hidden


def _lines(element: Locator) -> int:
    """How many lines the text of the element has."""
    return int(
        element.evaluate(
            """element => {
                const range = document.createRange();
                range.selectNodeContents(element);
                return range.getClientRects().length;
            }"""
        )
    )


def test_state_of_each_part_is_in_one_line_of_the_diagnostics(visit: Visiting) -> None:
    analytics = FailingAnalytics(SAMPLED_EVERY)
    with Showcase(analytics=analytics).served() as url:
        visitor = visit(url)
        log_in(visitor.page, url)
        analytics.error = AnalyticsUnavailable("down")
        page = visitor.open("/dashboard/manage/diagnostics")
        state = page.locator("dd", has_text="Disconnected")
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert _lines(state) == 1


def test_added_streamers_follow_and_a_reload_adds_nothing(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.twitch.add_user("waldkauzig", name="Waldkauzig")
    visitor = visit(served)
    log_in(visitor.page, served)
    page = visitor.open("/dashboard/manage")
    page.get_by_label("Twitch names").fill("waldkauzig")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#monitored").get_by_text("Pending")).to_be_visible()
    calls = showcase.twitch.calls.count("users")
    page.reload()
    assert showcase.twitch.calls.count("users") == calls

    # What is being typed is not overwritten by the page that follows.
    tags = page.get_by_label("Tags of Waldkauzig, with spaces between")
    tags.fill("friends")
    tags.blur()
    with page.expect_response("**/dashboard/manage*"):
        page.evaluate(RETURN)
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(tags).to_have_value("friends")
    tags.fill("")
    tags.blur()
    showcase.services.subscriptions.reconcile()
    expect(page.locator("#monitored").get_by_text("Active")).to_be_visible(timeout=15_000)

    # The buttons of the new rows ask before they remove.
    questions: list[str] = []

    def refuse(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.get_by_role("button", name="Remove Waldkauzig").click()
    assert questions == ["Stop monitoring Waldkauzig? The history remains, tags are deleted."]
    page.set_viewport_size({"width": 320, "height": 256})  # 1,280 pixels, magnified to 400 %
    assert not is_wider_than_the_window(page)
    expect(page.locator("#monitored")).to_contain_text("Waldkauzig")


def test_saving_the_tags_of_one_streamer_keeps_what_is_typed_elsewhere(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud", "Waldkauzig")
    visitor = visit(served)
    log_in(visitor.page, served)
    page = visitor.open("/dashboard/manage")
    names = page.get_by_label("Twitch names")
    tags, others = (page.get_by_label(f"Tags of {name},") for name in ("Waldkauzig", "Shroud"))
    names.fill("somebody")
    others.fill("fps")
    save = page.get_by_role("button", name="Save the tags of Waldkauzig")

    tags.fill("friends EU")
    save.click()
    expect(page.get_by_text("Tags of waldkauzig saved.")).to_be_visible()
    expect(tags).to_have_value("eu friends")
    tags.fill("not/a/tag")
    tags.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Tags of waldkauzig not saved.")
    expect(tags).to_be_focused()
    expect(tags).to_have_attribute("aria-invalid", "true")
    expect(tags).to_have_attribute("aria-describedby", "refused-tags")
    expect(tags).to_have_value("not/a/tag")
    assert "422" in visitor.page_errors.pop()
    assert not is_wider_than_the_window(page)

    page.context.clear_cookies(name=COOKIE)
    save.click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    expect(page.locator(".outcome")).to_have_count(1)
    expect(names).to_have_value("somebody")
    expect(others).to_have_value("fps")
    found = showcase.services.streamers.find("waldkauzig")
    assert found
    assert found.tags == ("eu", "friends")


def test_a_server_that_is_gone_is_asked_every_three_seconds_however_often_it_failed(
    served: str, visit: Visiting
) -> None:
    visitor = visit(served)
    probes: list[str] = []

    def fail(route: Route) -> None:
        probes.append(route.request.url)
        route.abort()

    visitor.page.clock.install()
    page = visitor.open("/dashboard/")
    page.route("**/health/live", fail)
    for _ in range(10):
        with page.expect_event("requestfailed"):
            page.evaluate("dispatchEvent(new Event('offline'))")
        page.clock.run_for(250)
    before = len(probes)
    for _ in range(24):
        page.clock.run_for(250)
    assert len(probes) - before <= 3
    page.unroute("**/health/live")
    page.clock.run_for(3_000)
    expect(page.get_by_role("alert")).to_be_hidden()
    visitor.page_errors.clear()


def test_start_page_leads_to_the_login_when_the_session_is_over(visit: Visiting) -> None:
    closed = Showcase()
    closed.settings = replace(closed.settings, require_api_key=KeyRequirement.ALL)
    with closed.served() as url:
        visitor = visit(url)
        log_in(visitor.page, url)
        page = visitor.open("/dashboard/")
        expect(page.locator("[data-pulse]")).to_have_text("Live")
        closed.monitor("Shroud")  # as the command line does
        with page.expect_navigation():  # a page with streamers is another page
            page.evaluate(RETURN)
        expect(page.get_by_text("No streamer is live")).to_be_visible()
        expect(page.locator("[data-pulse]")).to_have_text("Live")
        page.context.clear_cookies(name=COOKIE)
        page.evaluate(RETURN)
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_form_that_is_sent_after_a_logout_says_so_and_leads_back(
    served: str, visit: Visiting
) -> None:
    visitor = visit(served)
    log_in(visitor.page, served)
    page = visitor.open("/dashboard/manage?q=shroud")
    page.context.clear_cookies(name=COOKIE)  # as a logout in another tab
    page.get_by_label("Twitch names").fill("waldkauzig")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("You are not logged in: nothing was saved.")
    page.get_by_label("Key").fill(API_KEY)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{served}/dashboard/manage?q=shroud")


def test_a_slow_server_is_asked_for_one_page_at_a_time(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    visitor = visit(served)
    visitor.page.clock.install()
    page = visitor.open("/dashboard/")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    held: list[Route] = []
    page.route(f"{served}/dashboard/", lambda route: held.append(route))  # noqa: PLW0108  Playwright sets an attribute of it
    for _ in range(5):
        page.evaluate(RETURN)
        page.clock.run_for(1_000)
    page.wait_for_timeout(0)
    assert len(held) == 1
    with page.expect_response(f"{served}/dashboard/"):
        held[0].continue_()
    page.unroute(f"{served}/dashboard/")
    with page.expect_response(f"{served}/dashboard/"):  # for what happened meanwhile
        page.clock.run_for(1_000)


def test_a_page_that_is_shown_again_follows_one_stream_of_events(
    served: str, visit: Visiting
) -> None:
    visitor = visit(served)
    visitor.page.clock.install()
    probes: list[Route] = []
    opened: list[str] = []
    page = visitor.page
    page.on("request", lambda request: opened.append(request.url))
    page.route("**/health/live", lambda route: probes.append(route))  # noqa: PLW0108  Playwright sets an attribute of it
    page.route("**/events/live*", lambda route: route.fulfill(status=503), times=1)
    with page.expect_request("**/health/live"):
        visitor.open("/dashboard/")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(1_000)
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    with page.expect_response("**/health/live"):
        probes[0].continue_()
    page.clock.run_for(15_000)
    page.wait_for_timeout(0)
    assert len([url for url in opened if "/events/live" in url]) == 2
    visitor.page_errors.clear()


def test_a_refresh_announces_nothing_that_has_not_changed(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1", minutes_ago=30)
    showcase.poll("Shroud", viewer_count=100)
    page = visit(served).open("/dashboard/?added=shroud")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    expect(page.get_by_text("The worker has not started yet")).to_be_visible()
    page.evaluate(COUNT_ANNOUNCEMENTS)

    showcase.poll("Shroud", viewer_count=4321)
    expect(page.locator(".card")).to_contain_text("4,321")
    showcase.storage.coordination.heartbeat(datetime.now(UTC), seconds=60)
    page.evaluate(REFRESH)
    expect(page.get_by_text("The worker has not started yet")).to_have_count(0)
    assert page.evaluate("window.announcements") == 0
    assert page.evaluate("window.outcome.isConnected")

    showcase.go_offline("Shroud", "s1")
    expect(page.locator("#found")).to_have_text("0 of 0 live streams")
    assert page.evaluate("window.announcements") > 0


def test_the_focused_card_keeps_the_focus_while_the_list_changes(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Big", "Small")
    for name, viewers in (("Big", 300), ("Small", 200)):
        showcase.go_online(name, f"stream-{name}", minutes_ago=30)
        showcase.poll(name, viewer_count=viewers)
    page = visit(served).open("/dashboard/")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    names, link = page.locator(".card h3"), page.locator(".card").get_by_role("link", name="Small")
    expect(names).to_have_text(["Big", "Small"])
    link.focus()
    page.evaluate("window.focused = 0; addEventListener('focusin', () => window.focused++)")

    showcase.go_offline("Big", "stream-Big")
    expect(names).to_have_text(["Small"])
    expect(link).to_be_focused()
    assert page.evaluate("window.focused") == 0  # not lost meanwhile

    showcase.poll("Small", viewer_count=200, title="Another title")
    expect(page.locator(".card")).to_contain_text("Another title")
    expect(link).to_be_focused()

    showcase.go_online("Big", "another")
    showcase.poll("Big", viewer_count=100)
    expect(names).to_have_text(["Small", "Big"])
    showcase.poll("Big", viewer_count=300)
    page.evaluate(REFRESH)
    expect(names).to_have_text(["Big", "Small"])
    showcase.poll("Small", viewer_count=400, title="Another title")
    page.evaluate(REFRESH)
    expect(names).to_have_text(["Small", "Big"])
    expect(link).to_be_focused()
