"""The journal of the embedded analytics."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.analytics.journal import Journal
from streamwatch.domain.sessions import ProjectionInput, projection_input
from tests.domain.build import online


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "analytics.jsonl"


def went_on(number: int) -> ProjectionInput:
    return projection_input([online(f"s{number}", number, message_id=f"m{number}").event], None)


def test_what_was_kept_is_read_by_another_process_from_any_place(file: Path) -> None:
    Journal(file).append(went_on(1), 0)
    place, first = Journal(file).after(0)
    assert first == went_on(1)
    Journal(file).append(went_on(2), place)
    assert Journal(file).after(place)[1].events == went_on(2).events
    assert len(Journal(file).after(0)[1].events) == 2
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("lost", [1, 20])
def test_a_line_that_was_cut_off_by_a_crash_makes_room_for_the_next(file: Path, lost: int) -> None:
    journal = Journal(file)
    journal.append(went_on(1), 0)
    kept = file.read_bytes()
    journal.append(went_on(2), 0)
    file.write_bytes(file.read_bytes()[:-lost])
    assert journal.after(0) == (len(kept), went_on(1))
    journal.append(went_on(3), 0)
    assert [fact.stream_id for fact in journal.after(0)[1].events] == ["s1", "s3"]


def test_what_is_written_at_once_is_all_kept(file: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: Journal(file).append(went_on(number), 0), range(64)))
    assert len(Journal(file).after(0)[1].events) == 64


def test_a_journal_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(AnalyticsUnavailable):
        Journal(tmp_path / "data" / "analytics.jsonl").after(0)
