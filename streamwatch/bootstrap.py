"""Builds the services that the settings ask for: the only place that names concrete adapters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from streamwatch.analytics import open_analytics
from streamwatch.analytics.base import AnalyticsStore
from streamwatch.leadership import holder_name
from streamwatch.services.audience import Audience
from streamwatch.services.diagnostics import Diagnostics
from streamwatch.services.figures import FiguresOf, helix_count
from streamwatch.services.health import HealthCheck
from streamwatch.services.history import History
from streamwatch.services.ingest import Ingest
from streamwatch.services.limits import Limits
from streamwatch.services.live_push import LivePush
from streamwatch.services.observer import Observer
from streamwatch.services.overview import LiveOverview
from streamwatch.services.performance import Performance
from streamwatch.services.projector import Projector
from streamwatch.services.refresh import Refresh
from streamwatch.services.reports import ANALYTICS, Reports
from streamwatch.services.set_aside import SetAsideEntries
from streamwatch.services.shared_counts import HELIX, MESSAGES, SharedCounts
from streamwatch.services.statuses import Statuses
from streamwatch.services.streamers import Streamers
from streamwatch.services.subscriptions import Subscriptions
from streamwatch.settings import Settings
from streamwatch.storage import open_storage
from streamwatch.storage.base import Storage
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import Twitch
from streamwatch.twitch.helix import Helix


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a blueprint, a job or a command can call."""

    settings: Settings
    storage: Storage
    twitch: Twitch
    analytics: AnalyticsStore
    ingest: Ingest
    streamers: Streamers
    statuses: Statuses
    history: History
    refresh: Refresh
    subscriptions: Subscriptions
    health: HealthCheck
    live_push: LivePush
    overview: LiveOverview
    audience: Audience
    performance: Performance
    reports: Reports
    limits: Limits
    messages: SharedCounts
    calls: SharedCounts
    diagnostics: Diagnostics
    figures: FiguresOf
    projector: Projector
    set_aside: SetAsideEntries

    def close(self) -> None:
        """Tell what was counted, and let go of connections."""
        self.live_push.close()
        self.messages.close()
        self.calls.close()
        self.storage.close()
        self.analytics.close()


def _now() -> datetime:
    return datetime.now(UTC)


def build(settings: Settings) -> Services:
    """The services on the backends that `settings` name. Nothing is connected to yet.

    Raises SettingsError for a backend that does not exist.
    """
    storage = open_storage(settings)
    calls = SharedCounts(storage.coordination, HELIX)

    def count(method: str, path: str, status: int) -> None:
        calls.count(helix_count(method, path, status))

    helix = Helix.from_settings(settings, storage.coordination, count)
    return assemble(settings, storage, helix, open_analytics(settings), calls=calls)


def twitch_with_own_token(settings: Settings) -> Twitch:
    """Twitch with a token that no other process has: its first call proves the credentials."""
    return Helix.from_settings(settings, MemoryStorage().coordination)


def assemble(
    settings: Settings,
    storage: Storage,
    twitch: Twitch,
    analytics: AnalyticsStore,
    clock: Callable[[], datetime] = _now,
    calls: SharedCounts | None = None,
) -> Services:
    """The services on these adapters. `calls` counts those of `twitch`, where it does."""
    observer = Observer(storage)
    refresh = Refresh(storage, twitch, observer, clock)
    subscriptions = Subscriptions(
        storage,
        twitch,
        settings.webhook_url,
        settings.webhook_secrets,
        adopts=not settings.webhook_secret_is_new,
    )
    messages = SharedCounts(storage.coordination, MESSAGES)
    reports = Reports(analytics, storage.coordination, clock)
    return Services(
        settings=settings,
        storage=storage,
        twitch=twitch,
        analytics=analytics,
        ingest=Ingest(storage, observer, settings.webhook_secrets, clock),
        streamers=Streamers(storage, twitch, subscriptions, refresh, clock),
        statuses=Statuses(storage, twitch, settings.lookup_ttl_seconds, clock),
        history=History(storage),
        refresh=refresh,
        subscriptions=subscriptions,
        health=HealthCheck(storage, analytics, clock),
        live_push=LivePush(storage, capacity=max(1, settings.web_threads // 2)),
        overview=LiveOverview(storage),
        audience=Audience(analytics, clock),
        performance=Performance(reports, analytics, clock),
        reports=reports,
        limits=Limits(
            storage.coordination,
            settings.rate_limit,
            settings.lookup_limit,
            # Live push has half of the threads; the webhook keeps a quarter for itself.
            lookups_at_once=max(1, settings.web_threads // 4),
        ),
        messages=messages,
        calls=calls or SharedCounts(storage.coordination, HELIX),
        diagnostics=Diagnostics(storage, twitch, messages),
        figures=FiguresOf(storage, clock, subscribes=settings.webhook_url is not None),
        projector=Projector(
            storage.feed,
            analytics,
            holder_name(),
            clock,
            projected=partial(storage.coordination.changed, ANALYTICS),
        ),
        set_aside=SetAsideEntries(storage.feed, analytics),
    )
