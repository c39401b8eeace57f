"""gunicorn's configuration is in the package; settings below this line override it."""

from streamwatch.server.gunicorn_conf import *  # noqa: F403
