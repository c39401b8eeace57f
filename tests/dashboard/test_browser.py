"""The dashboard in a real browser."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
import requests
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from streamwatch.services.push.broadcaster import MAX_LISTENERS
from tests.browser import DESKTOP, PHONE, PHONE_390, TABLET
from tests.dashboard.conftest import Visiting
from tests.dashboard.showcase import API_KEY, Showcase

pytestmark = pytest.mark.xdist_group("browser")

SERVER_ZONE = "UTC"
"""A browser in the server's time zone does not load a page again at its first visit."""

STREAMER = "/dashboard/streamer/quillandcopper"
UNKNOWN = "/dashboard/streamer/nobody_here"
OPEN = [
    "/dashboard/",
    "/dashboard/?category=Chess&sort=name",
    "/dashboard/?q=nothing+at+all",
    "/dashboard/?view=list",
    "/dashboard/streamers",
    "/dashboard/search?q=s",
    "/dashboard/streamer/quillandcopper",
    "/dashboard/streamer/ossifiedotto",
    "/dashboard/top",
    "/dashboard/top?days=30&by=peak",
    "/dashboard/compare",
    "/dashboard/compare?who=shroud&who=quillandcopper&who=nobody_here",
    "/dashboard/compare?who=shroud&who=quillandcopper&log=1&share=1",
    "/dashboard/login",
    "/dashboard/setup",
    UNKNOWN,
]
GUARDED = [
    "/dashboard/manage",
    "/dashboard/manage/notifications",
    "/dashboard/manage/notifications/ntf_discord/edit",
    "/dashboard/manage/subscriptions",
    "/dashboard/manage/settings",
    "/dashboard/manage/diagnostics",
]


def log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/dashboard/login")
    page.get_by_label("Key").fill(API_KEY)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


COLOR_RULES = ("color-contrast", "link-in-text-block")
"""axe's rules whose result depends on the color scheme."""


def axe_violations(page: Page, *rules: str) -> list[str]:
    """What axe finds by these rules, or by all that it applies by default."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    results = page.evaluate("options => axe.run(options)", options)
    return [
        f"{fault['id']}: {node['html'][:200]}"
        for fault in results["violations"]
        for node in fault["nodes"]
    ]


def cut_off(page: Page) -> list[str]:
    """Controls of the page, and cells of the weekly schedule, that are beyond the edge of the
    window or, as far as they are not links, of the scrolled area that they are in."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, select, .week td")]
            .filter((element) => element.checkVisibility() && !element.closest(".skip, dialog"))
            .filter((element) => {
                const { left, right } = element.getBoundingClientRect();
                const area = element.localName === "a" ? null : element.closest(".scroll");
                const edge = area?.getBoundingClientRect().right ?? innerWidth;
                return right > edge + 1 || left < -1;
            })
            .map((element) => element.outerHTML.slice(0, 120))"""
    )
    return found


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.xdist_group("pages")  # as long as all others in a browser together
@pytest.mark.parametrize("path", OPEN + GUARDED)
def test_page_is_accessible_and_fits_every_width(full: str, visit: Visiting, path: str) -> None:
    visitor = visit(full, timezone_id=SERVER_ZONE)
    if path in GUARDED:
        log_in(visitor.page, full)
    page = visitor.open(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if path == UNKNOWN:
        [fault] = visitor.page_errors
        assert "404" in fault
        visitor.page_errors.clear()
    for viewport in (DESKTOP, TABLET, PHONE_390, PHONE):
        page.set_viewport_size(viewport)
        assert not is_wider_than_the_window(page)
        assert cut_off(page) == []
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme="light")
        assert axe_violations(page) == []
        page.emulate_media(color_scheme="dark")
        assert axe_violations(page, *COLOR_RULES) == []


def test_nothing_moves_when_scripts_run(full: str, visit: Visiting) -> None:
    visitor = visit(full, timezone_id=SERVER_ZONE, viewport=PHONE)
    visitor.page.add_init_script(SUM_LAYOUT_SHIFTS)
    for path, ready in (
        ("/dashboard/", ".pulse.on"),
        (STREAMER, "[data-drawn]"),
        ("/dashboard/compare?who=shroud&who=quillandcopper", "[data-drawn]"),
    ):
        page = visitor.open(path)
        expect(page.locator(ready)).to_be_visible()
        assert page.evaluate("window.shifted") < 0.01, path


SUM_LAYOUT_SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) window.shifted += value;
}).observe({ type: "layout-shift", buffered: true });"""


