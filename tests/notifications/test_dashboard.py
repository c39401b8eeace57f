"""Manage → Notifications."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from streamwatch.domain.models import User
from streamwatch.domain.notifications.models import Notification, TargetKind
from streamwatch.services.notifications.management import Notifications
from streamwatch.worker.threads import NotificationThreads
from tests.api.world import World, build_world
from tests.messages import online
from tests.notifications.build import notification
from tests.notifications.receiver import FakeDiscord, receiving
from tests.waiting import wait_for

KEY = "a-full-key-of-mine"
HEADERS = {"Authorization": f"Bearer {KEY}"}
PAGE = "/dashboard/manage/notifications"
ALL_EVENTS = {"stream.online": "1", "stream.offline": "1", "channel.update": "1"}


class Pages:
    """The application's pages, as an operator with a key sees them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def get(self, path: str = PAGE) -> str:
        response = self.world.client.get(path, headers=HEADERS)
        assert response.status_code == 200
        return response.get_data(as_text=True)

    def post(self, path: str = PAGE, **fields: str) -> str:
        response = self.world.client.post(path, data=fields, headers=HEADERS, follow_redirects=True)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_data(as_text=True)

    def refused(self, path: str = PAGE, **fields: str) -> str:
        """The page that answers a form which is not carried out."""
        response = self.world.client.post(path, data=fields, headers=HEADERS)
        assert response.status_code == 422, response.get_data(as_text=True)
        return response.get_data(as_text=True)


@pytest.fixture
def pages() -> Iterator[Pages]:
    world = build_world(api_keys=(KEY,), notifications_allow_private=True)
    services = world.app.extensions["streamwatch"]
    threads = NotificationThreads(services.notifications, services.storage.coordination)
    threads.start()
    yield Pages(world)
    threads.stop()


@pytest.fixture
def discord() -> Iterator[FakeDiscord]:
    fake = FakeDiscord()
    with receiving(fake):
        yield fake


def add(pages: Pages, discord: FakeDiscord, **fields: str) -> str:
    """The path of a new notification's page."""
    url = f"{discord.url}/api/webhooks/1/token"
    page = pages.post(kind="discord", url=url, name="My server", **ALL_EVENTS | fields)
    found = re.search(rf'href="({PAGE}/ntf_\w+)"', page)
    assert found, page
    return found[1]


def management(pages: Pages) -> Notifications:
    services = pages.world.app.extensions["streamwatch"]
    found: Notifications = services.notifications.management
    return found


def stored(pages: Pages, path: str) -> Notification:
    return management(pages).get(path.rpartition("/")[2])


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the form of a notification, but for the session's token."""
    form = page.partition('<form class="fields"')[2].partition("</form>")[0]
    fields = {}
    for tag, attributes in re.findall(r"<(input|textarea)\b([^>]*>(?:[^<]*</textarea>)?)", form):
        name = re.search(r'name="([^"]+)"', attributes)
        assert name
        value = re.search(r">([^<]*)<" if tag == "textarea" else r'value="([^"]*)"', attributes)
        is_sent = "checkbox" not in attributes or "checked" in attributes
        if is_sent and name[1] != "token":
            fields[name[1]] = unescape(value[1]) if value else ""
    return fields


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/ntf_x/edit"])
def test_the_page_needs_a_key(path: str) -> None:
    world = build_world(api_keys=(KEY,))
    for response in (world.client.get(path), world.client.post(path)):
        assert response.status_code == 303
        assert "/dashboard/login" in response.headers["Location"]


def test_the_page_starts_empty(pages: Pages) -> None:
    assert "There are no notifications yet." in pages.get()


def test_a_notification_is_added_and_shown_without_its_secret(
    pages: Pages, discord: FakeDiscord
) -> None:
    path = add(
        pages,
        discord,
        categories="Chess\r\nJust Chatting",
        quiet_start="23:00",
        quiet_end="07:00",
        quiet_tz="Europe/Berlin",
    )

    shown = pages.get(path)
    assert "My server" in shown
    assert "Chess, Just Chatting" in shown
    assert "23:00 to 07:00, Europe/Berlin" in shown
    assert "token" not in shown.replace('name="token"', "")


def test_a_category_with_a_comma_is_one_category(pages: Pages, discord: FakeDiscord) -> None:
    path = add(pages, discord, categories="Papers, Please\r\nChess", title_contains="Hi, all")

    known = stored(pages, path)
    assert known.categories == ("Papers, Please", "Chess")
    assert known.title_contains == ("Hi, all",)


