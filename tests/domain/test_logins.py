import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.logins import login_from

LOGINS = st.from_regex(r"[A-Za-z0-9_]{1,25}", fullmatch=True, alphabet=st.characters(codec="ascii"))
FORMS = ["{}", "@{}", "twitch.tv/{}", "www.twitch.tv/{}", "https://www.twitch.tv/{}/", " {}\n"]


@given(LOGINS, st.sampled_from(FORMS))
def test_a_login_is_found_in_every_form(login: str, form: str) -> None:
    assert login_from(form.format(login)) == login.lower()


def test_the_query_of_a_pasted_address_is_ignored() -> None:
    assert login_from("https://m.twitch.tv/Shroud?sr=a") == "shroud"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a b",
        "é",
        "x" * 26,
        "https://example.com/shroud",
        "twitch.tv/",
        "twitch.tv/a/videos",
    ],
)
def test_other_texts_are_no_logins(text: str) -> None:
    assert login_from(text) is None
