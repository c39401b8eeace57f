"""Manage → Notifications in a real browser."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, expect

from streamwatch.worker.threads import NotificationThreads
from tests.browser import PHONE, Visit
from tests.dashboard.showcase import Showcase
from tests.dashboard.test_browser import axe_violations, log_in
from tests.notifications.receiver import FakeDiscord, receiving

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def discord() -> Iterator[FakeDiscord]:
    fake = FakeDiscord()
    with receiving(fake):
        yield fake


@pytest.fixture
def served() -> Iterator[str]:
    """The URL of a dashboard with the threads of a worker, and Shroud live."""
    showcase = Showcase()
    showcase.monitor("Shroud")
    showcase.go_online("Shroud", "s1")
    showcase.poll("Shroud", title="Ranked all day")
    services = showcase.services
    threads = NotificationThreads(services.notifications, services.storage.coordination)
    threads.start()
    with showcase.served() as url:
        yield url
    threads.stop()


def test_a_notification_is_previewed_added_tested_edited_and_switched_off(
    browser: Browser, served: str, discord: FakeDiscord
) -> None:
    with closing(Visit(browser, served)) as visit:
        log_in(visit.page, served)
        page = visit.open("/dashboard/manage/notifications")
        page.get_by_role("textbox", name="URL", exact=True).fill(
            f"{discord.url}/api/webhooks/1/token"
        )
        page.get_by_role("textbox", name="Name", exact=True).fill("My server")
        page.get_by_label("Text for Discord and Apprise").fill("$streamer: $title")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("Shroud: Ranked all day")).to_be_visible()
        page.get_by_role("button", name="Add").dblclick()
        expect(page.get_by_role("status").last).to_contain_text("Added: My server.")
        expect(page.get_by_role("heading", name="Notifications 1")).to_be_visible()
        assert axe_violations(page) == []

        page.get_by_role("status").get_by_role("link", name="My server").click()
        page.get_by_role("button", name="Send a test").dblclick()
        expect(page.get_by_text("The receiver took the test. It answered 200.")).to_be_visible()
        row = page.get_by_role("table").get_by_role("row").nth(1)
        expect(row).to_contain_text("Delivered (200)")
        page.reload()
        expect(page.get_by_text("The receiver took the test. It answered 200.")).to_be_visible()
        assert len(discord.messages) == 1
        page.get_by_role("link", name="Edit", exact=True).click()
        page.get_by_role("textbox", name="Name", exact=True).fill("Our server")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").last).to_have_text("Changed: name.")
        expect(page.get_by_role("heading", name="Our server")).to_be_visible()
        page.get_by_role("button", name="Switch off").click()
        expect(page.get_by_role("button", name="Switch on")).to_be_visible()
        page.set_viewport_size(PHONE)
        assert axe_violations(page) == []


def test_an_invalid_field_in_closed_details_is_shown(browser: Browser, served: str) -> None:
    with closing(Visit(browser, served)) as visit:
        log_in(visit.page, served)
        page = visit.open("/dashboard/manage/notifications")
        page.get_by_role("textbox", name="URL", exact=True).fill("https://discord.com/x")
        summary = page.get_by_text("Filters, cooldown and quiet hours")
        cooldown = page.get_by_label("Cooldown in minutes")
        summary.click()
        cooldown.fill("2000")
        summary.click()
        expect(cooldown).to_be_hidden()
        page.get_by_role("button", name="Add").click()
        expect(cooldown).to_be_visible()
        expect(cooldown).to_be_focused()
