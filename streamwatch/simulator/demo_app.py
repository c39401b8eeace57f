"""The WSGI application of the demo: that of production, with simulated past streams."""

from streamwatch.analytics import journal
from streamwatch.app import create_app
from streamwatch.bootstrap import Services, build
from streamwatch.settings import from_env
from streamwatch.worker.process import start_in_thread


def _services_with_past() -> Services:
    services = build(from_env())
    for line in journal.read(services.settings.data_dir / journal.FILE_NAME):
        if line.entries is not None:
            services.analytics.project(line.entries)
    start_in_thread(services)
    return services


app = create_app(services=_services_with_past())
