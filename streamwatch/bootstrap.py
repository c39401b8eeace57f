"""Builds the services that the settings ask for: the only place that names concrete adapters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from streamwatch.analytics import open_analytics
from streamwatch.analytics.base import AnalyticsStore
from streamwatch.api.analytics_documents import session_document
from streamwatch.domain.session_events import SessionEvent
from streamwatch.domain.subscriptions import WebhookTransport
from streamwatch.domain.times import utc_now
from streamwatch.services.analytics.backfills import Backfills
from streamwatch.services.analytics.dead_letters import DeadLetters
from streamwatch.services.analytics.period_rankings import PeriodRankings
from streamwatch.services.analytics.profiles import StreamerProfiles
from streamwatch.services.analytics.projector import Projector
from streamwatch.services.analytics.queries import AnalyticsQueries
from streamwatch.services.analytics.viewership import Viewership
from streamwatch.services.api_keys import ApiKeys
from streamwatch.services.clock import CorrectedClock
from streamwatch.services.documents import Document
from streamwatch.services.events import EventHistory
from streamwatch.services.ingestion.poller import Poller
from streamwatch.services.ingestion.receiver import MessageReceiver
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.live_directory import LiveDirectory
from streamwatch.services.locks import process_name
from streamwatch.services.monitoring.counters import HELIX, MESSAGES, SharedCounters
from streamwatch.services.monitoring.diagnostics import Diagnostics
from streamwatch.services.monitoring.health import HealthCheck
from streamwatch.services.monitoring.metrics import MetricsReader, helix_counter_name
from streamwatch.services.monitoring.twitch_state import TwitchMonitor
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.setup import NotificationServices, notification_services
from streamwatch.services.push.broadcaster import Broadcaster
from streamwatch.services.rate_limits import RateLimits
from streamwatch.services.setup import Setup
from streamwatch.services.status import Statuses
from streamwatch.services.streamer_directory import StreamerDirectory
from streamwatch.services.streamers import Streamers
from streamwatch.services.subscriptions.conduit import OwnConduit
from streamwatch.services.subscriptions.reconcile import Subscriptions
from streamwatch.services.subscriptions.transport import Method, TransportProvider
from streamwatch.services.tags import TagIndex
from streamwatch.services.transfer import Transfer
from streamwatch.settings import EMBEDDED, Settings
from streamwatch.settings.credentials import (
    TwitchCredentials,
    credentials_file,
    store_credentials,
)
from streamwatch.storage import open_storage
from streamwatch.storage.base import Storage, Topic
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import EventSubSocket, Twitch
from streamwatch.twitch.client import Helix
from streamwatch.twitch.websocket import TwitchSocket


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a blueprint, a job or a command can call."""

    settings: Settings
    clock: CorrectedClock
    storage: Storage
    twitch: Twitch
    analytics: AnalyticsStore
    receiver: MessageReceiver
    streamers: Streamers
    tags: TagIndex
    transfer: Transfer
    status: Statuses
    events: EventHistory
    poller: Poller
    subscriptions: Subscriptions
    health: HealthCheck
    broadcaster: Broadcaster
    live_directory: LiveDirectory
    streamer_directory: StreamerDirectory
    viewership: Viewership
    profiles: StreamerProfiles
    period_rankings: PeriodRankings
    analytics_queries: AnalyticsQueries
    rate_limits: RateLimits
    api_keys: ApiKeys
    message_counters: SharedCounters
    helix_counters: SharedCounters
    setup: Setup
    diagnostics: Diagnostics
    metrics: MetricsReader
    projector: Projector
    dead_letters: DeadLetters
    backfills: Backfills
    conduit: OwnConduit
    connect_eventsub: Callable[[str | None], EventSubSocket]
    """Opens EventSub's WebSocket, or the reconnect URL if one is given. Raises ConnectionLost."""
    notifications: NotificationServices

    def close(self) -> None:
        """Add the counts to the shared counters, and close the connections."""
        self.broadcaster.close()
        self.message_counters.close()
        self.helix_counters.close()
        self.notifications.counters.close()
        self.storage.close()
        self.analytics.close()


