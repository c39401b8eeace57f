"""The content of the pages, also when data is missing or a backend fails."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.services.monitoring.published_metrics import publish_subscriptions
from streamwatch.services.monitoring.twitch_state import TwitchMonitor
from streamwatch.settings import EventSubTransport, Settings
from streamwatch.simulator.past import SAMPLED_EVERY
from streamwatch.storage.base import StorageUnavailable
from streamwatch.twitch.base import TwitchUnavailable
from tests.application import application
from tests.browser import PICTURES
from tests.dashboard.showcase import Showcase
from tests.fakes import FailingAnalytics, FailingStorage
from tests.messages import SECRET

HOUR = timedelta(hours=1)


def today() -> datetime:
    """The last midnight, read anew by each test: a run of all tests may go past midnight."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def storage() -> FailingStorage:
    return FailingStorage()


@pytest.fixture
def analytics() -> FailingAnalytics:
    return FailingAnalytics(SAMPLED_EVERY)


@pytest.fixture
def services(storage: FailingStorage, analytics: FailingAnalytics) -> Showcase:
    return Showcase(storage=storage, analytics=analytics)


@pytest.fixture
def client(services: Showcase) -> FlaskClient:
    return client_of(services)


def client_of(services: Showcase) -> FlaskClient:
    return application(services.services).test_client()


def text(client: FlaskClient, path: str, status: int = 200) -> str:
    """The text of a page without its tags."""
    response = client.get(path)
    assert response.status_code == status, response.text
    assert response.content_type == "text/html; charset=utf-8"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))


def found(pattern: str, page: str) -> list[str]:
    """The matches of the pattern's group, in the order of the page."""
    return [str(match[1]) for match in re.finditer(pattern, page, re.DOTALL)]


def rows(client: FlaskClient, path: str) -> list[str]:
    """The rows of a streamer's table of streams, without their tags."""
    [body] = re.findall(
        r"<caption[^>]*>Streams of the last.*?<tbody>(.*?)</tbody>",
        client.get(path).text,
        re.DOTALL,
    )
    found = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in found]


# Live now


def test_start_page_without_streamers_offers_to_add_some(
    client: FlaskClient, services: Showcase
) -> None:
    services.twitch.add_user("shroud", name="Shroud")
    assert "No streamers are monitored yet" in text(client, "/dashboard/")
    names = "@Shroud\nnobody ,not-a-login; https://www.twitch.tv/shroud"
    page = client.post("/dashboard/streamers", data={"logins": names}, follow_redirects=True)
    assert "Added:</b> shroud" in page.text
    assert "Twitch has no such user:</b> nobody" in page.text
    assert "Not a Twitch name:</b> not-a-login" in page.text
    assert "No streamer is live" in text(client, "/dashboard/")


def test_form_answers_with_a_redirect_so_that_a_reload_does_not_send_it_again(
    client: FlaskClient, services: Showcase
) -> None:
    services.twitch.add_user("shroud", name="Shroud")
    response = client.post("/dashboard/streamers", data={"logins": "shroud"})
    assert response.status_code == 303
    assert response.location == "/dashboard/?added=shroud"


def test_form_takes_1000_names_and_reports_the_others(
    client: FlaskClient, services: Showcase
) -> None:
    names = " ".join(f"name_{number}" for number in range(1001))
    page = client.post("/dashboard/streamers", data={"logins": names}, follow_redirects=True)
    assert "Beyond the limit of 1,000 names at once:</b> name_1000" in page.text
    assert "and 980 more" in page.text
    assert services.twitch.calls.count("users") == 10


@pytest.mark.parametrize(
    ("entries", "first_listed"),
    [
        ([f"{number}{'昨' * 100}" for number in range(20)], 0),
        ([f"{number}{'😀' * 100}" for number in range(20)], 0),
        ([f"https://www.twitch.tv/name_{number}?{'x' * 100}" for number in range(1030)], 1000),
    ],
)
def test_result_of_a_form_fits_into_a_url_whatever_was_typed(
    client: FlaskClient, entries: list[str], first_listed: int
) -> None:
    response = client.post("/dashboard/streamers", data={"logins": "\n".join(entries)})
    assert response.status_code == 303
    assert len(response.location) < 4_000  # gunicorn accepts a request line of 4,094 bytes
    page = client.get(response.location).text
    assert entries[first_listed][:40] in page
    assert re.search(r" and \d+ more", page)


