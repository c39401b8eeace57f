"""The metrics at `/metrics`.

`requests` counts requests in the process that answers them; prometheus_client's multiprocess mode
adds up the counts of gunicorn's processes. `collector` reads all other metrics from the storage, so
that every web process reports the same values, those of the worker included.
"""
