"""Notifications: a reader of the feed makes deliveries, dispatchers send those that are due.

`management` is what the API, the dashboard and the command line call; `reader` turns events into
deliveries; `dispatcher` claims what is due; `attempt` decides and sends one delivery; `senders` has
one module a kind of target; `http` and `addresses` keep requests within bounds.
"""
