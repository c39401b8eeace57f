"""Backfills: past streams of streamers from Twitch's archived videos.

Checks of a streamer's videos wait in the storage's queue, and the leading worker does one after
another. A check leaves the queue when it is done, so that a crash repeats it. Repeating it
changes nothing.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from streamwatch.analytics.base import AnalyticsError, AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.models import Video
from streamwatch.domain.session_events import Kind, ProjectionInput, SessionEvent, video_event
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.videos import SkipReason, sort_videos
from streamwatch.services.errors import UnknownStreamer
from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.storage.backfills import Backfill, BackfillStatus
from streamwatch.storage.base import Storage, StorageUnavailable, Topic
from streamwatch.twitch.base import (
    Twitch,
    TwitchBusy,
    TwitchDenied,
    TwitchError,
    TwitchNotConfigured,
    TwitchRefused,
)

log = logging.getLogger(__name__)

CHECKS_AFTER_END = (timedelta(minutes=16), timedelta(hours=1), timedelta(days=1))
"""When the video of a stream is looked for after the stream's end: Twitch may list it late."""

MISSED_AFTER = timedelta(minutes=15)
"""If no refresh has run for this long, streams may have been missed."""

CALL_SECONDS, IDLE_SECONDS, RETRY_SECONDS = 0.3, 1.0, 60.0
"""The pauses after a check, while no check is due, and before a failed check is repeated."""

