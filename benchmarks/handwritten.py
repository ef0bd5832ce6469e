"""The dashboard as one would write it for itself alone: two statements, plain dicts, orjson."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.application import PATH
from models.database import Database
from resolvers.global_ids import global_id

_INTEGRATIONS = """
SELECT i."id", i."name", i."kind", i."origin", i."stale_since", p."host", h."status", h."reason", h."message",
       h."since", h."checked_at", h."is_read_only"
FROM "integration" i JOIN "integration_health" h ON h."integration_id" = i."id"
JOIN "image_host" p ON p."integration_id" = i."id" AND p."is_primary"
ORDER BY i."name_key" LIMIT 50"""
_SPACES = (
    """SELECT "id", "integration_id", "name", "visibility" FROM "space" WHERE "state" = 'PRESENT' ORDER BY "name" """
)


def handwritten_dashboard(database: Database) -> Starlette:
    """Return an application that answers every POST with the dashboard."""

    async def dashboard(request: Request) -> Response:
        await request.body()
        integrations = await database.fetch(_INTEGRATIONS)
        spaces: dict[int, list[dict[str, Any]]] = {}
        for row in await database.fetch(_SPACES):
            spaces.setdefault(row["integration_id"], []).append(
                {"id": global_id("Space", row["id"]), "name": row["name"], "visibility": row["visibility"]}
            )
        nodes = [
            {
                "id": global_id("Integration", row["id"]),
                "name": row["name"],
                "kind": row["kind"],
                "imageHost": row["host"],
                "labels": _labels(row),
                "health": {name: row[column] for name, column in _HEALTH.items()},
                "spaces": {"nodes": spaces.get(row["id"], [])},
            }
            for row in integrations
        ]
        return Response(orjson.dumps({"data": {"integrations": {"nodes": nodes}}}), media_type="application/json")

    return Starlette(routes=[Route(PATH, dashboard, methods=["POST"])])


def handwritten_viewer() -> Starlette:
    """Return an application that answers every POST with the viewer's name."""

    async def viewer(request: Request) -> Response:
        await request.body()
        return Response(orjson.dumps({"data": {"viewer": {"name": "admin"}}}), media_type="application/json")

    return Starlette(routes=[Route(PATH, viewer, methods=["POST"])])


_HEALTH = {
    "status": "status",
    "reason": "reason",
    "message": "message",
    "since": "since",
    "checkedAt": "checked_at",
}


def _labels(row: Any) -> list[str]:
    labels = [row["origin"], row["status"]]
    if row["is_read_only"]:
        labels.append("READ_ONLY")
    if row["stale_since"] is not None:
        labels.append("STALE")
    return labels