def build(settings: Settings) -> Services:
    """The services on the backends that `settings` name. Nothing is connected to yet.

    Raises SettingsError for a backend that does not exist.
    """
    storage = open_storage(settings)
    helix_counters = SharedCounters(storage.coordination, HELIX)

    monitor = TwitchMonitor(storage.coordination)

    def observe(method: str, path: str, status: int) -> None:
        helix_counters.count(helix_counter_name(method, path, status))
        monitor.observe(path, status)

    clock = CorrectedClock()
    helix = Helix.from_settings(
        settings, storage.coordination, observe, clock, clock.observe_answer
    )
    analytics = open_analytics(settings)
    background = helix.with_own_sessions()
    return assemble(settings, storage, helix, analytics, clock, helix_counters, background)


def twitch_with_own_token(settings: Settings, clock: CorrectedClock | None = None) -> Twitch:
    """A Twitch client with a token of its own, so that its first call proves the credentials. Its
    answers correct `clock`."""
    clock = clock or CorrectedClock()
    coordination = MemoryStorage().coordination
    return Helix.from_settings(
        settings, coordination, clock=clock, observe_date=clock.observe_answer
    )


def _setup(settings: Settings) -> Setup:
    """The set-up of a first run, whose credentials are stored with embedded storage only."""

    def check(client_id: str, client_secret: str) -> None:
        entered = replace(settings, twitch_client_id=client_id, twitch_client_secret=client_secret)
        twitch_with_own_token(entered).users(logins=["twitch"])

    def store(client_id: str, client_secret: str) -> None:
        store_credentials(settings.data_dir, TwitchCredentials(client_id, client_secret))

    return Setup(
        has_credentials=settings.has_twitch_credentials,
        uses_stored=settings.twitch_credentials_stored,
        check=check,
        store=store if settings.storage_type == EMBEDDED else None,
        is_stored=lambda: credentials_file(settings.data_dir).exists(),
    )


@dataclass(frozen=True, slots=True)
class _Adapters:
    """The adapters that the services use. `background` is the Twitch client for polls and
    reconciliations."""

    settings: Settings
    storage: Storage
    twitch: Twitch
    background: Twitch
    analytics: AnalyticsStore
    clock: CorrectedClock


def assemble(
    settings: Settings,
    storage: Storage,
    twitch: Twitch,
    analytics: AnalyticsStore,
    clock: Callable[[], datetime] = utc_now,
    helix_counters: SharedCounters | None = None,
    background: Twitch | None = None,
) -> Services:
    """The services on these adapters. `clock` is corrected by messages, and by answers if it is the
    CorrectedClock that `twitch` has. `helix_counters` counts the calls of `twitch`. `background` is
    the client for polls and reconciliations, by default `twitch`."""
    clock = clock if isinstance(clock, CorrectedClock) else CorrectedClock(clock)
    adapters = _Adapters(settings, storage, twitch, background or twitch, analytics, clock)
    coordination = storage.coordination
    recorder = ObservationRecorder(storage)
    poller = Poller(storage, adapters.background, recorder, clock, settings.refresh_seconds)
    conduit = OwnConduit(coordination, adapters.background)
    subscriptions = _subscriptions(adapters, conduit)
    method = subscriptions.method
    backfills = Backfills(storage, adapters.background, analytics, clock)
    streamers = _streamers(adapters, subscriptions, poller, recorder, backfills)
    messages = SharedCounters(coordination, MESSAGES)
    rate_limits = _rate_limits(adapters)
    queries = AnalyticsQueries(analytics, coordination, clock, settings.sample_cap)
    return Services(
        settings=settings,
        clock=clock,
        storage=storage,
        twitch=twitch,
        analytics=analytics,
        receiver=_receiver(adapters, recorder),
        streamers=streamers,
        tags=TagIndex(storage),
        transfer=_transfer(adapters, streamers),
        status=Statuses(storage, twitch, settings.lookup_ttl_seconds, clock),
        events=EventHistory(storage),
        poller=poller,
        subscriptions=subscriptions,
        health=_health(adapters, method),
        broadcaster=Broadcaster(storage),
        live_directory=LiveDirectory(storage),
        streamer_directory=StreamerDirectory(storage, analytics, clock),
        viewership=Viewership(analytics, clock),
        profiles=StreamerProfiles(queries, analytics, clock),
        period_rankings=PeriodRankings(analytics, clock),
        analytics_queries=queries,
        rate_limits=rate_limits,
        api_keys=ApiKeys(settings.api_keys, settings.api_read_keys, rate_limits),
        message_counters=messages,
        helix_counters=helix_counters or SharedCounters(coordination, HELIX),
        setup=_setup(settings),
        diagnostics=Diagnostics(storage, twitch, messages, method, lambda: clock.offset),
        metrics=MetricsReader(storage, clock, method=method),
        projector=_projector(adapters, backfills),
        dead_letters=DeadLetters(storage.feed, analytics),
        backfills=backfills,
        notifications=_notifications(adapters),
        conduit=conduit,
        connect_eventsub=partial(_connect_eventsub, settings.twitch_eventsub_url, clock),
    )


