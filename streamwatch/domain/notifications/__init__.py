"""Rules for notifications, pure: which deliveries an event makes, when they go, what they say.

`models` has the data, `filters` decides whether a notification wants an event, `people` and
`programs` decide what to do with a delivery that is due, `conversation` tracks what people were
sent, `retries` plans the next attempt, `texts` renders messages, `documents` converts to and from
JSON.
"""
