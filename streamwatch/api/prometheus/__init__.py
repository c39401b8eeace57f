"""What Prometheus reads from `/metrics`.

`web` counts requests, in the process that answers them: gunicorn's processes add theirs up through
files (prometheus_client's multiprocess mode, for which `directory` makes the place). `shared` is
everything else. It is computed from the storage when it is asked for, so that it is the same
whichever process is asked, the worker's part included, and outlives all of them.
"""
