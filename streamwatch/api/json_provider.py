"""Flask's JSON provider, by orjson. Documents consist of JSON values; times are strings already."""

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Flask's `jsonify` and `request.json`, about ten times as fast on a long list."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        document = self._prepare_response_obj(args, kwargs)
        return Response(orjson.dumps(document), mimetype="application/json")
