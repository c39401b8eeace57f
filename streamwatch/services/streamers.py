"""The monitored streamers: added, removed, listed."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from streamwatch.domain.batches import batched
from streamwatch.domain.models import Streamer, User
from streamwatch.domain.observations import Removed, SeenNames
from streamwatch.services.errors import NotMonitored, UnknownUser
from streamwatch.services.ingestion.poller import REFRESH, Poller
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.ingestion.streamer_recorder import RecordedStreamer, StreamerRecorder
from streamwatch.services.subscriptions.reconcile import RECONCILE, Subscriptions
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import MAX_IDS_PER_CALL, Twitch, TwitchError, TwitchNotConfigured

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Added:
    """A monitored streamer; `created` says whether they were not monitored before."""

    streamer: Streamer
    created: bool


@dataclass(slots=True)
class BulkAdded:
    """What came of each login: `failed` are those of whom Twitch could not be asked."""

    added: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Streamers:
    """Who is monitored."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        subscriptions: Subscriptions,
        refresh: Poller,
        recorder: ObservationRecorder,
        clock: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._twitch = twitch
        self._subscriptions = subscriptions
        self._refresh = refresh
        self._clock = clock
        self._recorder = recorder
        self._streamer_recorder = StreamerRecorder(storage)

    def all(self) -> list[Streamer]:
        """All monitored streamers, the newest first."""
        return self._storage.streamers()

    def find(self, login: str) -> Streamer | None:
        """The monitored streamer with this login (any case)."""
        return self._storage.find_streamers([login.lower()]).get(login.lower())

    def add(self, login: str) -> Added:
        """Monitor the user with this login (any case), subscribe, and see whether they are live.

        Raises UnknownUser, and TwitchError where Twitch could not say who that is. What fails after
        that leaves them monitored: the worker mends it.
        """
        login = login.lower()
        known = self._storage.find_streamers([login]).get(login)
        if known is not None:
            return Added(known, created=False)
        asked_at = self._clock()
        users = self._twitch.users(logins=[login])
        asked_at = min(asked_at, self._clock())  # the answer may have set the clock back
        if not users:
            raise UnknownUser(login)
        created = self._monitor(users, asked_at)
        user_id = users[0].user_id
        if created:
            self._initialize(user_id)
        return Added(self._storage.streamers_by_id([user_id])[user_id], created=bool(created))

    def add_many(self, logins: Iterable[str]) -> BulkAdded:
        """Monitor many, in as few calls to Twitch as it allows. The worker subscribes and looks who
        is live within seconds."""
        result = self.add_without_jobs(logins)
        if result.added:
            self._storage.coordination.request_job(RECONCILE)
            self._storage.coordination.request_job(REFRESH)
        return result

    def add_without_jobs(self, logins: Iterable[str]) -> BulkAdded:
        """Monitor many, and leave subscriptions and live data to jobs that run anyway."""
        wanted = list(dict.fromkeys(login.lower() for login in logins))
        result = BulkAdded()
        known = self._storage.find_streamers(wanted)
        result.existing = [login for login in wanted if login in known]
        for batch in batched([login for login in wanted if login not in known], MAX_IDS_PER_CALL):
            self._add_batch(batch, result)
        return result

    def remove(self, login: str) -> Streamer:
        """Stop monitoring. Both subscriptions and the live status go, the history stays.

        Raises NotMonitored. A subscription that Twitch does not let go now is a stray that the
        next reconciliation deletes.
        """
        login = login.lower()
        known = self._storage.find_streamers([login]).get(login)
        removed = self._storage.remove_streamer(known.user_id) if known else None
        if removed is None:
            raise NotMonitored(login)
        names = removed.login, removed.display_name
        self._recorder.record([Removed(removed.user_id, *names, self._clock())])
        try:
            self._subscriptions.delete(removed)
        except TwitchError as error:
            log.warning("Subscriptions of %s stay for now: %s", login, error)
            self._storage.coordination.request_job(RECONCILE)
        log.info("Removed streamer: %s", login)
        return removed

    def _add_batch(self, logins: list[str], result: BulkAdded) -> None:
        asked_at = self._clock()
        try:
            users = self._twitch.users(logins=logins)
        except TwitchNotConfigured:
            raise
        except TwitchError as error:
            log.warning("Could not add %d streamers: %s", len(logins), error)
            result.failed += logins
            return
        created = self._monitor(users, min(asked_at, self._clock()))
        found = {user.login: user.user_id for user in users}
        for login in logins:
            if login not in found:
                result.not_found.append(login)
            elif found[login] in created:
                result.added.append(login)
            else:
                result.existing.append(login)

    def _monitor(self, users: list[User], at: datetime) -> set[str]:
        """Store `users`, whose names were asked for at `at`, as monitored. Returns the ids of those
        who were not monitored before; the others get the names that they have now."""
        now = self._clock()
        created = self._storage.add_streamers(
            [
                Streamer(
                    user.user_id,
                    user.login,
                    user.display_name,
                    now,
                    named_at=at,
                    profile_image_url=user.profile_image_url,
                )
                for user in users
            ]
        )
        for user in users:
            if user.user_id in created:
                log.info("Added streamer: %s", user.login)
        self._record_names(users, at)
        return created

    def update_names(self) -> int:
        """Ask Twitch for the names of all who are monitored; how many had changed."""
        renamed = 0
        for batch in batched(self._storage.streamers(), MAX_IDS_PER_CALL):
            asked_at = self._clock()
            users = self._twitch.users(user_ids=[streamer.user_id for streamer in batch])
            asked_at = min(asked_at, self._clock())
            renamed += self._record_names(users, asked_at)
        return renamed

    def _record_names(self, users: Iterable[User], at: datetime) -> int:
        """Record the names of the monitored among `users`, asked for at `at`. Returns how many had
        other names before."""
        names = [
            SeenNames(user.user_id, user.login, user.display_name, at, user.profile_image_url)
            for user in users
        ]
        recorded = self._streamer_recorder.record(names)
        self._recorder.record(names)
        return sum(_is_renamed(result) for result in recorded)

    def _initialize(self, user_id: str) -> None:
        """What makes a new streamer complete: subscriptions, and whether they are live. One does
        not wait for the other: without room for subscriptions they are polled."""
        try:
            self._subscriptions.ensure(self._storage.streamers_by_id([user_id]).values())
        except TwitchError as error:
            log.warning("A new streamer is not subscribed to yet: %s", error)
            self._storage.coordination.request_job(RECONCILE)
        try:
            self._refresh.poll_now([user_id])
        except TwitchError as error:
            log.warning("A new streamer's status is not known yet: %s", error)
            self._storage.coordination.request_job(REFRESH)


def _is_renamed(recorded: RecordedStreamer) -> bool:
    before, after = recorded.before, recorded.after
    if before is None or after is None:
        return False
    return (before.login, before.display_name) != (after.login, after.display_name)