def test_an_edit_changes_what_was_typed_and_keeps_the_rest(
    pages: Pages, discord: FakeDiscord
) -> None:
    path = add(
        pages,
        discord,
        categories="Papers, Please",
        cooldown_minutes="0",
        quiet_start="23:00",
        quiet_end="07:00",
        quiet_tz="Europe/Berlin",
        template="$streamer!",
    )
    inexact = {"title_contains": [" cs "], "changed": ["language"]}  # which the form cannot show
    management(pages).change(path.rpartition("/")[2], inexact)
    before = stored(pages, path)
    assert f'href="{path}/edit"' in pages.get(path)

    form = fields_of(pages.get(f"{path}/edit"))
    assert {name: form[name] for name in form if not name.startswith("shown-")} == {
        "kind": "discord",
        "url": "",
        "name": "My server",
        **ALL_EVENTS,
        "template": "$streamer!",
        "streamers": "",
        "tags": "",
        "categories": "Papers, Please",
        "title_contains": " cs ",
        "cooldown_minutes": "0",
        "quiet_start": "23:00",
        "quiet_end": "07:00",
        "quiet_tz": "Europe/Berlin",
        "version": str(before.version),
    }
    assert "Nothing was changed." in pages.post(f"{path}/edit", **form)
    assert stored(pages, path) == replace(before, version=before.version + 1)

    form = fields_of(pages.get(f"{path}/edit"))
    del form["channel.update"]
    page = pages.post(f"{path}/edit", **form | {"name": "Ours", "quiet_start": "", "quiet_end": ""})
    assert "Changed: name, events, quiet hours." in page
    assert stored(pages, path) == replace(
        before,
        name="Ours",
        events=("stream.online", "stream.offline"),
        quiet_hours=None,
        version=before.version + 2,
    )


def test_the_pages_say_which_updates_are_sent(pages: Pages, discord: FakeDiscord) -> None:
    assert "New title or category<" in pages.get()
    path = add(pages, discord)
    for changed, text in (
        (["title", "category"], "New title or category<"),
        (["language"], "New language<"),
        ([], "New title, category or language<"),
    ):
        management(pages).change(path.rpartition("/")[2], {"changed": changed})
        assert text in pages.get(path)
        assert text in pages.get(f"{path}/edit")


def test_the_page_shows_the_current_login_of_a_renamed_streamer(
    pages: Pages, discord: FakeDiscord
) -> None:
    user = pages.world.twitch.add_user("ann")
    pages.world.post("/streamers/ann", headers=HEADERS)
    path = add(pages, discord, streamers="ann")
    pages.world.twitch.known[user.user_id] = replace(user, login="anna")
    pages.world.post("/streamers/anna", headers=HEADERS)

    assert "<b>Streamers</b> anna<" in pages.get(path)
    assert fields_of(pages.get(f"{path}/edit"))["streamers"] == "anna"


def test_an_edit_shows_no_secret_and_takes_a_new_url(pages: Pages, discord: FakeDiscord) -> None:
    path = add(pages, discord)
    page = pages.get(f"{path}/edit")
    assert "stays as it is unless you enter a new one" in page
    assert f'placeholder="{discord.url}/api/webhooks/1/…"' in page
    assert "token" not in page.replace('name="token"', "")

    url = f"{discord.url}/api/webhooks/2/another"
    page = pages.post(f"{path}/edit", **fields_of(page) | {"url": url})

    assert "Changed: url." in page
    assert "another" not in page
    assert stored(pages, path).url == url


def test_an_edit_with_faults_changes_nothing_and_keeps_what_was_typed(
    pages: Pages, discord: FakeDiscord
) -> None:
    path = add(pages, discord)
    before, form = stored(pages, path), fields_of(pages.get(f"{path}/edit"))
    typed = {"name": "Ours", "cooldown_minutes": "many", "streamers": "ann"}

    page = pages.refused(f"{path}/edit", **form | typed)
    assert "Not changed." in page
    assert "Not a whole number from 0 to 1440." in page
    assert fields_of(page) == form | typed

    for unreadable, fault in ((set(), "Twitch has no user"), ({"ann"}, "could not be read")):
        pages.world.twitch.unreadable = unreadable
        page = pages.refused(f"{path}/edit", **form | typed | {"cooldown_minutes": "1"})
        assert fault in page
        assert 'aria-describedby="streamers-fault"' in page
        assert fields_of(page)["name"] == "Ours"

    preview = pages.post(f"{path}/edit", **form | {"template": "Hi $streamer", "preview": "1"})
    assert "Hi Example_Streamer" in preview
    assert fields_of(preview)["template"] == "Hi $streamer"
    assert stored(pages, path) == before

    other = pages.refused(f"{path}/edit", **form | {"kind": "webhook"})
    assert "Cannot be changed: add a new notification." in other
    missing = pages.world.client.get(f"{PAGE}/ntf_none/edit", headers=HEADERS)
    assert missing.status_code == 404