_MAX_SHARE = 0.5
"""The share of the rate limit that checks may use. The rest is for refreshes and other calls."""

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Due before all others."""

_REFRESH_FIRST = timedelta(minutes=1)
"""How long checks at the start wait, so that it is known by then who is live."""

_MARGIN = timedelta(days=2)
"""How far the observed start of a stream may be from that of its video."""

Names = tuple[str, str]
"""Login and display name."""


class Backfills:
    """Plans checks of archived videos, and does them."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        analytics: AnalyticsStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._queue = storage.backfills
        self._twitch = twitch
        self._analytics = analytics
        self._clock = clock

    # Planning

    def request(self, login: str) -> str:
        """Queue a streamer, who is monitored or known to the analytics, before all others. Returns
        the user id. Raises UnknownStreamer."""
        user_id = self._user_id(login)
        self._plan([user_id], _FIRST)
        return user_id

    def queue(self, user_ids: Collection[str]) -> None:
        """Queue streamers. A single one goes before the others."""
        self._plan(user_ids, _FIRST if len(user_ids) == 1 else self._clock())

    def queue_missed(self) -> None:
        """Queue all monitored streamers, if no refresh has run for MISSED_AFTER. To be called
        before the first refresh after a start."""
        last = self._storage.coordination.job_runs().get(REFRESH)
        now = self._clock()
        if last is None or now - last.started_at < MISSED_AFTER:
            return
        user_ids = [streamer.user_id for streamer in self._storage.streamers()]
        log.info("The last refresh was at %s: checking archived videos", last.started_at)
        self._plan(user_ids, now + _REFRESH_FIRST)

    def plan_after_ends(self, events: Iterable[SessionEvent]) -> None:
        """Plan the checks for the videos of the streams that ended with these events.

        A storage without room takes none: they are given up, so that the events are acknowledged,
        and the feed can be trimmed, which makes room.
        """
        checks = {
            f"{number} {event.broadcaster_id}": event.at + delay
            for event in events
            if event.kind is Kind.OFFLINE
            for number, delay in enumerate(CHECKS_AFTER_END, 1)
        }
        try:
            self._queue.plan(checks)
        except StorageUnavailable as error:
            log.warning("%d checks of archived videos could not be planned: %s", len(checks), error)

    def find(self, login: str) -> Backfill:
        """The last backfill of a streamer. Raises UnknownStreamer as `request` does."""
        user_id = self._user_id(login)
        return self.of([user_id]).get(user_id, Backfill())

    def of(self, user_ids: Collection[str]) -> dict[str, Backfill]:
        """The last backfills of these users, by user id."""
        return self._queue.find(user_ids)

    def _plan(self, user_ids: Collection[str], due: datetime) -> None:
        self._queue.save(dict.fromkeys(user_ids, Backfill(BackfillStatus.QUEUED)))
        self._queue.plan({f"0 {user_id}": due for user_id in user_ids})

    def _user_id(self, login: str) -> str:
        login = login.lower()
        monitored = self._storage.find_streamers([login]).get(login)
        if monitored is not None:
            return monitored.user_id
        known = self._analytics.find(login)
        if known is None:
            raise UnknownStreamer(login)
        return known.identity.broadcaster_id

    # Checking

    def run_next(self) -> float:
        """Do the next check that is due, with one call to Twitch for each 100 videos. Returns after
        how many seconds to call this again."""
        now = self._clock()
        pause = self._pause_for_rate_limit(now)
        if pause:
            return pause
        until = now + timedelta(seconds=RETRY_SECONDS)
        entry = self._queue.claim(now, until)
        if entry is None:
            return IDLE_SECONDS
        user_id = entry.partition(" ")[2]
        self._queue.save({user_id: Backfill(BackfillStatus.RUNNING)})
        try:
            backfill = self._check(user_id)
        except TwitchBusy as error:
            self._save_retry(user_id, str(error))
            return min(error.retry_after, RETRY_SECONDS)
        except (TwitchError, AnalyticsError) as error:
            if _is_temporary(error):
                self._save_retry(user_id, str(error))
                return CALL_SECONDS
            backfill = Backfill(BackfillStatus.FAILED, error=str(error))
            log.warning("The archived videos of user %s cannot be used: %s", user_id, error)
        except Exception:  # a defect
            self._save_retry(user_id, "an unexpected error")
            raise
        if SkipReason.RECENT in backfill.skipped:  # the end of its stream may never be reported
            self._queue.plan({f"1 {user_id}": now + CHECKS_AFTER_END[0]})
        self._queue.finish(entry, until, user_id, backfill)
        return CALL_SECONDS

    def _save_retry(self, user_id: str, error: str) -> None:
        """Store why a check failed. Its entry stays in the queue, and is due again soon."""
        self._queue.save({user_id: Backfill(BackfillStatus.QUEUED, error=error)})

    def _pause_for_rate_limit(self, now: datetime) -> float:
        """How long to wait until the rate limit has room again; 0 if it has."""
        state = self._twitch.rate_limit()
        if state is None or state.resets_at <= now:
            return 0
        if state.remaining > state.limit * (1 - _MAX_SHARE):
            return 0
        return min((state.resets_at - now).total_seconds(), RETRY_SECONDS)

    def _check(self, user_id: str) -> Backfill:
        videos = self._twitch.videos(user_id)
        status = self._storage.status(user_id)
        live_id = status.stream.id if status and status.stream else None
        found = sort_videos(videos, live_id, self._clock())
        sessions = self._sessions(user_id, found.usable)
        backfill = Backfill(
            BackfillStatus.DONE,
            found=len(videos),
            skipped={str(reason): count for reason, count in found.skipped.items()},
        )
        names = self._names(user_id, sessions)
        if names is None:
            return replace(backfill, status=BackfillStatus.FAILED, error="The user is not known.")
        events = [
            video_event(video, user_id, *names)
            for video in found.usable
            if not _is_known(video, sessions.get(video.stream_id or ""))
        ]
        if events:
            self._analytics.project(ProjectionInput(tuple(events)))
            self._storage.coordination.publish_change(Topic.ANALYTICS)
        added = {video.stream_id for video in found.usable} - sessions.keys()
        known = sum(video.stream_id in sessions for video in found.usable)
        return replace(backfill, added=len(added), known=known)

    def _sessions(self, user_id: str, videos: Sequence[Video]) -> dict[str, StreamSession]:
        """The known sessions, by stream id, since the oldest of these videos."""
        since = min((video.started_at for video in videos), default=self._clock()) - _MARGIN
        return {each.stream_id: each for each in self._analytics.each_session(user_id, since)}

    def _names(self, user_id: str, sessions: Mapping[str, StreamSession]) -> Names | None:
        """The names of a streamer: as monitored, else those of the newest session."""
        monitored = self._storage.streamers_by_id([user_id]).get(user_id)
        if monitored is not None:
            return monitored.login, monitored.display_name
        newest = next(iter(sessions.values()), None)
        if newest is None:
            newest = next(iter(self._analytics.sessions(user_id, 1)), None)
        return (newest.broadcaster_login, newest.broadcaster_name) if newest else None


def _is_known(video: Video, session: StreamSession | None) -> bool:
    """Whether the session has this video, or more of it, already."""
    known = session.video if session else None
    return (
        known is not None
        and known.started_at <= video.started_at
        and known.ended_at >= video.ended_at
    )


def _is_temporary(error: TwitchError | AnalyticsError) -> bool:
    """Whether the same check may succeed later."""
    if isinstance(error, TwitchNotConfigured | TwitchDenied | AnalyticsUnavailable):
        return True
    return not isinstance(error, TwitchRefused | AnalyticsError)
