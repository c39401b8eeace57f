"""`make screenshots`: each page of the dashboard at four widths and in both themes, in
build/screenshots; and those of the README, in fewer colours, in docs/screenshots."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import draw_pictures, launched
from tests.dashboard.showcase import API_KEY, Showcase

ROOT = Path(__file__).parents[2]
ALL = ROOT / "build" / "screenshots"
README = ROOT / "docs" / "screenshots"

PAGES = {
    "live": "/dashboard/?view=cards",
    "list": "/dashboard/?view=list",
    "streamers": "/dashboard/streamers",
    "streamer": "/dashboard/streamer/quillandcopper?days=90",
    "top": "/dashboard/top?days=30",
    "compare": "/dashboard/compare?who=shroud&who=moorhenmarauder&who=tortuveloz_es&log=1",
    "manage": "/dashboard/manage",
    "notifications": "/dashboard/manage/notifications",
    "notification-edit": "/dashboard/manage/notifications/ntf_discord/edit",
    "subscriptions": "/dashboard/manage/subscriptions",
    "settings": "/dashboard/manage/settings",
    "diagnostics": "/dashboard/manage/diagnostics",
    "search": "/dashboard/search?q=s",
    "setup": "/dashboard/setup",
    "unknown": "/dashboard/streamer/nobody_here",
}
SIZES: dict[str, ViewportSize] = {
    "360": {"width": 360, "height": 780},
    "768": {"width": 768, "height": 1024},
    "1440": {"width": 1440, "height": 900},
    "2560": {"width": 2560, "height": 1440},
}
IN_README = {"live": "dark", "streamer": "light", "streamers": "light", "compare": "dark"}
COLORS = 256


def main() -> None:
    ALL.mkdir(parents=True, exist_ok=True)
    README.mkdir(parents=True, exist_ok=True)
    showcase = Showcase()
    showcase.fill()
    showcase.operate()
    showcase.services.subscriptions.reconcile()
    with showcase.served() as url, launched() as browser:
        for theme in ("light", "dark"):
            for size, viewport in SIZES.items():
                page = _page(browser, url, color_scheme=theme, viewport=viewport)
                for name, path in PAGES.items():
                    _save(page, url + path, f"{name}-{theme}-{size}", name, theme, size)
                page.context.close()
    empty = Showcase()
    with empty.served() as url, launched() as browser:
        page = _page(browser, url, viewport=SIZES["1440"])
        (ALL / "empty.png").write_bytes(_picture(page, f"{url}/dashboard/"))
        (ALL / "login.png").write_bytes(_picture(page, f"{url}/dashboard/login"))
    print(f"Screenshots of every page are in {ALL}, those of the README in {README}.")  # noqa: T201  the command's output


def _save(page: Page, url: str, file: str, name: str, theme: str, size: str) -> None:
    """One page: whole at phone and tablet widths, else as far as the window shows."""
    picture = _picture(page, url)
    (ALL / f"{file}.png").write_bytes(picture)
    if size == "1440" and IN_README.get(name) == theme:
        _small(picture).save(README / f"{name}.png", optimize=True)
    if size in {"360", "768", "1440"}:
        (ALL / f"{file}-whole.png").write_bytes(page.screenshot(full_page=True))


def _page(browser: Browser, url: str, **options: object) -> Page:
    """A page with a login session."""
    context = browser.new_context(timezone_id="Europe/Berlin", **options)  # type: ignore[arg-type]  # keywords of new_context
    draw_pictures(context)
    page = context.new_page()
    page.goto(f"{url}/dashboard/login")
    page.get_by_label("Key").fill(API_KEY)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    return page


def _picture(page: Page, url: str) -> bytes:
    page.goto(url)
    page.wait_for_load_state("load")
    if page.locator("figure[data-chart]").count():
        page.locator("figure[data-drawn]").wait_for()
    return page.screenshot()


def _small(picture: bytes) -> Image.Image:
    """The same picture in few colours, which is half of the size."""
    full = Image.open(io.BytesIO(picture)).convert("RGB")
    return full.quantize(palette=full.quantize(COLORS), dither=Image.Dither.FLOYDSTEINBERG)


if __name__ == "__main__":
    main()
