"""Converts Helix responses to domain models. Raises ValueError for a malformed response.

An item of a list that is malformed is left out and logged, so that it does not spoil the others. If
no item of a list is readable, the response is malformed.

https://dev.twitch.tv/docs/api/reference/
"""
