"""What gunicorn serves: `gunicorn -c config/gunicorn.conf.py wsgi:app`."""

from streamwatch.app import create_app

app = create_app()
