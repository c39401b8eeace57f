"""`make bench`: throughput of the hot paths, as a share of a plain Flask application's.

Real Redis, real MongoDB, and gunicorn as in the Procfile with two processes, under load on
loopback. Each scenario alternates with its yardstick several times, and the reported share is the
median of the pairs. On a busy machine the rates fall and the shares spread; the report shows both.
"""
