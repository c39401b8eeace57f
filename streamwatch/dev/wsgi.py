"""The WSGI application of `streamwatch dev`."""

from streamwatch.app import create_app
from streamwatch.dev.loopback_hosts import LoopbackHostsMiddleware
from streamwatch.server.reloading import current_settings

_settings = current_settings()

app = create_app(_settings)
if _settings.serves_this_machine_only:
    app.wsgi_app = LoopbackHostsMiddleware(app.wsgi_app, _settings.webhook_url)  # type: ignore[method-assign]  # Flask's way