def test_names_that_could_not_be_added_because_twitch_fails_are_listed(
    client: FlaskClient, services: Showcase
) -> None:
    services.twitch.error = TwitchUnavailable("no answer")
    page = client.post("/dashboard/streamers", data={"logins": "shroud"}, follow_redirects=True)
    assert "Twitch gave no usable answer or another streamer has the name:</b> shroud" in page.text


def test_live_stream_is_shown_with_its_details_escaped(
    client: FlaskClient, services: Showcase
) -> None:
    services.monitor("Shroud", "Other")
    services.go_online("Shroud", "s1", minutes_ago=61)
    services.poll(
        "Shroud", viewer_count=1000, title="<script>alert(1)</script>", game_name="Chess & Go"
    )
    services.poll(
        "Shroud", viewer_count=1500, title="<script>alert(1)</script>", game_name="Chess & Go"
    )
    page = client.get("/dashboard/").text
    assert "<script>alert" not in page
    shown = text(client, "/dashboard/")
    for part in (
        "Shroud",
        "1,500",
        "+50 % in 1 h",
        "1:01:0",
        str(escape("Chess & Go")),
        "went live",
    ):
        assert part in shown
    assert "of 2 monitored" in shown


def test_stream_without_details_says_that_they_follow(
    client: FlaskClient, services: Showcase
) -> None:
    services.monitor("Shroud")
    services.go_online("Shroud", "s1")
    assert "Title and category follow in a moment" in text(client, "/dashboard/")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Big", "Middle", "Small"]),
        ("?sort=name", ["Big", "Middle", "Small"]),
        ("?sort=newest", ["Small", "Middle", "Big"]),
        ("?sort=longest", ["Big", "Middle", "Small"]),
        ("?sort=unknown", ["Big", "Middle", "Small"]),
        ("?q=SPEED", ["Middle"]),
        ("?q=idd", ["Middle"]),
        ("?q=cosy", ["Small"]),
        ("?category=Chess", ["Big", "Small"]),
        ("?category=Chess&q=sm", ["Small"]),
        ("?category=chess", ["Big", "Small"]),
        ("?category=Go", []),
    ],
)
def test_live_streams_are_filtered_and_sorted_by_the_query(
    client: FlaskClient, services: Showcase, query: str, names: list[str]
) -> None:
    services.monitor("Big", "Middle", "Small")
    for number, name in enumerate(("Big", "Middle", "Small")):
        services.go_online(name, f"stream-{number}", minutes_ago=30 - number)
    services.poll("Big", viewer_count=300, game_name="Chess", title="hello")
    services.poll("Middle", viewer_count=200, game_name="Art", title="a speedrun")
    services.poll("Small", viewer_count=100, game_name="Chess", title="hello", tags=("Cosy",))
    page = client.get(f"/dashboard/{query}").text
    assert found(r"<h3><a[^>]*>(\w+)</a>", page) == names
    assert ("No stream matches" in page) is (names == [])
    # The list of categories shows the one that is in force, also if no stream has it.
    chosen = found(r'<option selected value="(\w+)">', page)
    shown = {"Chess": ["Chess"], "chess": ["Chess"], "Go": ["Go"]}
    assert chosen == shown.get(query.removeprefix("?category=").partition("&")[0], [])


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({}, "TWITCH_CLIENT_ID"),
        (
            {
                "twitch_client_id": "id",
                "twitch_client_secret": "secret",
                "eventsub_transport": EventSubTransport.NONE,
            },
            "Streams are noticed by polling alone",
        ),
    ],
)
def test_missing_settings_are_named_with_a_remedy(settings: dict[str, str], hint: str) -> None:
    services = Showcase(settings=Settings(webhook_secrets=(SECRET,), **settings))  # type: ignore[arg-type]
    assert hint in text(client_of(services), "/dashboard/")


