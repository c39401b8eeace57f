"""The REST API: one module per resource, whose views call services.

To add a resource, write its module like `events.py`: a `Blueprint` named `blueprint`, and views
whose docstrings become summary and description, with the response's schema, the arguments, the
problems and the topics for the cache as decorators. Add its documents to `documents.py` and
`schemas.py`, and the module to `RESOURCES` in `streamwatch/app.py`. Authorization follows from the
path (`auth.py`), the response to an error from the error's type (`streamwatch/problems.py`);
`openapi.py` documents both.
"""
