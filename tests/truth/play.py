"""Plays a true history against the real services, with the analytics in memory."""

import heapq
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.bootstrap import assemble
from streamwatch.domain.eventsub import EventSubError
from streamwatch.domain.models import EventType, StreamEvent, User
from streamwatch.services.clock import CorrectedClock
from streamwatch.services.errors import NotMonitored
from streamwatch.settings import Settings
from streamwatch.storage.base import Storage
from streamwatch.storage.memory import MemoryStorage
from tests import messages
from tests.messages import CALLBACK, SECRET
from tests.truth.plans import Delivery, Plan, TitlePlan
from tests.truth.world import USER_ID, FaultyTwitch, Segment, Time, Truth, at

SETTLE = 6000.0
"""Seconds of healthy polls after the last change, so that everything that can be found is found."""


class Play:
    """The services after a history was played. `delivered` are the messages that were accepted: the
    segment and the type of each, by message id."""

    def __init__(
        self,
        plan: Plan,
        check: Callable[["Play"], None] = lambda play: None,
        storage: Storage | None = None,
    ) -> None:
        """`check` is called after each action. The default storage is in memory."""
        self.truth = Truth(plan)
        self.plan = plan
        self.time = Time(plan.clock_error)
        clock = CorrectedClock(self.time.ours)
        self.twitch = FaultyTwitch(self.truth, self.time, clock)
        self.storage = storage or MemoryStorage(10_000, clock=lambda: self.time.now)
        self.analytics = MemoryAnalytics(timedelta(minutes=10))
        settings = Settings(
            webhook_url=CALLBACK, webhook_secrets=(SECRET,), refresh_seconds=plan.refresh
        )
        self.services = assemble(settings, self.storage, self.twitch, self.analytics, clock)
        self.delivered: dict[str, tuple[Segment, EventType]] = {}
        self.seen_live: list[tuple[float, str]] = []
        self.feed_events: dict[str, StreamEvent] = {}
        self._check = check
        self._order = count()
        self._actions: list[tuple[float, int, Callable[[], object]]] = []

    @property
    def login(self) -> str:
        return self.truth.login(self.time.now)

    def run(self) -> "Play":
        self.services.streamers.add(self.login)
        self._plan_messages()
        self._plan_jobs()
        while self._actions:
            self.time.now, _, action = heapq.heappop(self._actions)
            action()
            if not self.plan.project_late:
                self.services.projector.run_once()
            self._check(self)
        while self.services.projector.run_once():
            pass
        return self

    def history(self) -> list[StreamEvent]:
        """The history of the streamer, the oldest event first."""
        return self.storage.events(10_000)[::-1]

    def _at(self, seconds: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._actions, (seconds, next(self._order), action))

    def _plan_messages(self) -> None:
        if not self.plan.has_webhook:
            return
        for segment in self.truth.segments:
            self._plan_copies(segment, EventType.ONLINE, segment.online_at, segment.plan.online)
            if segment.end < float("inf"):
                self._plan_copies(segment, EventType.OFFLINE, segment.end, segment.plan.offline)
        for number, title in enumerate(self.plan.titles):
            self._plan_update(number, title)

    def _plan_update(self, number: int, title: TitlePlan) -> None:
        sent = self.truth.title_time(number)
        if self.truth.is_removed(sent):
            return  # there was no subscription
        for copy, delay in enumerate(title.message.delays):
            later = 0 if title.message.same_id else copy
            message_id = f"u-{number}-{later}"
            self._at(
                sent + later + delay, partial(self._update, title.title, sent + later, message_id)
            )

    def _update(self, title: str, sent: float, message_id: str) -> None:
        login = self.truth.login(sent)
        message = messages.update(
            User(USER_ID, login, login.title()),
            title,
            ("1", "Chess"),
            message_id=message_id,
            at=at(sent),
        )
        try:
            self.services.receiver.receive(message.headers, message.body)
        except EventSubError:
            return  # our clock is too far off: lost

    def _plan_copies(
        self, segment: Segment, event_type: EventType, sent: float, delivery: Delivery
    ) -> None:
        if self.truth.is_removed(sent):
            return  # there was no subscription
        for number, delay in enumerate(delivery.delays):
            copy = 0 if delivery.same_id else number
            deliver = partial(self._deliver, segment, event_type, sent + copy, copy)
            self._at(sent + copy + delay, deliver)

    def _deliver(self, segment: Segment, event_type: EventType, sent: float, copy: int) -> None:
        message_id = f"m-{segment.number}-{event_type}-{copy}"
        login = self.truth.login(sent)
        user = User(USER_ID, login, login.title())
        if event_type is EventType.ONLINE:
            message = messages.online(
                user,
                segment.stream_id,
                started_at=at(segment.named_start),
                stream_type=segment.plan.type,
                message_id=message_id,
                at=at(sent),
            )
        else:
            stream_id = segment.stream_id if segment.plan.names_offline else None
            message = messages.offline(user, stream_id, message_id=message_id, at=at(sent))
        try:
            self.services.receiver.receive(message.headers, message.body)
        except EventSubError:
            return  # our clock is too far off: lost
        self.delivered[message_id] = segment, event_type
        for seconds in (2, 10):
            self._at(self.time.now + seconds, partial(self._work, self._fetch_details))

    def _plan_jobs(self) -> None:
        truth, end = self.truth, self.truth.length + SETTLE
        now = self.plan.refresh * self.plan.refresh_phase
        while now < end:
            self._at(now, partial(self._work, self._poll))
            now += self.plan.refresh
        for fraction in self.plan.bulk_adds:
            for seconds in (0, 2):
                self._at(truth.moment(fraction) + seconds, partial(self._work, self._poll))
        for period in self.plan.removals:
            self._at(truth.moment(period.at), self._remove)
            self._at(truth.moment(period.at) + period.seconds, self._add)
        for fraction in self.plan.renames:
            self._at(truth.moment(fraction) + 1, self.services.streamers.update_names)

    def _work(self, job: Callable[[], None]) -> None:
        if self.time.now > self.truth.length + 100 or not self.truth.is_worker_dead(self.time.now):
            job()

    def _poll(self) -> None:
        self.services.poller.poll_all()
        self._note_seen()

    def _fetch_details(self) -> None:
        self.services.poller.fetch_details()
        self._note_seen()

    def _note_seen(self) -> None:
        """Note what the answers showed of a monitored streamer."""
        if not self.truth.is_removed(self.time.now):
            self.seen_live += self.twitch.seen_live
        self.twitch.seen_live.clear()

    def _remove(self) -> None:
        try:
            self.services.streamers.remove(self.login)
        except NotMonitored:  # the name of the record is older
            [streamer] = self.services.streamers.all()
            self.services.streamers.remove(streamer.login)

    def _add(self) -> None:
        self.services.streamers.add(self.login)
        self._note_seen()
