"""Plans of true histories: what one streamer does, and what goes wrong between Twitch and us."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

MAX_HELIX_LAG = 240
"""Seconds; the rules allow for 300."""


@dataclass(frozen=True)
class Delivery:
    """The copies of one message: how many seconds late each arrives. None are lost messages. Copies
    have one message id, or each its own."""

    delays: tuple[float, ...]
    same_id: bool = True


@dataclass(frozen=True)
class StreamPlan:
    """A stream that starts `gap` seconds after the end of the one before and lasts `length`.

    One that `resumes` has the id of the one before it. Its `start_skew` is the time from the start
    that Twitch names to the timestamp of the online message.
    """

    gap: float
    length: float
    online: Delivery
    offline: Delivery
    names_offline: bool = True
    resumes: bool = False
    viewers: int = 100
    type: str = "live"
    start_skew: float = 1


@dataclass(frozen=True)
class Period:
    """A period that begins `at` a fraction of the whole history, and lasts some seconds."""

    at: float
    seconds: float


@dataclass(frozen=True)
class TitlePlan:
    """A new title `at` a fraction of the whole history, and its message. Titles can come back."""

    at: float
    title: str
    message: Delivery


@dataclass(frozen=True)
class Plan:
    """A true history. `clock_error` is our clock minus Twitch's."""

    streams: tuple[StreamPlan, ...]
    ends_live: bool = False
    refresh: int = 300
    helix_lag: float = 0
    page_gaps: tuple[Period, ...] = ()
    outages: tuple[Period, ...] = ()
    removals: tuple[Period, ...] = ()
    renames: tuple[float, ...] = ()
    titles: tuple[TitlePlan, ...] = ()
    bulk_adds: tuple[float, ...] = ()
    clock_error: float = 0
    has_webhook: bool = True
    project_late: bool = False
    refresh_phase: float = field(default=0)


DELAYS = st.sampled_from([0.2, 0.2, 0.2, 1, 5, 30, 75, 200, 400, 540])
DELIVERIES = st.builds(
    Delivery,
    st.lists(DELAYS, min_size=0, max_size=3).map(tuple),
    st.booleans(),
) | st.just(Delivery((0.2,)))
STREAMS = st.builds(
    StreamPlan,
    gap=st.sampled_from([5, 20, 40, 75, 200, 600, 1500, 4000]),
    length=st.sampled_from([10, 30, 60, 150, 400, 900, 2000, 5000]),
    online=DELIVERIES,
    offline=DELIVERIES,
    names_offline=st.booleans(),
    resumes=st.sampled_from([False, False, False, True]),
    viewers=st.sampled_from([0, 7, 100, 40_000]),
    type=st.sampled_from(["live", "live", "rerun", "premiere"]),
    start_skew=st.sampled_from([0, 1, 3, -60]),
)
FRACTIONS = st.floats(0, 1, allow_nan=False)


def periods(*seconds: float, most: int = 2) -> st.SearchStrategy[tuple[Period, ...]]:
    lengths = st.sampled_from(seconds)
    return st.lists(st.builds(Period, FRACTIONS, lengths), max_size=most).map(tuple)


TITLES = st.lists(
    st.builds(TitlePlan, FRACTIONS, st.sampled_from("ABC"), DELIVERIES), max_size=4
).map(tuple)

PLANS = st.builds(
    Plan,
    streams=st.lists(STREAMS, min_size=1, max_size=6).map(tuple),
    ends_live=st.booleans(),
    refresh=st.sampled_from([60, 300]),
    helix_lag=st.sampled_from([0, 1, 20, 90, MAX_HELIX_LAG]),
    page_gaps=periods(2, 4, 30),
    outages=periods(600, 3600, 7200),
    removals=periods(30, 600, 3000, most=1),
    renames=st.lists(FRACTIONS, max_size=1).map(tuple),
    titles=TITLES,
    bulk_adds=st.lists(FRACTIONS, max_size=2).map(tuple),
    clock_error=st.sampled_from([0, 0, 1, 60, 300, -60, -300]),
    has_webhook=st.sampled_from([True, True, True, False]),
    project_late=st.booleans(),
    refresh_phase=st.floats(0, 1),
)