def test_stopped_worker_is_reported(client: FlaskClient, services: Showcase) -> None:
    shown = text(client, "/dashboard/")
    assert "The worker has not started yet" in shown
    assert "streamwatch dev" in shown  # with this storage the worker is a part of it
    services.storage.coordination.heartbeat(datetime.now(UTC))
    assert "worker" not in text(client, "/dashboard/")
    services.storage.coordination.heartbeat(datetime.now(UTC) - HOUR, seconds=0)
    assert "The worker has stopped" in text(client, "/dashboard/")


@pytest.mark.parametrize(
    ("status", "sentence", "what_to_do"),
    [
        (401, "Twitch refuses the credentials", "TWITCH_CLIENT_SECRET"),
        (0, "Twitch does not answer", "Check the network of this machine"),
    ],
)
def test_failing_twitch_is_reported_with_what_to_do(
    client: FlaskClient, services: Showcase, status: int, sentence: str, what_to_do: str
) -> None:
    TwitchMonitor(services.storage.coordination).observe("/users", status)
    shown = text(client, "/dashboard/")
    assert sentence in shown
    assert what_to_do in shown
    TwitchMonitor(services.storage.coordination).observe("/users", 200)
    assert sentence not in text(client, "/dashboard/")


def test_events_that_do_not_arrive_are_reported_with_what_to_do(
    client: FlaskClient, services: Showcase
) -> None:
    publish_subscriptions(services.storage.coordination, [], 0, 10_000, 0, missing=2)
    shown = text(client, "/dashboard/")
    assert escape("Twitch's events do not arrive") in shown
    assert "within 5 min" in shown
    assert "Subscriptions" in shown


def test_live_streams_are_shown_without_analytics(
    client: FlaskClient, services: Showcase, analytics: FailingAnalytics
) -> None:
    services.monitor("Shroud")
    services.go_online("Shroud", "s1")
    services.poll("Shroud", viewer_count=1234)
    analytics.error = AnalyticsUnavailable("down")
    shown = text(client, "/dashboard/")
    assert "1,234" in shown
    assert "The analytics do not answer" in shown
    analytics.error = None
    assert "The analytics do not answer" not in text(client, "/dashboard/")


@pytest.mark.parametrize(
    "path", ["/dashboard/", "/dashboard/streamer/shroud", "/dashboard/compare"]
)
def test_page_without_storage_is_503_and_hides_the_driver_message(
    client: FlaskClient, storage: FailingStorage, path: str
) -> None:
    storage.error = StorageUnavailable("redis://:password@host is down")
    shown = text(client, path, 503)
    assert "The storage does not answer now." in shown
    assert "password" not in shown
    assert client.get(path).headers["Retry-After"] == "5"


def test_hours_watched_today_begin_at_the_visitors_midnight(
    client: FlaskClient, services: Showcase
) -> None:
    services.monitor("Shroud")
    user = services.twitch.known["id-shroud"]
    now = datetime.now(UTC)
    for number in range(6):  # an hour of 60 viewers, which began 30 hours ago
        services.past_sample(user, "s1", now - 30 * HOUR + number * SAMPLED_EVERY, 60)
    assert re.search(r"Hours watched 0 today", text(client, "/dashboard/"))
    for number in range(3):  # and one sample for each of the last half hours
        services.past_sample(user, "s2", now - timedelta(minutes=30) + number * SAMPLED_EVERY, 60)
    again = Showcase(storage=services.storage, analytics=services.analytics)
    hours = re.search(r"Hours watched ([\d.]+) today", text(client_of(again), "/dashboard/"))
    assert hours
    assert float(hours[1]) == 20 or now - today() < HOUR


# A streamer