def test_an_edit_does_not_undo_what_another_request_changed_meanwhile(
    pages: Pages, discord: FakeDiscord
) -> None:
    path = add(pages, discord, tags="friends")
    form = fields_of(pages.get(f"{path}/edit"))
    response = pages.world.client.patch(
        path.removeprefix("/dashboard/manage"), json={"tags": ["family"]}, headers=HEADERS
    )
    assert response.status_code == 200

    form |= {"name": "Ours", "quiet_start": "23:00", "quiet_end": "07:00"}
    preview = pages.post(f"{path}/edit", **form | {"preview": "1"})
    refused = pages.refused(f"{path}/edit", **fields_of(preview))
    assert "Not changed." in refused
    assert "Another request changed it meanwhile (tags)." in refused
    assert (stored(pages, path).name, stored(pages, path).tags) == ("My server", ("family",))

    # The form has what was typed and what is stored, and can be sent.
    form = fields_of(refused)
    assert (form["name"], form["quiet_start"], form["tags"]) == ("Ours", "23:00", "family")
    assert "Changed: name, quiet hours." in pages.post(f"{path}/edit", **form)
    assert (stored(pages, path).name, stored(pages, path).tags) == ("Ours", ("family",))


def test_an_edit_with_a_conflict_says_what_is_not_shown_and_keeps_what_both_changed(
    pages: Pages, discord: FakeDiscord
) -> None:
    path = add(pages, discord, categories="Chess\r\nGo", template="$streamer\r\nlive")
    known_id = path.rpartition("/")[2]
    form = fields_of(pages.get(f"{path}/edit"))
    del form["channel.update"]
    management(pages).change(known_id, {"enabled": False})
    refused = pages.refused(f"{path}/edit", **form)
    assert "Another request changed it meanwhile. The form has" in refused
    assert "channel.update" not in fields_of(refused)

    form = fields_of(refused) | {"categories": "Poker"}
    management(pages).change(known_id, {"categories": ["Darts"], "events": ["stream.online"]})
    refused = pages.refused(f"{path}/edit", **form)
    assert "Another request changed it meanwhile (events, categories)." in refused
    form = fields_of(refused)
    assert form["categories"] == "Poker"
    assert "Changed: events, categories." in pages.post(f"{path}/edit", **form)
    assert stored(pages, path).events == ("stream.online", "stream.offline")


def test_tags_of_a_filter_are_given_as_for_streamers(pages: Pages, discord: FakeDiscord) -> None:
    path = add(pages, discord, tags="Friends, FPS")
    assert stored(pages, path).tags == ("friends", "fps")
    form = fields_of(pages.get(f"{path}/edit"))
    assert "&#39;é&#39;: Not a tag" in pages.refused(f"{path}/edit", **form | {"tags": "fps é"})
    assert stored(pages, path).tags == ("friends", "fps")


def test_a_cooldown_of_too_many_digits_is_a_fault_of_the_field(pages: Pages) -> None:
    page = pages.refused(kind="discord", url="", cooldown_minutes="9" * 5_000, **ALL_EVENTS)
    assert "Not a whole number from 0 to 1440." in page
    assert 'aria-describedby="cooldown_minutes-fault"' in page


def test_streamers_who_are_not_monitored_are_named(pages: Pages, discord: FakeDiscord) -> None:
    pages.world.twitch.add_user("ann")
    pages.world.twitch.add_user("ben")
    pages.world.post("/streamers/ann", headers=HEADERS)
    url = f"{discord.url}/api/webhooks/1/token"

    page = pages.post(kind="discord", url=url, streamers="ann ben", **ALL_EVENTS)
    assert "Not monitored: ben. Nothing is sent about them" in page
    [made] = management(pages).all()
    assert "Not monitored: ben." in pages.get(f"{PAGE}/{made.id}")

    pages.world.post("/streamers/ben", headers=HEADERS)
    assert "Not monitored" not in pages.get(f"{PAGE}/{made.id}")


def test_the_signing_secret_is_shown_once(pages: Pages, discord: FakeDiscord) -> None:
    page = pages.post(kind="webhook", url=f"{discord.url}/x", **ALL_EVENTS)

    assert "whsec_" in page
    assert "whsec_" not in pages.get()


def test_a_page_that_is_loaded_again_adds_no_second_notification(
    pages: Pages, discord: FakeDiscord
) -> None:
    fields = {"kind": "discord", "url": f"{discord.url}/api/webhooks/1/token", **ALL_EVENTS}
    added = pages.world.client.post(PAGE, data=fields | {"name": "Mine"}, headers=HEADERS)
    [made] = management(pages).all()
    assert (added.status_code, added.location) == (303, f"{PAGE}?made={made.id}")
    assert "Added: <a" in pages.get(added.location)
    assert "Added: <a" not in pages.get(f"{PAGE}?made=ntf_none")


