"""A real Chromium from PATH. Without one, a test is skipped with a loud reason, and fails where
CI is set."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Route,
    ViewportSize,
    sync_playwright,
)

from streamwatch.simulator.pictures import avatar, preview
from tests.tools import not_tested

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

DISABLED_FEATURES = [
    # With these, Chromium renders the suggestions of its address bar as web pages, in a process for
    # each window that costs as much as the tested page.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    # Of Playwright's own list, which this one replaces.
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
]

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--metrics-recording-only",
    f"--disable-features={','.join(DISABLED_FEATURES)}",
]

PICTURES = "http://pictures.test"
"""The origin of avatars and previews: the browser gets the simulator's drawings from it."""

PHONE: ViewportSize = {"width": 360, "height": 780}
PHONE_390: ViewportSize = {"width": 390, "height": 844}
TABLET: ViewportSize = {"width": 768, "height": 1024}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}


def chromium() -> str:
    """The path of a browser."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        not_tested(f"there is no browser on PATH, none of {', '.join(NAMES)}")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


def draw_pictures(context: BrowserContext) -> None:
    """Answer the browser's requests to PICTURES."""

    def draw(route: Route) -> None:
        login = urlsplit(route.request.url).path.rsplit("/", 1)[-1].split("-")[0].split(".")[0]
        is_avatar = "/avatar/" in route.request.url
        text = avatar(login) if is_avatar else preview(login, login, 320, 180)
        route.fulfill(body=text, content_type="image/svg+xml")

    context.route(f"{PICTURES}/**", draw)


class Visit:
    """A page in a browser context of its own.

    `page_errors` are console errors, exceptions of scripts, and requests to hosts other than that
    of `url` and, for pictures, `image_origin`.
    """

    def __init__(
        self, browser: Browser, url: str, *, image_origin: str = PICTURES, **options: Any
    ) -> None:
        self.url = url
        self._image_origin = image_origin
        self.page_errors: list[str] = []
        context = {"viewport": DESKTOP, "timezone_id": "Europe/Berlin", "color_scheme": "light"}
        self._context = browser.new_context(**context | options)
        draw_pictures(self._context)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._check_message)
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        self.page.on("request", self._check_host)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def close(self) -> None:
        """Close the context; any page error fails the test."""
        errors = list(self.page_errors)  # without those of requests that are cut off now
        self._context.close()
        assert not errors, errors

    def _check_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.page_errors.append(f"{message.type}: {message.text} {message.location}")

    def _check_host(self, request: Request) -> None:
        allowed = {urlsplit(self.url).netloc, ""}  # blob: has no host
        if request.resource_type == "image":
            allowed |= {urlsplit(self._image_origin).netloc}
        if urlsplit(request.url).netloc not in allowed:
            self.page_errors.append(f"request to another host: {request.url}")