def test_chart_fits_before_it_is_redrawn(full: str, visit: Visiting) -> None:
    visitor = visit(full)
    visitor.page.add_init_script("ResizeObserver.prototype.observe = () => {}")
    page = visitor.open("/dashboard/compare?who=shroud&who=quillandcopper")
    expect(page.locator("figure[data-drawn]")).to_be_visible()
    page.set_viewport_size(PHONE)
    assert not is_wider_than_the_window(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chosen_theme_is_remembered(full: str, visit: Visiting, theme: str) -> None:
    other = {"light": "dark", "dark": "light"}[theme]
    page = visit(full, color_scheme=other).open("/dashboard/streamer/shroud")
    switch = page.get_by_role("button", name="Theme")
    while page.locator("html").get_attribute("data-theme") != theme:
        switch.click()
    assert _brightness(page) == theme
    page.reload()
    assert _brightness(page) == theme
    assert axe_violations(page) == []


def test_schedule_and_what_is_chosen_are_visible_in_forced_colors(
    full: str, visit: Visiting
) -> None:
    page = visit(full, forced_colors="active", timezone_id=SERVER_ZONE).open(STREAMER)
    colors = page.locator(".week td").evaluate_all(
        "cells => cells.map((cell) => getComputedStyle(cell).backgroundColor)"
    )
    assert len(set(colors)) > 2
    period = page.get_by_role("navigation", name="Period").locator("[aria-current]")
    assert period.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"


def _brightness(page: Page) -> str:
    """Whether the page is mostly light or dark."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    [level] = picture.resize((1, 1)).tobytes()
    return "light" if level > 127 else "dark"


def test_stream_starts_changes_and_ends_without_a_reload(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud", "Waldkauzig")
    page = visit(served).open("/dashboard/")
    page.evaluate("window.isTheSame = true")
    expect(page.get_by_text("No streamer is live")).to_be_visible()
    expect(page.locator("[data-pulse]")).to_have_text("Live")

    showcase.go_online("Shroud", "s1")
    card = page.locator(".card")
    expect(card.get_by_role("link", name="Shroud")).to_be_visible()
    expect(page.locator("#ticker")).to_contain_text("Shroud went live")
    expect(page.locator("[data-total=live]")).to_have_text("1")

    showcase.poll("Shroud", viewer_count=1234, title="Climbing", game_name="Chess", game_id="743")
    expect(card).to_contain_text("Climbing")
    expect(card).to_contain_text("Chess")
    expect(card).to_contain_text("1,234")

    showcase.poll("Shroud", viewer_count=2345, title="Climbing", game_name="Chess", game_id="743")
    expect(card).to_contain_text("2,345")
    expect(page.locator("[data-total=viewers]")).to_have_text("2,345")

    first = card.locator("[data-uptime]").text_content()
    expect(card.locator("[data-uptime]")).not_to_have_text(first or "")

    showcase.go_offline("Shroud", "s1")
    expect(card).to_have_count(0)
    expect(page.locator("#ticker")).to_contain_text("Shroud ended")
    expect(page.get_by_text("No streamer is live")).to_be_visible()
    assert page.evaluate("window.isTheSame")


def test_pushed_update_changes_card_and_chart_without_a_poll(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1", minutes_ago=30)
    showcase.poll("Shroud", title="Before", game_name="VALORANT", game_id="516575")
    visitor = visit(served)
    page = visitor.open("/dashboard/")
    card = page.locator(".card")
    expect(card).to_contain_text("Before")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    showcase.update("Shroud", "After", "Minecraft")
    expect(card).to_contain_text("After")
    expect(card).to_contain_text("Minecraft")

    page = visitor.open("/dashboard/streamer/shroud")
    expect(page.locator("#stream-head")).to_contain_text("After")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    showcase.update("Shroud", "At last", "Elden Ring")
    expect(page.locator("#who")).to_contain_text("At last")
    expect(page.locator("#segments")).to_contain_text("Elden Ring")
    expect(page.locator("#stream-head")).to_contain_text("At last")


def test_page_polls_while_live_events_are_refused(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    broadcaster = showcase.services.broadcaster
    held = [broadcaster.listen(client=str(number)) for number in range(MAX_LISTENERS)]
    visitor = visit(served)
    visitor.page.clock.install()
    page = visitor.open("/dashboard/")
    expect(page.locator("[data-pulse]")).to_have_text("Polling")
    showcase.go_online("Shroud", "s1")
    for viewers in ("4,321", "5,432"):
        showcase.poll("Shroud", viewer_count=int(viewers.replace(",", "")))
        page.clock.fast_forward(10_000)
        expect(page.locator(".card")).to_contain_text(viewers)
    for listener in held:
        listener.close()
    expect(page.locator("[data-pulse]")).to_have_text("Live", timeout=30_000)


def test_streams_are_filtered_while_typing(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/")
    everybody = page.locator(".card").count()
    assert everybody > 5
    names = page.locator(".card h3")

    page.locator("[data-filters]").get_by_role("searchbox").fill("quill")
    expect(names).to_have_text(["QuillAndCopper"])
    expect(page).to_have_url(re.compile(r"\?q=quill"))
    page.locator("[data-filters]").get_by_role("searchbox").fill("")
    expect(page.locator(".card")).to_have_count(everybody)

    page.get_by_label("Sort").select_option("name")
    expect(names.first).to_have_text("AbajurAzul_")
    sorted_names = [name.lower() for name in names.all_text_contents()]
    assert sorted_names == sorted(sorted_names)

    option = page.locator("select[name=category] option").nth(1)
    category = option.get_attribute("value") or ""
    page.get_by_label("Category").select_option(category)
    expect(page.locator(".card")).not_to_have_count(everybody)
    assert set(page.locator(".card .category").all_text_contents()) == {category}
    page.reload()
    assert set(page.locator(".card .category").all_text_contents()) == {category}


def test_tabs_of_the_streamers_page_keep_the_typed_filter(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/streamers")
    page.locator("[data-filters]").get_by_role("searchbox").fill("quill")
    expect(page.locator("#streamers tbody tr")).to_have_count(1)
    page.get_by_role("navigation", name="State").get_by_role("link", name="Live").click()
    expect(page).to_have_url(re.compile("state=live"))
    expect(page).to_have_url(re.compile("q=quill"))
    expect(page.locator("#streamers tbody tr")).to_have_count(1)


def test_chart_shows_the_viewers_and_zooms(full: str, visit: Visiting) -> None:
    page = visit(full, timezone_id=SERVER_ZONE).open("/dashboard/streamer/quillandcopper")
    expect(page.locator("figure[data-drawn]")).to_be_visible()
    plot = page.locator(".plot canvas")
    assert _accented(_picture(plot)) > 500
    page.get_by_role("button", name="Zoom in").click()
    picture = _picture(plot)
    page.get_by_role("button", name="Zoom out").click()
    assert picture != _picture(plot)
    expect(page.locator("tr[data-mark]").first).to_be_attached()
    page.locator("#stream").get_by_text("As a table").click()
    expect(page.get_by_role("table", name="Viewers over time")).to_be_visible()


def _picture(element: Locator) -> bytes:
    """What the page shows at the element's place. The page may replace the element between two
    calls, when it follows an event; a screenshot of the element would then fail."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    clip: FloatRect = {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
    return element.page.screenshot(clip=clip)


def _accented(picture: bytes) -> int:
    """How many pixels have the colour of the line."""
    colors = Image.open(io.BytesIO(picture)).convert("RGB").getcolors(2**24) or []
    return sum(count for count, color in colors if _is_accent(color))


def _is_accent(color: Any) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(color, (0x64, 0x34, 0xD6), strict=True))


