"""Why `streamwatch dev` cannot start."""


class StartError(Exception):
    """The reason in words for the operator, and what to do."""