@pytest.fixture
def past(services: Showcase) -> Showcase:
    """Streams of three days, of 10, 30 and 20 viewers, and of 1, 2 and 3 hours."""
    services.monitor("Shroud")
    user = services.twitch.known["id-shroud"]
    for days_ago, viewers, hours in (
        (1, 10, 1),
        (2, 30, 2),
        (3, 20, 3),
        (40, 100, 1),
        (400, 500, 1),
    ):
        start = today() - timedelta(days=days_ago)
        services.past_stream(user, f"stream-{days_ago}", start, hours * HOUR, viewers)
    return services


def test_statistics_of_a_period_show_the_change_from_the_period_before(
    client: FlaskClient, past: Showcase
) -> None:
    shown = text(client, "/dashboard/streamer/shroud")
    assert "Hours streamed 6 +500 % from 1" in shown
    assert "Peak viewers 30 −70 % from 100" in shown  # noqa: RUF001  the minus sign
    assert "All-time peak 500" in shown
    shown = text(client, "/dashboard/streamer/shroud?days=365")
    assert "Streams 4 +300 % from 1" in shown
    shown = text(client, "/dashboard/streamer/SHROUD?days=7")
    assert shown.count("Nothing was observed in the 7 days before") == 1
    assert "from" not in shown.split("As a table")[0].split("Last 7 days")[1]
    assert "Last 30 days" in text(client, "/dashboard/streamer/shroud?days=8")


@pytest.mark.parametrize(
    ("query", "durations"),
    [
        ("", ["1 h 00", "2 h 00", "3 h 00"]),
        ("?order=asc", ["3 h 00", "2 h 00", "1 h 00"]),
        ("?sort=duration", ["3 h 00", "2 h 00", "1 h 00"]),
        ("?sort=peak", ["2 h 00", "3 h 00", "1 h 00"]),
        ("?sort=average&order=asc", ["1 h 00", "3 h 00", "2 h 00"]),
        ("?sort=watched", ["2 h 00", "3 h 00", "1 h 00"]),
        ("?sort=nonsense", ["1 h 00", "2 h 00", "3 h 00"]),
    ],
)
def test_streams_are_sorted_by_the_query(
    client: FlaskClient, past: Showcase, query: str, durations: list[str]
) -> None:
    shown = " ".join(rows(client, f"/dashboard/streamer/shroud{query}"))
    assert found(r"(\d h \d\d)", shown) == durations


def test_streams_are_paged(client: FlaskClient, services: Showcase) -> None:
    services.monitor("Shroud")
    user = services.twitch.known["id-shroud"]
    for number in range(45):
        start = today() - timedelta(hours=12 * (number + 3))
        services.past_stream(user, f"stream-{number}", start, HOUR, 10)
    path = "/dashboard/streamer/shroud?days=90"
    assert [len(rows(client, f"{path}&page={page}")) for page in (1, 2, 3, 4, 0)] == [
        20,
        20,
        5,
        5,
        20,
    ]
    assert "Page 2 of 3" in text(client, f"{path}&page=2")
    assert "Page 1 of 3" in text(client, f"{path}&page=none")


def test_chart_shows_the_requested_stream(client: FlaskClient, past: Showcase) -> None:
    assert re.search(r'data-value="10"', client.get("/dashboard/streamer/shroud").text)
    for stream_id in ("stream-3", "stream-400"):
        page = client.get(f"/dashboard/streamer/shroud?stream={stream_id}").text
        figure = page.split('id="stream"')[1]
        assert set(found(r'data-value="(\d+)"', figure)) == {
            "20" if stream_id == "stream-3" else "500"
        }


def test_stream_whose_end_was_not_observed_is_not_observed_since_its_start(
    client: FlaskClient, services: Showcase
) -> None:
    services.monitor("Shroud")
    user = services.twitch.known["id-shroud"]
    services.past_stream(user, "s1", today() - 24 * HOUR, 10 * HOUR, 50, observed=4 * HOUR)
    shown = text(client, "/dashboard/streamer/shroud")
    assert re.search(r"4\d % of this stream was observed", shown)
    assert "observed since 00:00" not in shown


def test_a_stream_with_one_viewer_has_no_plural(client: FlaskClient, services: Showcase) -> None:
    services.monitor("Shroud")
    services.go_online("Shroud", "s1")
    services.poll("Shroud", viewer_count=1)
    assert "1 viewer ·" in text(client, "/dashboard/streamer/shroud")


