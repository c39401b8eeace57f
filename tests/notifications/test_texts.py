from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.documents import shown_url
from streamwatch.domain.notifications.models import (
    OFFLINE,
    ONLINE,
    UPDATE,
    StreamDetails,
    TargetKind,
)
from streamwatch.domain.notifications.texts import (
    PLACEHOLDERS,
    InvalidTemplate,
    check_template,
    cut,
    render,
    values,
)
from tests.notifications.build import offline, online, update

DETAILS = StreamDetails(title="Speedrun", category="Celeste", viewers=1234, peak=2000)


def text(
    event: StreamEvent,
    template: str | None = None,
    details: StreamDetails = DETAILS,
    lasted: timedelta | None = None,
) -> str:
    filled = values(event, event.event_type, details, lasted=lasted)
    return render(template, event, event.event_type, filled)


def test_the_default_go_live_names_streamer_category_title_and_link() -> None:
    assert text(online()) == "Ann is live: Celeste\nSpeedrun\nhttps://www.twitch.tv/ann"


def test_the_default_text_of_a_go_live_without_details_has_no_empty_parts() -> None:
    assert text(online(), details=StreamDetails()) == "Ann is live\nhttps://www.twitch.tv/ann"


def test_the_default_end_says_how_long_and_the_peak() -> None:
    assert text(offline(), lasted=timedelta(hours=3, minutes=12)) == (
        "Ann's stream has ended: it lasted 3 h 12 min, peak 2,000 viewers\n"
        "Speedrun\nhttps://www.twitch.tv/ann"
    )
    assert text(offline(), details=StreamDetails()) == (
        "Ann's stream has ended\nhttps://www.twitch.tv/ann"
    )


def test_the_default_update_says_what_changed() -> None:
    assert text(update(0, "title", "category")) == (
        "Ann changed the title and category: Celeste\nSpeedrun\nhttps://www.twitch.tv/ann"
    )
    assert text(update(0, "title", "category", "language")).startswith(
        "Ann changed the title, category and language: Celeste\n"
    )


def test_a_template_fills_every_placeholder() -> None:
    template = " | ".join(f"${name}" for name in PLACEHOLDERS)
    event = update(0, "title", previous={"title": "Before", "category_name": "Chess"})

    assert text(event, template, lasted=timedelta(minutes=59)) == (
        "Ann | Speedrun | Celeste | 1,234 | https://www.twitch.tv/ann | 59 min | 2,000 | Before"
    )


def test_unknown_names_give_an_empty_list() -> None:
    template = "[$title$category$viewers$duration$peak$previous]"

    assert text(online(), template, StreamDetails()) == "[]"
    assert text(update(0, "title", previous=None), "[$previous]") == "[]"


def test_the_previous_category_is_named_where_the_title_stayed() -> None:
    event = update(0, "category", previous={"title": "Before", "category_name": "Chess"})

    assert text(event, "$previous") == "Chess"


@pytest.mark.parametrize("template", ["", "no name", "$streamer ${title}!", "cost: 5 $$"])
def test_good_templates_are_taken(template: str) -> None:
    check_template(template)


@pytest.mark.parametrize(
    ("template", "reason"),
    [("$nobody", r"\$nobody"), ("5 $", "write \\$\\$"), ("${title", "write"), ("$Title", "Title")],
)
def test_other_templates_are_refused(template: str, reason: str) -> None:
    with pytest.raises(InvalidTemplate, match=reason):
        check_template(template)


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_template_that_is_taken_renders_whatever_streamers_write(
    template: str, title: str
) -> None:
    try:
        check_template(template)
    except InvalidTemplate:
        return
    text(online(), template, StreamDetails(title=title))
    assert text(online(), "$title", StreamDetails(title=title)) == title


@given(st.text(), st.integers(1, 50))
def test_a_text_is_cut_to_its_limit(whole: str, limit: int) -> None:
    short = cut(whole, limit)

    assert len(short) <= limit
    assert short == whole or short.endswith("…")


@pytest.mark.parametrize("event_type", [ONLINE, OFFLINE, UPDATE])
def test_values_cover_the_placeholders(event_type: str) -> None:
    event: Any = online()
    assert set(values(event, event_type, DETAILS, lasted=None)) == set(PLACEHOLDERS)


@pytest.mark.parametrize(
    ("kind", "url", "shown"),
    [
        (TargetKind.WEBHOOK, "https://a.example/in/secret", "https://a.example/in/…"),
        (TargetKind.WEBHOOK, "https://u:p@a.example:1/x?k=v", "https://…@a.example:1/…?…"),
        (TargetKind.WEBHOOK, "http://a.example", "http://a.example"),
        (TargetKind.WEBHOOK, "http://a.example/hook/", "http://a.example/…"),
        (
            TargetKind.DISCORD,
            "https://discord.com/api/webhooks/12/token",
            "https://discord.com/api/webhooks/12/…",
        ),
        (
            TargetKind.DISCORD,
            "https://u:p@proxy.example/api/webhooks/12/token",
            "https://…@proxy.example/api/webhooks/12/…",
        ),
        (TargetKind.APPRISE, "tgram://token/chat", "tgram://…"),
    ],
)
def test_urls_are_shown_without_their_secrets(kind: TargetKind, url: str, shown: str) -> None:
    assert shown_url(kind, url) == shown


@pytest.mark.parametrize("changed", ["title", "language"])
def test_the_default_update_names_the_category_only_if_it_changed(changed: str) -> None:
    assert text(update(0, changed)) == (
        f"Ann changed the {changed}\nSpeedrun\nhttps://www.twitch.tv/ann"
    )