def test_a_webhook_form_that_is_sent_again_adds_no_second_webhook(
    pages: Pages, discord: FakeDiscord
) -> None:
    form = fields_of(pages.get()) | {"kind": "webhook", "url": f"{discord.url}/x", "name": "Mine"}
    assert "whsec_" in pages.post(**form)

    again = pages.refused(**form)
    assert "Mine was added with this form already." in again
    assert "whsec_" not in again
    assert len(management(pages).all()) == 1

    # The form that is shown then has another id.
    assert "whsec_" in pages.post(**fields_of(again) | {"kind": "webhook"})
    assert len(management(pages).all()) == 2


def test_errors_are_shown_and_the_input_remains(pages: Pages) -> None:
    page = pages.refused(kind="discord", url="https://nowhere.invalid/<x>", name="Mine")

    assert "Not added." in page
    assert "The host nowhere.invalid does not resolve." not in page  # other faults come first
    assert 'value="Mine"' in page
    assert "&lt;x&gt;" in page
    assert "Events: Empty" in page


def test_the_preview_is_of_the_biggest_stream(pages: Pages) -> None:
    sample = pages.post(kind="discord", url="", preview="1", template="Look: $streamer")
    assert "Look: Example_Streamer" in sample  # as Discord shows it, without what escapes it

    pages.world.twitch.add_user("shroud")
    pages.world.post("/streamers/shroud")
    pages.world.twitch.go_live(pages.world.twitch.add_user("shroud"), title="Ranked")
    pages.world.app.extensions["streamwatch"].poller.poll_now(["id-of-shroud"])

    page = pages.post(kind="discord", url="", preview="1", template="<$streamer> $title")

    assert "&lt;Shroud&gt; Ranked" in page
    assert "Unknown placeholder" in pages.post(kind="discord", preview="1", template="$x")


def test_a_test_shows_the_response_of_the_receiver(pages: Pages, discord: FakeDiscord) -> None:
    path = add(pages, discord)

    assert "The receiver took the test. It answered 200." in pages.post(f"{path}/test")

    discord.answer = lambda _: (401, {}, b"Invalid Webhook Token")
    page = pages.post(f"{path}/test")
    assert "Not delivered: the receiver answered 401: Invalid Webhook Token." in page


def test_a_notification_is_switched_and_removed(pages: Pages, discord: FakeDiscord) -> None:
    path = add(pages, discord)

    assert "Switch on" in pages.post(f"{path}/switch", on="0")
    assert "Switch off" in pages.post(f"{path}/switch", on="1")
    assert "Removed: My server." in pages.post(f"{path}/remove")
    assert pages.world.client.get(path, headers=HEADERS).status_code == 404


def test_a_notification_without_a_url_says_why_and_how_to_set_it(pages: Pages) -> None:
    store = pages.world.app.extensions["streamwatch"].storage.notifications
    imported = notification(TargetKind.DISCORD, id="ntf_imported", url="", enabled=False)
    assert store.add(imported, limit=200)
    page = pages.get(f"{PAGE}/ntf_imported")
    assert "imported without its URL" in page
    assert "PATCH /notifications/ntf_imported" in page
    assert "Send a test" not in page
    assert "Switch on" not in page


def test_a_delivery_is_listed_with_its_reason_and_sent_again(
    pages: Pages, discord: FakeDiscord
) -> None:
    now = datetime.now(UTC)
    start, end = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (-2, 2))
    path = add(pages, discord, quiet_start=start, quiet_end=end, quiet_tz="UTC")
    pages.world.send(online(User("1", "ann", "Ann")))
    wait_for(lambda: f"quiet hours until {end}" in pages.get(path))

    found = re.search(rf'action="({path}/deliveries/dlv_\w+/retry)"', pages.get(path))
    assert found
    pages.post(found[1])

    wait_for(lambda: "Delivered" in pages.get(path))
    assert "Ann is live" in discord.messages["1"]


def test_deliveries_have_the_times_of_the_visitors_zone_as_other_pages(
    pages: Pages, discord: FakeDiscord
) -> None:
    path = add(pages, discord)
    pages.world.client.set_cookie("timezone", "Asia/Tokyo", path="/dashboard")
    pages.post(f"{path}/test")

    found = re.search(r'<time datetime="([^"]+)"[^>]*>([^<]+)</time>', pages.get(path))
    assert found
    made_at = datetime.fromisoformat(found[1]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert found[2] == f"{made_at:%-d %b %Y, %H:%M}"