def test_chosen_stream_leads_to_the_previous_and_the_next_one(
    client: FlaskClient, past: Showcase
) -> None:
    def neighbours(query: str) -> dict[str, str]:
        page = client.get(f"/dashboard/streamer/shroud{query}").text
        links = re.findall(r'rel="(prev|next)" href="[^"]*stream=([\w-]+)', page)
        return {str(rel): str(stream) for rel, stream in links}

    assert neighbours("") == {"prev": "stream-2"}
    assert neighbours("?stream=stream-40") == {"next": "stream-3", "prev": "stream-400"}
    assert neighbours("?stream=stream-400") == {"next": "stream-40"}


def test_stream_of_another_streamer_is_not_shown(client: FlaskClient, past: Showcase) -> None:
    past.monitor("Other")
    past.past_stream(past.twitch.known["id-other"], "theirs", today() - 30 * HOUR, HOUR, 777)
    assert 'data-value="777"' not in client.get("/dashboard/streamer/shroud?stream=theirs").text


def test_category_changes_are_marked_in_the_chart(client: FlaskClient, services: Showcase) -> None:
    services.monitor("Shroud")
    services.go_online("Shroud", "s1", minutes_ago=5)
    for game_id, game_name in (("1", "Chess"), ("1", "Chess"), ("2", "Go"), ("1", "Chess")):
        services.poll("Shroud", game_id=game_id, game_name=game_name)
    page = client.get("/dashboard/streamer/shroud").text
    assert found(r'data-mark="(\w+)"', page) == ["Chess", "Go", "Chess"]


def test_weekly_schedule_is_in_the_visitors_time_zone(client: FlaskClient, past: Showcase) -> None:
    def hours(page: str) -> list[str]:
        return found(r'title="\w+ (\d+):00: (?:1 h 00 min|\d\d min) live', page)

    utc = set(hours(client.get("/dashboard/streamer/shroud").text))
    assert utc
    client.set_cookie("timezone", "Asia/Tokyo")
    tokyo = client.get("/dashboard/streamer/shroud").text
    assert set(hours(tokyo)) == {str((int(hour) + 9) % 24) for hour in utc}
    assert "data-zone-name>Asia/Tokyo<" in tokyo
    for nonsense in ("../../etc/passwd", "Europe", "x", ""):
        client.set_cookie("timezone", nonsense)
        assert "data-zone-name>UTC<" in client.get("/dashboard/streamer/shroud").text


def test_streamer_without_observations_has_a_page(client: FlaskClient, services: Showcase) -> None:
    services.monitor("Shroud")
    shown = text(client, "/dashboard/streamer/shroud")
    assert "No statistics yet" in shown
    assert "no stream seen yet" in shown


def test_removed_streamer_keeps_the_page(client: FlaskClient, past: Showcase) -> None:
    past.services.streamers.remove("shroud")
    assert "no longer monitored" in text(client, "/dashboard/streamer/shroud")


def test_unknown_streamer_is_404_with_a_button_to_add(client: FlaskClient) -> None:
    shown = text(client, "/dashboard/streamer/nobody_here", 404)
    assert "nobody_here is not monitored" in shown
    assert "Add nobody_here" in shown
    assert "Back" in shown
    shown = text(client, "/dashboard/streamer/not-a-login", 404)
    assert "not-a-login is not monitored" in shown
    assert "Add not-a-login" not in shown


def test_unknown_streamer_is_added_with_one_click(client: FlaskClient, services: Showcase) -> None:
    services.twitch.add_user("shroud", name="Shroud")
    form = {"logins": "shroud", "then": "streamer"}
    response = client.post("/dashboard/streamers", data=form)
    assert response.location == "/dashboard/streamer/shroud"
    assert "Shroud" in text(client, response.location)


