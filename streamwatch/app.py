"""The web application: its resources, and the steps that every request passes."""

from functools import partial

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from streamwatch import dashboard
from streamwatch.api import (
    admin,
    analytics,
    arguments,
    auth,
    badges,
    blueprint,
    calendar,
    context,
    cors,
    embed,
    errors,
    event_stream,
    events,
    health,
    metrics,
    middleware,
    notifications,
    rate_limits,
    responses,
    rss,
    streamers,
    streams,
    transfer,
    webhooks,
)
from streamwatch.api.docs import documentation
from streamwatch.api.json_provider import OrjsonProvider
from streamwatch.api.openapi import build_document
from streamwatch.bootstrap import Services, build
from streamwatch.dashboard.login_session import current_session
from streamwatch.settings import Settings, from_env
from streamwatch.worker.process import start_in_thread

RESOURCES = (
    health,
    streamers,
    streams,
    events,
    analytics,
    event_stream,
    rss,
    calendar,
    badges,
    embed,
    notifications,
    admin,
    transfer,
    metrics,
)
"""The modules whose `blueprint` is served and documented, in the order of the documentation."""


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The application on `services`, by default built from `settings` or else the environment.

    If it builds services on a storage that no other process can see, it also runs the worker, in a
    thread.
    """
    if services is None:
        services = build(settings or from_env())
        if not services.storage.shared:
            start_in_thread(services)
    app = Flask(__name__, static_folder=None)
    app.json = OrjsonProvider(app)
    app.url_map.strict_slashes = False  # a trailing slash is the same resource
    proxies = services.settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]  # Flask's way
    context.provide(app, services)
    auth.register_identification(app)
    for part in (middleware, rate_limits, arguments, auth, blueprint, errors):
        part.register(app)
    cors.register(app)
    responses.register(app, services.storage.coordination)
    app.register_blueprint(webhooks.blueprint)
    auth.add_credential_source(app, _has_login_session)
    blueprints = [resource.blueprint for resource in RESOURCES]
    for resource_blueprint in blueprints:
        app.register_blueprint(resource_blueprint)
    app.register_blueprint(documentation(partial(build_document, services.settings, blueprints)))
    dashboard.register(app)
    return app


def _has_login_session() -> bool:
    """Whether the request belongs to a login session of the dashboard, and is not forged."""
    session = current_session(context.services().settings)
    return session is not None and session.covers_request()
