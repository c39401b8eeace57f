import itertools
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.notifications.models import TEST, DeliveryStatus, SendResult
from streamwatch.domain.notifications.retries import after_attempt, restarted
from tests.notifications.build import START, at, delivery, online

REFUSED = SendResult(delivered=False, detail="the receiver answered 500", status_code=500)
PENDING, DELIVERED, FAILED = (
    DeliveryStatus.PENDING,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.FAILED,
)


def attempts(jitter: float) -> list[float]:
    """When a delivery whose attempts all fail is attempted, in seconds from the first attempt."""
    waiting, now, times = delivery(online()), START, []
    while waiting.status is PENDING:
        times.append((now - START).total_seconds())
        waiting = after_attempt(waiting, REFUSED, now, lambda: jitter)
        now = waiting.next_attempt_at or now
    assert waiting.status is FAILED
    assert waiting.attempts == len(times)
    return times


def test_attempts_follow_the_schedule_and_end_after_five_days() -> None:
    times = attempts(jitter=0)

    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps[:7] == [5, 60, 300, 1800, 7200, 18000, 36000]
    assert set(gaps[7:]) == {86400}
    assert times[-1] <= 5 * 86400
    assert times[-1] > 4 * 86400


@given(st.floats(0, 1))
def test_jitter_makes_a_delay_longer_by_a_tenth_at_most(jitter: float) -> None:
    failed = after_attempt(delivery(online()), REFUSED, START, lambda: jitter)

    assert failed.next_attempt_at is not None
    assert at(5) <= failed.next_attempt_at <= at(5.5)


@given(st.floats(0, 100_000))
def test_retry_after_counts_up_to_an_hour_where_it_is_later(retry_after: float) -> None:
    asked = replace(REFUSED, retry_after=retry_after)

    failed = after_attempt(delivery(online()), asked, START, lambda: 0)

    assert failed.next_attempt_at is not None
    waited = (failed.next_attempt_at - START).total_seconds()
    assert abs(waited - max(5, min(retry_after, 3600))) < 1e-5


def test_a_success_ends_a_delivery() -> None:
    failed = after_attempt(delivery(online()), REFUSED, START, lambda: 0)
    done = after_attempt(failed, SendResult(True, "ok", 204), at(5), lambda: 0)

    assert (done.status, done.attempts, done.status_code, done.error) == (DELIVERED, 2, 204, None)
    assert (done.delivered_at, done.next_attempt_at) == (at(5), None)


def test_a_receiver_that_is_gone_is_not_tried_again() -> None:
    gone = replace(REFUSED, status_code=410, is_gone=True)

    assert after_attempt(delivery(online()), gone, START, lambda: 0).status is FAILED


def test_a_final_failure_is_not_tried_again() -> None:
    final = replace(REFUSED, is_final=True)

    assert after_attempt(delivery(online()), final, START, lambda: 0).status is FAILED


def test_a_test_is_attempted_once() -> None:
    tried = after_attempt(delivery(online(), event_type=TEST), REFUSED, START, lambda: 0)

    assert (tried.status, tried.error) == (FAILED, "the receiver answered 500")


def test_a_delivery_leaves_its_lane_when_its_next_attempt_is_later_than_an_hour() -> None:
    failing = replace(delivery(online()), attempts=3, first_attempt_at=START)

    stays = after_attempt(failing, REFUSED, at(1800), lambda: 0)
    leaves = after_attempt(failing, REFUSED, at(1801), lambda: 0)

    assert stays.next_attempt_at == at(3600)
    assert stays.lane == failing.lane
    assert leaves.lane == f"{failing.lane}/{failing.id}"


def test_sending_again_begins_the_attempts_anew() -> None:
    given_up = after_attempt(
        replace(delivery(online()), first_attempt_at=at(-5 * 86400)), REFUSED, START, lambda: 0
    )
    assert given_up.status is FAILED

    again = after_attempt(restarted(given_up, at(60)), REFUSED, at(60), lambda: 0)

    assert (again.status, again.attempts) == (PENDING, 1)
    assert again.next_attempt_at == at(60) + timedelta(seconds=5)


@given(st.text(max_size=2000))
def test_a_long_answer_is_cut(detail: str) -> None:
    failed = after_attempt(
        delivery(online()), SendResult(delivered=False, detail=detail), START, lambda: 0
    )

    assert len(failed.error or "") <= 500
