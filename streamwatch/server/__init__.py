"""What gunicorn needs: its configuration, the WSGI application, the directory of the metrics."""
