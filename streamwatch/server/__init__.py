"""gunicorn: its configuration, worker class and WSGI application, the directory of request metrics,
and the limit of open files."""
