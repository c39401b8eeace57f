"""The page of all monitored streamers, and the search."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.simulator.past import SAMPLED_EVERY
from tests.application import application
from tests.dashboard.showcase import API_KEY, Showcase
from tests.dashboard.test_pages import text
from tests.fakes import FailingAnalytics

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)


@pytest.fixture
def analytics() -> FailingAnalytics:
    return FailingAnalytics(SAMPLED_EVERY)


@pytest.fixture
def showcase(analytics: FailingAnalytics) -> Showcase:
    """Four streamers: two are live, one was live yesterday, one never."""
    showcase = Showcase(analytics=analytics)
    showcase.monitor("Never", "Yesterday", "Small", "Big")
    for name, viewers in (("Small", 10), ("Big", 5000)):
        showcase.go_online(name, f"stream-{name}", minutes_ago=30)
        showcase.poll(name, viewer_count=viewers, game_name="Chess", title="Hello")
    user = showcase.twitch.known["id-yesterday"]
    showcase.past_stream(user, "past", NOW - 24 * HOUR, HOUR, 100)
    return showcase


@pytest.fixture
def client(showcase: Showcase) -> FlaskClient:
    return application(showcase.services).test_client()


def names(client: FlaskClient, query: str = "") -> list[str]:
    page = client.get(f"/dashboard/streamers{query}").text
    return re.findall(r'<th scope="row"><a class="who".*?<span>(\w+)</span></a>', page, re.DOTALL)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Big", "Small", "Yesterday", "Never"]),
        ("?state=live", ["Big", "Small"]),
        ("?state=offline", ["Yesterday", "Never"]),
        ("?state=unknown", ["Big", "Small", "Yesterday", "Never"]),
        ("?q=YEST", ["Yesterday"]),
        ("?q=nobody", []),
    ],
)
def test_streamers_are_listed_live_first_then_by_last_stream(
    client: FlaskClient, query: str, expected: list[str]
) -> None:
    assert names(client, query) == expected


def test_offline_streamer_is_listed_with_the_last_stream(client: FlaskClient) -> None:
    shown = text(client, "/dashboard/streamers")
    assert "last live 23 h ago" in shown, "since its end, not since its start"
    assert "no stream seen yet" in shown
    assert "last live 23 h ago" in text(client, "/dashboard/search?q=yesterday")
    assert "last live 23 h ago" in text(client, "/dashboard/streamer/yesterday")


def test_order_by_last_stream_is_by_when_it_ended(client: FlaskClient, showcase: Showcase) -> None:
    user = showcase.twitch.known["id-never"]
    showcase.past_stream(user, "long", NOW - 30 * HOUR, 20 * HOUR, 10)
    assert names(client) == ["Big", "Small", "Never", "Yesterday"]


def test_streamers_beyond_50_are_on_further_pages(client: FlaskClient, showcase: Showcase) -> None:
    showcase.monitor(*(f"Other_{number:03}" for number in range(100)))
    assert len(names(client)) == 50
    assert "Page 1 of 3" in text(client, "/dashboard/streamers")
    assert names(client, "?page=3")[-1] == "Other_099"


def test_usual_time_is_shown(client: FlaskClient, showcase: Showcase) -> None:
    user = showcase.twitch.known["id-never"]
    tuesday = (NOW - timedelta(days=(NOW.weekday() - 1) % 7 or 7)).replace(
        hour=19, minute=2, second=0, microsecond=0
    )
    for week in range(4):
        start = tuesday - timedelta(weeks=week)
        showcase.past_stream(user, f"week-{week}", start, HOUR, 10)
    assert "Tue around 19:00" in text(client, "/dashboard/streamers")


def test_streamers_are_listed_without_analytics(
    client: FlaskClient, analytics: FailingAnalytics
) -> None:
    analytics.error = AnalyticsUnavailable("down")
    assert names(client) == ["Big", "Small", "Never", "Yesterday"]


def test_search_finds_offline_streamers_categories_and_pages(client: FlaskClient) -> None:
    assert "Yesterday" in text(client, "/dashboard/search?q=yester")
    shown = text(client, "/dashboard/search?q=che")
    assert "Chess 2 live" in shown
    assert "Diagnostics" in text(client, "/dashboard/search?q=diag")
    assert "Nothing matches" in text(client, "/dashboard/search?q=zzzz")


# Tags


def save_tags(client: FlaskClient, login: str, tags: str, **query: str) -> TestResponse:
    return client.post(
        f"/dashboard/manage/streamers/{login}/tags",
        query_string=query,
        data={"tags": tags},
        headers={"Authorization": f"Bearer {API_KEY}"},
    )


def test_tags_are_shown_and_filtered_by(client: FlaskClient) -> None:
    assert "All tags" not in text(client, "/dashboard/streamers")
    save_tags(client, "big", "fps friends")
    save_tags(client, "never", "friends")
    shown = text(client, "/dashboard/streamers")
    assert "All tags fps friends" in shown
    assert names(client, "?tag=friends") == ["Big", "Never"]
    assert names(client, "?tag=fps") == ["Big"]
    assert names(client, "?tag=unknown") == []
    assert (
        "<option selected>unknown</option>" in client.get("/dashboard/streamers?tag=unknown").text
    )
    assert names(client, "?q=frie&state=offline") == ["Never"]


def test_saving_tags_leads_back_to_the_same_page_of_the_list(
    client: FlaskClient, showcase: Showcase
) -> None:
    response = save_tags(client, "big", "Friends,  fps;friends", q="b", page="2")
    assert (response.status_code, response.location) == (
        303,
        "/dashboard/manage?q=b&page=2&tagged=big",
    )
    [streamer] = showcase.storage.find_streamers(["big"]).values()
    assert streamer.tags == ("fps", "friends")


def test_a_wrong_tag_is_named_and_nothing_is_saved(client: FlaskClient) -> None:
    save_tags(client, "big", "friends")
    response = save_tags(client, "big", "fine bäd", q="i")
    assert response.status_code == 422
    assert "Tags of big not saved." in response.text
    assert "&#39;bäd&#39;: Not a tag" in response.text
    # What was typed remains, on the same page of the list.
    fields = dict(
        re.findall(r'name="tags" value="([^"]*)".*aria-label="Tags of (\w+)', response.text)
    )
    assert fields == {"fine bäd": "Big"}
    assert "/dashboard/manage/streamers/big/tags?q=i" in response.text
    assert names(client, "?tag=friends") == ["Big"]


@pytest.mark.parametrize("name", ["removed", "tagged"])
def test_a_link_to_the_streamers_page_shows_logins_alone(client: FlaskClient, name: str) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    shown = client.get(f"/dashboard/manage?{name}=big", headers=headers).text
    assert 'role="status"><p>' in shown
    shown = client.get(f"/dashboard/manage?{name}=Call+0900+123", headers=headers).text
    assert "0900" not in shown
    assert 'role="status"><p>' not in shown


def test_tags_of_a_streamer_who_is_not_monitored_are_404(client: FlaskClient) -> None:
    assert save_tags(client, "nobody", "friends").status_code == 404
