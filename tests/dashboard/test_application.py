"""The first visit, images, views, search palette and installation, in a real browser."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser import PHONE
from tests.dashboard.conftest import Visiting
from tests.dashboard.showcase import Showcase

pytestmark = pytest.mark.xdist_group("browser")


def test_first_visit_loads_the_page_once(full: str, visit: Visiting) -> None:
    visitor = visit(full, timezone_id="Asia/Tokyo")
    loads: list[str] = []
    visitor.page.on(
        "request",
        lambda request: loads.append(request.url) if request.url.endswith("/dashboard/") else None,
    )
    page = visitor.open("/dashboard/")
    expect(page.locator("footer")).to_contain_text("Times in Asia/Tokyo")
    expect(page.locator("[data-pulse]")).to_have_text("Live")
    assert loads == [f"{full}/dashboard/"]


def test_theme_is_applied_to_other_tabs(full: str, visit: Visiting) -> None:
    visitor = visit(full)
    page = visitor.open("/dashboard/")
    other = page.context.new_page()
    other.goto(f"{full}/dashboard/top")
    page.get_by_role("button", name="Theme").click()
    expect(other.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Theme").click()
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    assert other.locator("meta[name=theme-color]").first.get_attribute("content") == "#0b0c11"


def test_title_has_the_number_of_live_streams(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    showcase.monitor("Shroud")
    page = visit(served).open("/dashboard/")
    expect(page).to_have_title("Live now · StreamWatch")
    showcase.go_online("Shroud", "s1")
    expect(page).to_have_title("(1) Live now · StreamWatch")


def test_page_shows_that_another_one_is_loading(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/top")
    page.evaluate("dispatchEvent(new Event('beforeunload'))")  # as when a link is followed
    expect(page.locator("html.loading")).to_be_attached()


def test_application_can_be_installed_and_has_an_offline_page(full: str, visit: Visiting) -> None:
    visitor = visit(full)
    page = visitor.open("/dashboard/")
    link = page.locator("link[rel=manifest]").get_attribute("href")
    manifest = page.request.get(f"{full}{link}").json()
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert page.request.get(f"{full}{icon['src']}").ok
    for selector in ("link[rel=apple-touch-icon]", "link[rel=icon][sizes='32x32']"):
        assert page.request.get(f"{full}{page.locator(selector).get_attribute('href')}").ok
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.goto(f"{full}/dashboard/top")
    expect(page.get_by_role("heading")).to_have_text("No connection to StreamWatch")
    visitor.page_errors.clear()


def test_offline_page_is_not_shown_at_the_address_of_a_form(
    showcase: Showcase, visit: Visiting
) -> None:
    with showcase.served() as url:
        visitor = visit(url)
        page = visitor.open("/dashboard/streamer/nobody_here")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_function("navigator.serviceWorker.controller")
    # Without the listener of page.js, as if the server were lost after it has answered.
    page.evaluate("document.querySelector('main form').submit()")
    expect(page).to_have_url(re.compile("^chrome-error:"))
    visitor.page_errors.clear()


def test_cards_show_avatars_and_previews(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/")
    card = page.locator(".card").first
    for selector in (".preview img", ".avatar img"):
        image = card.locator(selector)
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0
        expect(image).to_have_attribute("loading", "lazy")
    assert re.search("320x180", card.locator(".preview img").get_attribute("src") or "")


def test_initials_are_shown_where_an_image_does_not_load(full: str, visit: Visiting) -> None:
    visitor = visit(full)

    def fail(route: Route) -> None:
        route.fulfill(body="not an image", content_type="image/png")

    visitor.page.route("http://pictures.test/**", fail)
    page = visitor.open("/dashboard/")
    expect(page.locator(".card .avatar").first).to_have_text("QC")
    expect(page.locator(".card").first.locator("img")).to_have_count(0)


def test_list_view_is_denser_and_remembered(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/")
    before = page.locator(".card").first.bounding_box()
    page.get_by_role("button", name="List").click()
    expect(page.locator("#cards")).to_have_attribute("data-view", "list")
    after = page.locator(".card").first.bounding_box()
    assert before
    assert after
    assert before["height"] <= 150  # it was 300 pixels
    assert after["height"] <= 50
    page.reload()
    expect(page.locator("#cards")).to_have_attribute("data-view", "list")
    expect(page.get_by_role("button", name="List")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_search_opens_with_a_key_and_leads_to_a_streamer(
    full: str, visit: Visiting, key: str
) -> None:
    page = visit(full).open("/dashboard/top")
    page.keyboard.press(key)
    palette = page.get_by_role("dialog", name="Search")
    expect(palette).to_be_visible()
    page.keyboard.type("ossified")
    expect(palette.get_by_role("link", name="OssifiedOtto")).to_be_visible()
    expect(palette.get_by_role("status")).to_have_text("1 result")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("OssifiedOtto")


def test_search_on_a_phone_shows_viewers_beside_a_long_name(
    showcase: Showcase, served: str, visit: Visiting
) -> None:
    name = "W" * 25
    showcase.monitor(name)
    showcase.go_online(name, "s1")
    showcase.poll(name, viewer_count=1_234_567, game_name="Massively long category " * 4)
    page = visit(served, viewport=PHONE).open("/dashboard/")
    page.keyboard.press("/")
    results = page.get_by_role("dialog", name="Search").locator("[data-results]")
    page.keyboard.type("W")
    expect(results.get_by_text("1,234,567")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Control+A")
    page.keyboard.type("massively")
    expect(results.get_by_text("1 live")).to_be_in_viewport(ratio=1)


def test_slash_is_typed_into_a_field(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/")
    field = page.locator("[data-filters]").get_by_role("searchbox")
    field.press("/")
    expect(field).to_have_value("/")
    expect(page.get_by_role("dialog", name="Search")).to_be_hidden()


def test_headers_on_a_phone_are_one_line(full: str, visit: Visiting) -> None:
    page = visit(full, viewport=PHONE).open("/dashboard/")
    header = page.locator(".bar").bounding_box()
    assert header
    assert header["height"] < 64
    nav = page.get_by_role("navigation", name="Pages").bounding_box()
    assert nav
    assert nav["y"] + nav["height"] <= PHONE["height"] + 1
    page.goto(f"{full}/dashboard/streamer/quillandcopper")
    hours = page.locator(".week thead tr").bounding_box()
    assert hours
    assert hours["height"] < 30


def test_assets_are_immutable_under_a_hashed_url(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/streamer/shroud")
    urls: list[str] = page.evaluate(
        "performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assets = [url for url in urls if re.search(r"\.(css|js|svg)(#|$)", url)]
    assert len(assets) > 5
    for url in assets:
        if "pictures.test" in url or url.endswith("service-worker.js"):
            continue
        headers = page.request.get(url).headers
        assert re.search(r"/static/[0-9a-f]{12}/", url), url
        assert headers["cache-control"] == "public, max-age=31536000, immutable"


def test_enter_opens_the_first_result_of_what_was_typed(full: str, visit: Visiting) -> None:
    page = visit(full).open("/dashboard/top")
    page.keyboard.press("/")
    palette = page.get_by_role("dialog", name="Search")
    expect(palette.get_by_role("link").first).to_be_visible()
    page.keyboard.insert_text("ossified")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("OssifiedOtto")


def test_times_are_in_the_zone_to_which_the_visitor_has_moved(full: str, visit: Visiting) -> None:
    visitor = visit(full, timezone_id="America/New_York")
    cookie = {"name": "timezone", "value": "Europe/Berlin", "url": f"{full}/dashboard"}
    visitor.page.context.add_cookies([cookie])  # type: ignore[list-item]  # as playwright has it
    page = visitor.open("/dashboard/")
    expect(page.locator("footer")).to_contain_text("Times in America/New_York")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-zone", "America/New_York")