def test_status_of_a_streamer_is_shown_without_analytics(
    client: FlaskClient, past: Showcase, analytics: FailingAnalytics
) -> None:
    past.go_online("Shroud", "s1")
    past.poll("Shroud", viewer_count=1234)
    analytics.error = AnalyticsUnavailable("down")
    shown = text(client, "/dashboard/streamer/shroud")
    assert "1,234" in shown
    assert "The analytics do not answer" in shown


def calendar_events(data: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(data.decode()).walk("VEVENT"))


def test_calendar_lists_past_streams(client: FlaskClient, past: Showcase) -> None:
    response = client.get("/feeds/streamer/SHROUD.ics")
    assert response.content_type == "text/calendar; charset=utf-8"
    events = calendar_events(response.data)
    assert [str(event["uid"]) for event in events] == [
        f"stream-{days}@streamwatch" for days in (1, 2, 3, 40, 400)
    ]
    assert events[1]["dtstart"].dt == today() - timedelta(days=2)
    assert events[1]["dtend"].dt == today() - timedelta(days=2) + 2 * HOUR
    assert "30 viewers on average" in events[1]["description"]
    again = client.get(
        "/feeds/streamer/shroud.ics", headers={"If-None-Match": response.headers["ETag"]}
    )
    assert again.status_code == 304


def test_calendar_of_a_streamer_without_streams_is_empty(
    client: FlaskClient, services: Showcase
) -> None:
    services.monitor("Shroud")
    events = icalendar.Calendar.from_ical(client.get("/feeds/streamer/shroud.ics").data).walk(
        "VEVENT"
    )
    assert events == []
    assert client.get("/feeds/streamer/nobody.ics").status_code == 404


# Top and compare


def test_top_is_ranked_by_the_query(client: FlaskClient, services: Showcase) -> None:
    services.monitor("Long", "Loud")
    for name, hours, viewers in (("Long", 5, 10), ("Loud", 1, 100)):
        user = services.twitch.known[f"id-{name.lower()}"]
        services.past_stream(user, name, today() - 30 * HOUR, hours * HOUR, viewers)

    def first(query: str) -> str:
        return found(r'aria-label="Compare (\w+)"', client.get(f"/dashboard/top{query}").text)[0]

    assert [first(f"?by={by}") for by in ("hours", "watched", "peak", "average")] == [
        "Long", "Loud", "Loud", "Loud",
    ]  # fmt: skip
    assert first("?by=nonsense") == "Loud"


def test_top_beyond_50_is_on_further_pages(client: FlaskClient, services: Showcase) -> None:
    names = [f"Streamer_{number}" for number in range(60)]
    services.monitor(*names)
    for name in names:
        user = services.twitch.known[f"id-{name.lower()}"]
        services.past_stream(user, name, today() - 30 * HOUR, timedelta(minutes=20), 10)
    for query in ("?page=2", "?page=2&days=7"):
        assert "Page 2 of 2" in text(client, f"/dashboard/top{query}")
        assert client.get(f"/dashboard/top{query}").text.count('aria-label="Compare ') == 10


def test_top_without_statistics_says_so(client: FlaskClient) -> None:
    assert "No statistics yet" in text(client, "/dashboard/top")


@pytest.mark.parametrize("path", ["/dashboard/top", "/dashboard/compare?who=shroud&who=other"])
def test_top_and_compare_without_analytics_are_503(
    client: FlaskClient, analytics: FailingAnalytics, path: str
) -> None:
    analytics.error = AnalyticsUnavailable("mongodb://user:password@host is down")
    shown = text(client, path, 503)
    assert "The analytics do not answer now." in shown
    assert "password" not in shown


def test_streamers_are_compared_day_by_day_with_gaps(client: FlaskClient, past: Showcase) -> None:
    past.monitor("Other")
    past.past_stream(past.twitch.known["id-other"], "theirs", today() - 48 * HOUR, HOUR, 777)
    page = client.get("/dashboard/compare?who=Shroud+other&who=shroud&who=nobody&days=7").text
    assert "No data about nobody" in page
    values = found(r'data-value="([\d.]*)"', page)
    assert values == ["", ""] * 3 + ["20.00", "", "30.00", "777.00", "10.00", "", "", ""]
    hours = client.get("/dashboard/compare?who=shroud&who=other&days=7&metric=hours_streamed").text
    assert found(r'data-value="([\d.]*)"', hours)[-4:] == ["1.00", "", "", ""]


