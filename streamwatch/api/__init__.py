"""The REST API: one module a resource, each a specification that calls a service.

To add a resource: write its module after the pattern of `events.py` (a `Blueprint` named
`blueprint`; a docstring that becomes summary and description; the answer's schema, the arguments
and the problems as decorators), put its answers into `schemas.py`, and add the module to
`RESOURCES` in `streamwatch/app.py`. Authorization follows from the path (`auth.py`), the answer to
an error from the error's type (`errors.py`); both are documented by themselves (`openapi.py`).
"""
