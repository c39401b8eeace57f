"""Export and import of the streamers and the notifications."""

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask import Response, jsonify, request
from marshmallow import fields

from streamwatch.api import rate_limits
from streamwatch.api.arguments import read_json
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.errors import Fault, InvalidRequest
from streamwatch.api.transfer_schemas import IMPORT_SCHEMA, ExportSchema, ImportedSchema
from streamwatch.domain.exports import MAX_IMPORT_BYTES, InvalidExport

blueprint = Blueprint(
    "transfer",
    __name__,
    url_prefix="/admin",
    description="Export and import, to move to another installation.",
)


class ExportQuery(ma.Schema):
    secrets = fields.Boolean(
        load_default=False,
        metadata={"description": "Whether URLs and secrets of notifications are exported."},
    )


@blueprint.get("/export")
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(200, ExportSchema)
@blueprint.problems(503)
def export(query: dict[str, Any]) -> Response:
    """Export the streamers and the notifications

    Returns a document for `POST /admin/import`. Without `secrets`, importing the document adds the
    notifications without a URL and disabled.
    """
    response = jsonify(services().transfer.export(secrets=query["secrets"]))
    response.headers["Content-Disposition"] = 'attachment; filename="streamwatch.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/import")
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": IMPORT_SCHEMA}}}
)
@blueprint.response(200, ImportedSchema)
@blueprint.problems(400, 409, 413, 415, 502, 503)
def import_document() -> Response:
    """Import streamers and notifications

    Adds the streamers and notifications that are missing, and does not change existing ones.
    Streamers with a `user_id` are added without a call to Twitch; others, at most 10,000, are
    looked up at Twitch. A document may have 16 MB. A document with a fault changes nothing.
    """
    document = read_json(request, MAX_IMPORT_BYTES)
    try:
        imported = services().transfer.load(document, guard=rate_limits.lookup)
    except InvalidExport as error:
        raise InvalidRequest([Fault("body", *fault) for fault in error.faults]) from None
    return jsonify(asdict(imported))