def test_links_are_pasted_into_a_comparison(client: FlaskClient, past: Showcase) -> None:
    page = client.get(
        "/dashboard/compare",
        query_string={"who": ["https://www.twitch.tv/Shroud", "https://www.twitch.tv/no/channel"]},
    ).text
    assert "No data about https://www.twitch.tv/no/channel" in page
    fields = found(r'<input name="who"([^>]*)>', page)
    assert 'value="shroud"' in fields[0]
    assert not any("maxlength" in field for field in fields)


def test_a_comparison_needs_two_streamers(client: FlaskClient, past: Showcase) -> None:
    assert "Choose at least two streamers" in text(client, "/dashboard/compare?who=shroud")
    assert "Choose at least two streamers" in text(client, "/dashboard/compare")


# Around


def test_unknown_page_is_404_with_a_way_back(client: FlaskClient) -> None:
    shown = text(client, "/dashboard/nowhere/at/all", 404)
    assert "Page not found" in shown
    assert "Back to live streams" in shown
    assert "Try again" not in shown


def test_removing_a_streamer_twice_says_that_they_are_not_monitored() -> None:
    services = Showcase(settings=Settings(webhook_secrets=(SECRET,), api_keys=("a-key-of-ten",)))
    services.monitor("Shroud")
    client = client_of(services)
    client.post("/dashboard/login", data={"key": "a-key-of-ten"})
    page = client.get("/dashboard/manage").text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    form = {"token": token[1]}
    path = "/dashboard/manage/streamers/shroud/remove"
    assert client.post(path, data=form).status_code == 303
    again = client.post(path, data=form)
    assert again.status_code == 404
    assert "Page not found" not in again.text


def test_a_form_of_another_site_is_refused_without_advice_about_keys() -> None:
    services = Showcase(settings=Settings(webhook_secrets=(SECRET,), api_keys=("a-key-of-ten",)))
    client = client_of(services)
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/dashboard/streamers", data={"logins": "shroud"}, headers=headers)
    assert answer.status_code == 403
    assert "sent by a page of another site" in answer.text
    assert "openssl" not in answer.text


def test_theme_comes_from_the_cookie(client: FlaskClient) -> None:
    assert 'data-theme="auto"' in client.get("/dashboard/").text
    client.set_cookie("theme", "dark")
    assert 'data-theme="dark"' in client.get("/dashboard/").text
    client.set_cookie("theme", '"><script>')
    assert 'data-theme="auto"' in client.get("/dashboard/").text


def test_pages_are_not_cached_and_plain_static_files_are_revalidated(client: FlaskClient) -> None:
    assert client.get("/dashboard/").headers["Cache-Control"] == "no-store"
    file = client.get("/dashboard/static/style.css", buffered=True)
    assert file.headers["Cache-Control"] == "no-cache"
    again = client.get(
        "/dashboard/static/style.css",
        headers={"If-None-Match": file.headers["ETag"]},
        buffered=True,
    )
    assert again.status_code == 304


@pytest.mark.parametrize("folder", ["", "0123456789ab/"])
def test_static_file_with_a_name_that_is_too_long_is_not_found(
    client: FlaskClient, folder: str
) -> None:
    assert client.get(f"/dashboard/static/{folder}{'a' * 300}").status_code == 404


def test_pages_load_nothing_from_other_hosts_and_have_no_inline_scripts(
    client: FlaskClient, past: Showcase
) -> None:
    for path in (
        "/dashboard/",
        "/dashboard/streamer/shroud",
        "/dashboard/top",
        "/dashboard/compare",
    ):
        response = client.get(path)
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert re.findall(rf'(?:src|<link[^>]* href)="(?!/|{PICTURES}/)', response.text) == []
        assert f"img-src 'self' {PICTURES}" in response.headers["Content-Security-Policy"]
        assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", response.text) == []
