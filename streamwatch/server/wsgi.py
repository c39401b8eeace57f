"""The WSGI application that gunicorn serves: `gunicorn streamwatch.server.wsgi:app`."""

from streamwatch.app import create_app

app = create_app()