def test_each_compared_streamer_has_a_line(full: str, visit: Visiting) -> None:
    names = ["QuillAndCopper", "shroud", "Waldkauzig"]
    query = "&".join(f"who={name.lower()}" for name in names)
    page = visit(full, timezone_id=SERVER_ZONE).open(f"/dashboard/compare?{query}&days=90")
    expect(page.locator("figure[data-drawn]")).to_be_visible()
    labels = page.locator(".u-legend .u-label").all_text_contents()
    assert labels == names
    assert _accented(_picture(page.locator(".plot canvas"))) > 300


def test_two_streamers_are_chosen_in_the_top_and_compared(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/top")
    page.get_by_label("Compare shroud").check()
    page.get_by_label("Compare QuillAndCopper").check()
    page.get_by_role("button", name="Compare chosen").click()
    expect(page.locator("figure[data-drawn]")).to_be_visible()


def test_streamer_page_follows_the_stream(showcase: Showcase, served: str, visit: Visiting) -> None:
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1", minutes_ago=30)
    showcase.poll("Shroud", viewer_count=100)
    page = visit(served).open("/dashboard/streamer/shroud")
    expect(page.locator("#samples tr")).to_have_count(1)
    showcase.poll("Shroud", viewer_count=4321)
    expect(page.locator("#who")).to_contain_text("4,321")
    expect(page.locator("#samples tr")).to_have_count(2)
    showcase.go_offline("Shroud", "s1")
    expect(page.locator("#who")).to_contain_text("Offline")


def test_page_shows_what_happened_before_it_was_connected(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1", minutes_ago=30)
    showcase.poll("Shroud", viewer_count=100)
    visitor = visit(served)

    def poll_first(route: Route) -> None:
        showcase.poll("Shroud", viewer_count=4321)
        route.continue_()

    visitor.page.route("**/events/live*", poll_first)
    page = visitor.open("/dashboard/streamer/shroud")
    expect(page.locator("#who")).to_contain_text("4,321")


def test_streamer_is_added_and_removed_with_the_key(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    showcase.twitch.add_user("waldkauzig", name="Waldkauzig")
    visitor = visit(served)
    page = visitor.open("/dashboard/manage")
    expect(page).to_have_url(re.compile("/dashboard/login"))
    page.get_by_label("Key").fill("not the key")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("This key is wrong.")
    assert "403" in visitor.page_errors.pop()
    page.get_by_label("Key").fill(API_KEY)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/dashboard/manage$"))

    page.get_by_label("Twitch names").fill("waldkauzig, nobody_here")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Added: waldkauzig")).to_be_visible()
    expect(page.get_by_text("Twitch has no such user: nobody_here")).to_be_visible()

    tags = page.get_by_label("Tags of Waldkauzig, with spaces between")
    tags.fill("friends, FPS!")
    page.get_by_role("button", name="Save the tags of Waldkauzig").click()
    expect(page.get_by_role("alert")).to_contain_text("Tags of waldkauzig not saved.")
    assert "422" in visitor.page_errors.pop()
    expect(tags).to_be_focused()
    expect(tags).to_have_value("friends, FPS!")
    tags.fill("friends, FPS")
    page.get_by_role("button", name="Save the tags of Waldkauzig").click()
    expect(page.get_by_text("Tags of waldkauzig saved.")).to_be_visible()
    expect(tags).to_have_value("fps friends")

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove Waldkauzig").click()
    expect(page.get_by_text("No longer monitored: waldkauzig")).to_be_visible()
    assert showcase.services.streamers.find("waldkauzig") is None

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(f"{served}/dashboard/manage")
    expect(page).to_have_url(re.compile("/dashboard/login"))


def test_subscriptions_are_verified(showcase: Showcase, served: str, visit: Visiting) -> None:
    showcase.monitor("Shroud")
    visitor = visit(served)
    log_in(visitor.page, served)
    page = visitor.open("/dashboard/manage/subscriptions")
    expect(page.get_by_text("There are no subscriptions.")).to_be_visible()
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("3 created")).to_be_visible()
    page.reload()  # which verifies nothing again
    expect(page.get_by_text("3 created")).to_be_visible()


def test_times_are_in_the_visitors_time_zone(full: str, visit: Visiting) -> None:
    visitor = visit(full, timezone_id="Asia/Tokyo")
    loads: list[str] = []
    visitor.page.on(
        "request",
        lambda request: (
            loads.append(request.resource_type) if "/streamer/shroud" in request.url else None
        ),
    )
    page = visitor.open("/dashboard/streamer/shroud")
    expect(page.locator("footer")).to_contain_text("Times in Asia/Tokyo")
    expect(page.get_by_text("Hours live in 30 days, Asia/Tokyo")).to_be_visible()
    assert loads == ["document", "fetch"]  # the days of the visitor's zone, at the first visit
    loads.clear()
    page.reload()
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    assert loads == ["document"]


def test_stream_is_reached_with_the_keyboard(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("[data-filters]").get_by_role("searchbox")).to_be_focused()
    first = page.locator(".card h3 a").first
    for _ in range(10):
        page.keyboard.press("Tab")
        if first.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/dashboard/streamer/"))


def test_pages_work_without_scripts(full: str, visit: Visiting) -> None:
    visitor = visit(full, java_script_enabled=False)
    page = visitor.open("/dashboard/")
    page.locator("[data-filters]").get_by_role("searchbox").fill("quill")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".card h3")).to_have_text(["QuillAndCopper"])
    page.locator(".card h3 a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("QuillAndCopper")


def test_thousand_live_streams_are_rendered_as_they_scroll_into_view(visit: Visiting) -> None:
    showcase = Showcase()
    showcase.settings = replace(showcase.settings, image_origins=())  # drawing images is slow here
    with showcase.served() as served:
        _check_thousand_streams(showcase, served, visit)


def _check_thousand_streams(showcase: Showcase, served: str, visit: Visiting) -> None:
    names = [f"Streamer_{number}" for number in range(1000)]
    showcase.monitor(*names)
    for number, name in enumerate(names):
        showcase.go_online(name, f"s{number}", minutes_ago=number % 300)
        for viewers in (number + 1, number + 3):
            showcase.poll(name, viewer_count=viewers, title=f"Stream {number} of many")
    page = visit(served).open("/dashboard/")
    expect(page.locator(".card")).to_have_count(1000)
    assert 0 < page.evaluate(RENDERED) < 100
    with requests.get(f"{served}/dashboard/", stream=True, timeout=30) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(answer.raw.read()) < 200_000
    page.locator("[data-filters]").get_by_role("searchbox").fill("Streamer_77")
    expect(page.locator(".card")).to_have_count(11)
    page.close()  # before the server ends


RENDERED = """[...document.querySelectorAll(".card .about")].filter(
    (about) => about.checkVisibility({ contentVisibilityAuto: true })).length"""
"""How many cards the browser has rendered: those that are near the window."""
