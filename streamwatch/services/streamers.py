"""Adds, removes and lists monitored streamers."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from streamwatch.domain.batches import batched
from streamwatch.domain.models import Streamer, User
from streamwatch.domain.observations import Removed, SeenNames, TagsReplaced
from streamwatch.domain.positions import Position, first
from streamwatch.domain.progress import Progress, no_progress
from streamwatch.domain.tags import normalized
from streamwatch.services.errors import AlreadyRunning, NotMonitored, UnknownUser
from streamwatch.services.ingestion.poller import REFRESH, Poller
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.ingestion.streamer_recorder import RecordedStreamer, StreamerRecorder
from streamwatch.services.subscriptions.reconcile import RECONCILE, Subscriptions
from streamwatch.services.twitch_batches import call_in_batches
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import (
    MAX_IDS_PER_CALL,
    Twitch,
    TwitchDenied,
    TwitchError,
    TwitchNotConfigured,
)

log = logging.getLogger(__name__)

_ADDED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Added:
    """A monitored streamer; `created` says whether they were not monitored before."""

    streamer: Streamer
    created: bool


@dataclass(slots=True)
class BulkAdded:
    """The logins of a bulk addition by result. `failed` are those for which the request to Twitch
    failed, or its response was malformed, and those that another monitored streamer has."""

    added: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Streamers:
    """The monitored streamers."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        subscriptions: Subscriptions,
        poller: Poller,
        recorder: ObservationRecorder,
        clock: Callable[[], datetime],
        on_added: Callable[[Collection[str]], None] | None = None,
    ) -> None:
        """`on_added` is called with the user ids of streamers who were added."""
        self._on_added = on_added or (lambda _user_ids: None)
        self._storage = storage
        self._twitch = twitch
        self._subscriptions = subscriptions
        self._poller = poller
        self._clock = clock
        self._recorder = recorder
        self._streamer_recorder = StreamerRecorder(storage)

    def all(self, tag: str | None = None) -> list[Streamer]:
        """All monitored streamers, or those with `tag`, the newest first."""
        streamers = self._storage.streamers()
        return [streamer for streamer in streamers if tag is None or tag in streamer.tags]

    def page(
        self, limit: int, after: Position | None = None, tag: str | None = None
    ) -> list[Streamer]:
        """The newest `limit` monitored streamers, or those with `tag`; with `after`, those that
        come later in this order."""
        return first(self.all(tag), limit, after)

    def find(self, login: str) -> Streamer | None:
        """The monitored streamer with this login (any case)."""
        return self._storage.find_streamers([login.lower()]).get(login.lower())

    def add(self, login: str) -> Added:
        """Monitor the user with this login (any case), subscribe, and poll whether they are live.

        Raises UnknownUser, TwitchError if the user cannot be looked up, and NotMonitored if the
        streamer is removed meanwhile. If Twitch fails after the look-up, the streamer is monitored
        and the worker repeats the failed step.
        """
        login = login.lower()
        known = self.find(login)
        if known is not None:
            return Added(known, created=False)
        asked_at = self._clock()
        users = self._twitch.users(logins=[login]).users
        asked_at = min(asked_at, self._clock())  # the answer may have set the clock back
        if not users:
            raise UnknownUser(login)
        created = self._monitor(users, asked_at)
        user_id = users[0].user_id
        if created:
            self._initialize(user_id)
        streamer = self._storage.streamers_by_id([user_id]).get(user_id)
        if streamer is None:  # removed meanwhile
            raise NotMonitored(login)
        return Added(streamer, created=bool(created))

    def add_many(
        self,
        logins: Iterable[str],
        tags: Collection[str] = (),
        progress: Progress = no_progress,
    ) -> BulkAdded:
        """Monitor many streamers with few calls to Twitch. The worker subscribes and polls who is
        live within seconds. New streamers get `tags`. `progress` is called with the number of
        processed logins and the number of all logins.

        Raises InvalidTags, and TwitchDenied or TwitchNotConfigured if nobody could be looked up
        because of it.
        """
        result = self.add_without_jobs(logins, tags, progress)
        self._request_jobs(result)
        return result

    def _request_jobs(self, result: BulkAdded) -> None:
        if result.added:
            self._storage.coordination.request_job(RECONCILE)
            self._storage.coordination.request_job(REFRESH)

    def add_without_jobs(
        self,
        logins: Iterable[str],
        tags: Collection[str] = (),
        progress: Progress = no_progress,
    ) -> BulkAdded:
        """Monitor many streamers, without requesting the jobs that subscribe and poll. For callers
        that know that the jobs will run soon."""
        given = normalized(tags)
        requested = list(dict.fromkeys(login.lower() for login in logins))
        result = BulkAdded()
        known = self._storage.find_streamers(requested)
        result.existing = [login for login in requested if login in known]
        new = [login for login in requested if login not in known]
        done, has_answered = len(result.existing), False
        progress(done, len(requested))
        for batch in batched(new, MAX_IDS_PER_CALL):
            try:
                self._add_batch(batch, given, result)
                has_answered = True
            except TwitchError as error:
                if isinstance(error, TwitchDenied | TwitchNotConfigured) and not has_answered:
                    raise  # Twitch will answer for no other batch either
                log.warning("Could not add %d streamers: %s", len(batch), error)
                result.failed += batch
            done += len(batch)
            progress(done, len(requested))
        return result

    def add_known(self, streamers: Sequence[Streamer]) -> BulkAdded:
        """Monitor streamers whose ids and names are known, without asking Twitch for them. The
        worker subscribes and polls who is live within seconds. Streamers who are monitored already
        do not change; a login that another of them has fails: the names may be outdated."""
        result = BulkAdded()
        for batch in batched(streamers, _ADDED_AT_ONCE):
            known = self._storage.find_streamers([streamer.login for streamer in batch])
            owners = {login: streamer.user_id for login, streamer in known.items()}
            usable = [
                streamer
                for streamer in batch
                if owners.setdefault(streamer.login, streamer.user_id) == streamer.user_id
            ]
            created = self._storage.add_streamers(usable)
            if created:
                self._on_added(created)
            for streamer in usable:
                outcome = result.added if streamer.user_id in created else result.existing
                outcome.append(streamer.login)
            result.failed += [streamer.login for streamer in batch if streamer not in usable]
        self._request_jobs(result)
        return result

    def set_tags(self, login: str, tags: Collection[str]) -> Streamer:
        """Replace the tags of a streamer, and return the record. Raises InvalidTags and
        NotMonitored."""
        given, known = normalized(tags), self.find(login)
        if known is None:
            raise NotMonitored(login.lower())
        [recorded] = self._streamer_recorder.record([TagsReplaced(known.user_id, given)])
        streamer = recorded.after or recorded.before
        if streamer is None:  # removed meanwhile
            raise NotMonitored(login.lower())
        return streamer

    def remove(self, login: str) -> Streamer:
        """Stop monitoring a streamer: delete the record, the live status and the subscriptions. The
        history remains.

        Raises NotMonitored. If Twitch does not delete a subscription now, the next reconciliation
        does.
        """
        login = login.lower()
        known = self.find(login)
        if known is None:
            raise NotMonitored(login)
        # Before the removal too: a failure between the two would leave the session open for ever.
        self._record_removal(known)
        removed = self._storage.remove_streamer(known.user_id)
        if removed is None:
            raise NotMonitored(login)
        self._record_removal(removed)
        try:
            self._subscriptions.delete(removed)
        except TwitchError as error:
            log.warning("The subscriptions of %s could not be deleted yet: %s", login, error)
            self._storage.coordination.request_job(RECONCILE)
        log.info("Removed streamer: %s", login)
        return removed

    def _record_removal(self, streamer: Streamer) -> None:
        names = streamer.login, streamer.display_name
        self._recorder.record([Removed(streamer.user_id, *names, self._clock())])

    def _add_batch(self, logins: list[str], tags: tuple[str, ...], result: BulkAdded) -> None:
        asked_at = self._clock()
        answer = self._twitch.users(logins=logins)
        created = self._monitor(answer.users, min(asked_at, self._clock()), tags)
        found = {user.login: user.user_id for user in answer.users}
        for login in logins:
            if login in answer.unreadable:
                result.failed.append(login)
            elif login not in found:
                result.not_found.append(login)
            elif found[login] in created:
                result.added.append(login)
            else:
                result.existing.append(login)

    def _monitor(self, users: Sequence[User], at: datetime, tags: tuple[str, ...] = ()) -> set[str]:
        """Add `users`, whose names were requested at `at`, to the monitored streamers. Returns the
        ids of those who were new. The names of the others are updated."""
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
                    tags=tags,
                )
                for user in users
            ]
        )
        for user in users:
            if user.user_id in created:
                log.info("Added streamer: %s", user.login)
        self._record_names(users, at)
        if created:
            self._on_added(created)
        return created

    def update_names(self, min_age: timedelta = timedelta(0)) -> int:
        """Update the names of the streamers from Twitch who were added at least `min_age` ago.
        Returns how many had changed.

        A batch that Twitch does not answer, or refuses, changes nothing. Raises TwitchError as
        `call_in_batches` does.
        """
        latest = self._clock() - min_age
        streamers = self._storage.streamers()
        user_ids = [streamer.user_id for streamer in streamers if streamer.added_at <= latest]
        return call_in_batches("Updating the names", user_ids, self._update_names).total

    def _update_names(self, user_ids: Collection[str]) -> int:
        asked_at = self._clock()
        users = self._twitch.users(user_ids=user_ids).users
        return self._record_names(users, min(asked_at, self._clock()))

    def _record_names(self, users: Iterable[User], at: datetime) -> int:
        """Record the names of `users`, requested at `at`. Returns how many monitored streamers had
        other names before."""
        names = [
            SeenNames(user.user_id, user.login, user.display_name, at, user.profile_image_url)
            for user in users
        ]
        recorded = self._streamer_recorder.record(names)
        self._recorder.record(names)
        return sum(_is_renamed(result) for result in recorded)

    def _initialize(self, user_id: str) -> None:
        """Subscribe to a new streamer's events, and poll whether they are live. The poll runs even
        if the subscriptions fail."""
        try:
            self._subscriptions.ensure(self._storage.streamers_by_id([user_id]).values())
        except (TwitchError, AlreadyRunning) as error:
            log.warning("Subscribing to a new streamer failed and will be repeated: %s", error)
            self._storage.coordination.request_job(RECONCILE)
        try:
            self._poller.poll_now([user_id])
        except TwitchError as error:
            log.warning("Polling a new streamer failed and will be repeated: %s", error)
            self._storage.coordination.request_job(REFRESH)


def _is_renamed(recorded: RecordedStreamer) -> bool:
    before, after = recorded.before, recorded.after
    if before is None or after is None:
        return False
    return (before.login, before.display_name) != (after.login, after.display_name)
