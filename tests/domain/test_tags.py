"""The tags of streamers: which are valid, and how they are stored."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from streamwatch.domain.tags import MAX_TAGS, InvalidTags, normalized

TAGS = st.from_regex(r"[a-z0-9_-]{1,32}", fullmatch=True)


@given(st.lists(TAGS, max_size=MAX_TAGS))
def test_tags_are_sorted_each_once(tags: list[str]) -> None:
    assert list(normalized(tags)) == sorted(set(tags))


@pytest.mark.parametrize("tag", ["", "a" * 33, "Friends", "two words", "é", "a\n", "٣", "a,b"])
def test_a_text_that_is_not_a_tag_is_refused_by_name(tag: str) -> None:
    with pytest.raises(InvalidTags, match="Not a tag") as refused:
        normalized(["fine", tag])
    assert repr(tag[:64]) in str(refused.value)


def test_more_than_20_tags_are_refused() -> None:
    assert len(normalized([f"tag{number}" for number in range(20)])) == 20
    with pytest.raises(InvalidTags, match="21 tags"):
        normalized([f"tag{number}" for number in range(21)])
