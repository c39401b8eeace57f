from tests.release import problems

CHANGELOG = "# Changelog\n\n## 1.2.3 - 2026-11-30\n\n- New.\n"


def test_a_dated_version_of_a_clean_checkout_is_released() -> None:
    assert list(problems("1.2.3", CHANGELOG, "", "")) == []


def test_everything_that_is_missing_is_reported_at_once() -> None:
    found = list(problems("1.3", CHANGELOG, " M README.md", "v1.3"))
    assert len(found) == 4


def test_an_unreleased_heading_is_refused() -> None:
    [fault] = problems("1.2.3", "## 1.2.3 (unreleased)\n", "", "")
    assert "CHANGELOG.md" in fault
