"""Charts in a real browser: pointer, keyboard, zoom, downloads, and without scripts."""

import csv
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import PHONE, Visit
from tests.dashboard.conftest import Visiting

pytestmark = pytest.mark.xdist_group("browser")

STREAMER = "/dashboard/streamer/quillandcopper?days=90"
COMPARE = "/dashboard/compare?who=shroud&who=quillandcopper&who=abajurazul_"
DATE = re.compile(r"\d{1,2} [A-Z][a-z]{2} 20\d\d")
MOMENT = re.compile(r"\d{1,2} [A-Z][a-z]{2} 20\d\d, \d\d:\d\d")


@pytest.fixture(autouse=True)
def known_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open pages with a known time zone: at a first visit their charts are loaded twice."""
    open_page = Visit.open

    def open_with_cookie(visit: Visit, path: str) -> Page:
        cookie = {"name": "timezone", "value": "Europe/Berlin", "url": f"{visit.url}/dashboard/"}
        visit.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict
        return open_page(visit, path)

    monkeypatch.setattr(Visit, "open", open_with_cookie)


def drawn(page: Page) -> Page:
    expect(page.locator("figure[data-chart][data-drawn]")).to_be_visible()
    return page


def test_tooltip_appears_at_the_pointer(full: str, visit: Visiting) -> None:
    page = drawn(visit(full).open(STREAMER))
    box = page.locator(".plot .u-over").bounding_box()
    assert box
    tooltip = page.locator(".tooltip")
    expect(tooltip).to_be_hidden()
    page.locator(".plot").scroll_into_view_if_needed()
    page.locator(".plot .u-over").hover()
    expect(tooltip).to_contain_text(MOMENT)
    expect(tooltip).to_contain_text("viewers")
    page.mouse.move(0, 0)
    expect(tooltip).to_be_hidden()


def test_tooltip_moves_with_the_arrow_keys(full: str, visit: Visiting) -> None:
    page = drawn(visit(full).open(STREAMER))
    tooltip = page.locator(".tooltip")
    page.locator(".plot").focus()
    page.keyboard.press("End")
    last = tooltip.text_content()
    page.keyboard.press("ArrowLeft")
    expect(tooltip).not_to_have_text(last or "")
    page.keyboard.press("Escape")
    expect(tooltip).to_be_hidden()


def test_zoom_is_reset(full: str, visit: Visiting) -> None:
    page = drawn(visit(full).open(STREAMER))
    reset = page.get_by_role("button", name="Reset")
    expect(reset).to_be_disabled()
    page.get_by_role("button", name="Zoom in").click()
    expect(reset).to_be_enabled()
    reset.click()
    expect(reset).to_be_disabled()


def test_part_of_a_chart_is_selected_with_the_pointer(full: str, visit: Visiting) -> None:
    page = drawn(visit(full).open(STREAMER))
    over = page.locator(".plot .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 50, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Reset")).to_be_enabled()


def test_trend_has_a_bar_a_day_and_a_tooltip(full: str, visit: Visiting) -> None:
    page = visit(full).open(STREAMER)
    bars = page.locator(".bars-drawing rect:not(.before)")
    assert bars.count() > 20
    page.locator(".bars-drawing .canvas").hover()
    tooltip = page.locator(".tooltip")
    expect(tooltip).to_contain_text(DATE)
    expect(tooltip).to_contain_text("Hours watched")
    page.mouse.move(0, 0)
    page.locator(".trend-plot").focus()
    page.keyboard.press("Home")
    expect(tooltip).to_be_visible()


@pytest.mark.parametrize(("days", "least"), [(7, 3), (30, 10), (90, 40), (365, 45)])
def test_trend_changes_with_the_period(full: str, visit: Visiting, days: int, least: int) -> None:
    page = visit(full).open(f"/dashboard/streamer/quillandcopper?days={days}")
    assert page.locator("[data-trend-table] tbody tr").count() == days
    assert least <= page.locator(".bars-drawing rect:not(.before)").count() <= days
    assert (page.locator(".bars-drawing rect.before").count() > 0) is (days < 120)


def test_trend_shows_the_chosen_metric(full: str, visit: Visiting) -> None:
    page = visit(full).open(STREAMER)
    expect(page.get_by_role("img", name="Bar chart of hours watched a day")).to_be_visible()
    page.get_by_role("link", name="Peak viewers").click()
    expect(page.get_by_role("img", name="Bar chart of peak viewers a day")).to_be_visible()


def is_number(text: str) -> bool:
    """Whether a cell has all digits of a number, or is empty."""
    return re.fullmatch(r"(\d+(\.\d{1,2})?)?", text) is not None


@pytest.mark.parametrize("figure", ["figure[data-trend]", "figure[data-chart]"])
def test_chart_is_saved_as_csv_and_png(
    full: str, visit: Visiting, figure: str, tmp_path: Path
) -> None:
    page = drawn(visit(full).open(STREAMER))
    chart = page.locator(figure)
    with page.expect_download() as download:
        chart.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    text = Path(download.value.path()).read_text()
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 1 + chart.locator("details tbody tr").count()
    assert all(is_number(value) for row in rows[1:] for value in row[1:2])
    with page.expect_download() as download:
        chart.get_by_role("button", name="PNG").click()
    picture = Image.open(download.value.path())
    assert picture.format == "PNG"
    colors = picture.convert("RGB").getcolors(2**24)
    assert colors
    assert len(colors) > 20
    # Where the title does not fit into the width, it has more lines.
    page.set_viewport_size(PHONE)
    page.wait_for_function("document.querySelector('.uplot canvas').clientWidth < innerWidth")
    with page.expect_download() as download:
        chart.get_by_role("button", name="PNG").click()
    with Image.open(download.value.path()) as narrow:
        assert (narrow.height > picture.height) == (narrow.width < picture.width)


def test_csv_of_a_zoomed_chart_has_the_shown_rows(full: str, visit: Visiting) -> None:
    page = drawn(visit(full).open(STREAMER))
    chart = page.locator("figure[data-chart]")
    chart.get_by_role("button", name="Zoom in").click()
    with page.expect_download() as download:
        chart.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert 1 < len(lines) < 1 + chart.locator("details tbody tr").count()


def test_charts_are_drawn_without_scripts(full: str, visit: Visiting) -> None:
    visitor = visit(full, java_script_enabled=False)
    page = visitor.open(STREAMER)
    line = page.locator(".plot svg path.line-0")
    expect(line).to_be_visible()
    assert len(line.get_attribute("d") or "") > 100
    expect(page.locator(".bars-drawing svg")).to_be_visible()
    page = visitor.open(COMPARE)
    expect(page.locator(".plot svg path")).to_have_count(3)


def test_compare_has_switches_gaps_and_statistics_of_the_period(full: str, visit: Visiting) -> None:
    page = drawn(visit(full).open(COMPARE))
    assert page.locator("td[data-value='']").count() > 10  # days without a stream
    assert "--" not in (page.locator(".u-legend").text_content() or "")  # no time at rest
    page.get_by_role("link", name="Log scale").click()
    drawn(page)
    expect(page).to_have_url(re.compile("log=1"))
    page.get_by_role("link", name="Share of own average").click()
    drawn(page)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table", name="Average viewers a day")).to_contain_text("%")
    expect(page.get_by_role("heading", name="The last 30 days")).to_be_visible()


def test_axis_of_days_has_dates_and_no_hours(full: str, visit: Visiting) -> None:
    visitor = visit(full)
    visitor.page.add_init_script(RECORD_DRAWN_TEXTS)
    page = drawn(visitor.open(f"{COMPARE}&days=7"))
    labels = " ".join(page.evaluate("window.drawnTexts"))
    assert re.search(r"\d [A-Z][a-z]{2}", labels)
    assert ":" not in labels


RECORD_DRAWN_TEXTS = """window.drawnTexts = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.drawnTexts.push(text);
    fillText.call(this, text, ...place);
};"""


def test_sixth_streamer_is_reported_as_left_out(full: str, visit: Visiting) -> None:
    names = ("shroud", "quillandcopper", "waldkauzig", "briochebab", "elfaroroto", "tortuveloz_es")
    query = "&".join(f"who={name}" for name in names)
    page = visit(full).open(f"/dashboard/compare?{query}")
    expect(page.get_by_text("Left out: tortuveloz_es")).to_be_visible()


def test_all_dates_have_one_form(full: str, visit: Visiting) -> None:
    page = visit(full).open(STREAMER)
    shown = (
        page.locator("main").inner_text() + page.locator("figure[data-chart] tbody").inner_text()
    )
    assert MOMENT.search(shown)
    assert not re.search(r"\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{2,4}|[A-Z][a-z]{2} \d{1,2}, \d{4}", shown)
