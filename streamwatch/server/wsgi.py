"""The WSGI application that gunicorn serves: `gunicorn streamwatch.server.wsgi:app`."""

from streamwatch.app import create_app
from streamwatch.server.reloading import current_settings

app = create_app(current_settings())
