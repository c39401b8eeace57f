"""`make screenshots`: each page of the dashboard as a picture, in both themes and on a phone, in
build/screenshots; and those of the README, small, in docs/screenshots."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import DESKTOP, PHONE, launched
from tests.dashboard.showcase import API_KEY, Showcase

ROOT = Path(__file__).parents[2]
ALL = ROOT / "build" / "screenshots"
README = ROOT / "docs" / "screenshots"

PAGES = {
    "live": "/dashboard/",
    "streamer": "/dashboard/streamer/quillandcopper",
    "top": "/dashboard/top",
    "compare": "/dashboard/compare?who=shroud&who=moorhenmarauder&who=tortuveloz_es",
    "manage": "/dashboard/manage",
    "subscriptions": "/dashboard/manage/subscriptions",
    "diagnostics": "/dashboard/manage/diagnostics",
}
IN_README = {"live": "dark", "streamer": "light"}
COLORS = 256


def main() -> None:
    ALL.mkdir(parents=True, exist_ok=True)
    README.mkdir(parents=True, exist_ok=True)
    showcase = Showcase()
    showcase.fill()
    showcase.services.subscriptions.reconcile()
    with showcase.served() as url, launched() as browser:
        for theme in ("light", "dark"):
            for device, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
                page = _page(browser, url, color_scheme=theme, viewport=viewport)
                for name, path in PAGES.items():
                    picture = _picture(page, url + path)
                    (ALL / f"{name}-{theme}-{device}.png").write_bytes(picture)
                    if (name, theme, device) in {(*one, "desktop") for one in IN_README.items()}:
                        _small(picture).save(README / f"{name}.png", optimize=True)
                page.context.close()
    empty = Showcase()
    with empty.served() as url, launched() as browser:
        page = _page(browser, url, viewport=DESKTOP)
        (ALL / "empty.png").write_bytes(_picture(page, f"{url}/dashboard/"))
        (ALL / "login.png").write_bytes(_picture(page, f"{url}/dashboard/login"))
    print(f"Pictures of every page are in {ALL}, the README's in {README}.")  # noqa: T201  for whom ran it


def _page(browser: Browser, url: str, **options: object) -> Page:
    """A page that is logged in, where there is somebody to log in for."""
    page = browser.new_context(timezone_id="Europe/Berlin", **options).new_page()  # type: ignore[arg-type]  # named right above
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
    """The same in few colours, which is half of the size."""
    full = Image.open(io.BytesIO(picture)).convert("RGB")
    return full.quantize(palette=full.quantize(COLORS), dither=Image.Dither.FLOYDSTEINBERG)


if __name__ == "__main__":
    main()
