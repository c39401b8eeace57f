"""The WSGI application: `gunicorn -c config/gunicorn.conf.py wsgi:app`."""

from streamwatch.server.wsgi import app

__all__ = ["app"]