def _receiver(adapters: _Adapters, recorder: ObservationRecorder) -> MessageReceiver:
    clock, secrets = adapters.clock, adapters.settings.webhook_secrets
    return MessageReceiver(adapters.storage, recorder, secrets, clock, clock.observe_message)


def _subscriptions(adapters: _Adapters, conduit: OwnConduit) -> Subscriptions:
    settings = adapters.settings
    return Subscriptions(
        adapters.storage,
        adapters.background,
        _transports(settings, conduit),
        adopts=not settings.webhook_secret_is_new,
        updates=settings.watch_updates,
    )


def _streamers(
    adapters: _Adapters,
    subscriptions: Subscriptions,
    poller: Poller,
    recorder: ObservationRecorder,
    backfills: Backfills,
) -> Streamers:
    return Streamers(
        adapters.storage,
        adapters.twitch,
        subscriptions,
        poller,
        recorder,
        adapters.clock,
        on_added=backfills.queue if adapters.settings.backfill_on_add else None,
    )


def _transfer(adapters: _Adapters, streamers: Streamers) -> Transfer:
    allow_private = adapters.settings.notifications_allow_private
    return Transfer(adapters.storage, streamers, adapters.clock, allow_private=allow_private)


def _health(adapters: _Adapters, method: Method) -> HealthCheck:
    has_credentials = adapters.settings.has_twitch_credentials
    return HealthCheck(
        adapters.storage, adapters.analytics, method=method, has_credentials=has_credentials
    )


def _rate_limits(adapters: _Adapters) -> RateLimits:
    settings = adapters.settings
    return RateLimits(
        adapters.storage.coordination,
        settings.rate_limit,
        settings.lookup_limit,
        # A lookup holds its thread while Twitch answers: at most a quarter of the threads.
        lookups_at_once=max(1, settings.web_threads // 4),
    )


def _projector(adapters: _Adapters, backfills: Backfills) -> Projector:
    storage = adapters.storage

    def projected(events: Sequence[SessionEvent]) -> None:
        storage.coordination.publish_change(Topic.ANALYTICS)
        backfills.plan_after_ends(events)

    return Projector(
        storage.feed, adapters.analytics, process_name(), adapters.clock, projected=projected
    )


def _notifications(adapters: _Adapters) -> NotificationServices:
    return notification_services(
        adapters.storage,
        adapters.twitch,
        partial(_find_session, adapters.analytics),
        AddressPolicy(adapters.settings.notifications_allow_private),
        process_name(),
        adapters.clock,
    )


def _find_session(analytics: AnalyticsStore, stream_id: str) -> Document | None:
    """The session of a stream as the API shows it."""
    session = analytics.session(stream_id)
    return session_document(session) if session else None


def _connect_eventsub(
    url: str, clock: Callable[[], datetime], reconnect_url: str | None
) -> EventSubSocket:
    if reconnect_url is None:
        return TwitchSocket.open(url, clock)
    return TwitchSocket.open(reconnect_url, clock, is_reconnect=True)


def _transports(settings: Settings, conduit: OwnConduit) -> TransportProvider:
    method = Method(settings.transport.value)
    webhook = None
    if settings.webhook_url is not None:
        webhook = WebhookTransport(settings.webhook_url, settings.webhook_secrets[0])
    return TransportProvider(method, webhook, conduit)
