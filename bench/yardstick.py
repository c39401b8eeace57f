"""The yardstick: a plain Flask application under gunicorn with its defaults.

(a) GET / returns static bytes. (b) POST to the webhook's path verifies the HMAC and does one
pipelined write: the message id is stored for as long as ours is, and the body is appended to a
stream.
"""

import hmac
import os

import redis
from flask import Flask, Response, request

from streamwatch.settings import WEBHOOK_PATH
from streamwatch.storage.base import SEEN_SECONDS

BYTES = b'{"status":"alive"}'


def create_app() -> Flask:
    secret = os.environ["WEBHOOK_SECRET"].encode()
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    app = Flask(__name__, static_folder=None)

    @app.get("/")
    def static_bytes() -> Response:
        return Response(BYTES, mimetype="application/json")

    @app.post(WEBHOOK_PATH)
    def verified_write() -> Response:
        message_id = request.headers["Twitch-Eventsub-Message-Id"]
        timestamp = request.headers["Twitch-Eventsub-Message-Timestamp"]
        body = request.get_data()
        signed = message_id.encode() + timestamp.encode() + body
        expected = "sha256=" + hmac.new(secret, signed, "sha256").hexdigest()
        if not hmac.compare_digest(expected, request.headers["Twitch-Eventsub-Message-Signature"]):
            return Response(status=403)
        with client.pipeline(transaction=False) as pipeline:
            pipeline.set(f"yardstick:seen:{message_id}", "", ex=SEEN_SECONDS)
            pipeline.xadd("yardstick:feed", {"record": body})
            pipeline.execute()
        return Response(status=204)

    return app
