"""Answers as one would write each for itself alone: few statements, plain dicts, orjson."""

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
_BINDINGS = """
SELECT b."id", b."space_id", b."revoked_at", s."state", w."name" FROM "binding" b
JOIN "space" s ON s."id" = b."space_id" JOIN "workspace" w ON w."id" = b."workspace_id" ORDER BY b."id" """
_PULL_ACCESS = """
SELECT i."name" AS registry, s."name" AS space, s."visibility", w."name" AS workspace, b."id" AS binding
FROM "image_host" p JOIN "integration" i ON i."id" = p."integration_id"
LEFT JOIN "space" s ON s."integration_id" = i."id" AND s."name" = ?2 AND s."state" <> 'VANISHED'
LEFT JOIN "namespace" n ON n."cluster" = 'default' AND n."name" = ?3
LEFT JOIN "workspace" w ON w."id" = n."workspace_id"
LEFT JOIN "binding" b ON b."space_id" = s."id" AND b."workspace_id" = w."id" AND b."revoked_at" IS NULL
WHERE p."host" = ?1 AND p."scope" = 0"""


def handwritten_dashboard(database: Database) -> Starlette:
    """Return an application that answers every POST with the dashboard."""

    async def dashboard(request: Request) -> Response:
        await request.body()
        integrations = await database.fetch(_INTEGRATIONS)
        bindings: dict[int, list[dict[str, Any]]] = {}
        for row in await database.fetch(_BINDINGS):
            state = "REVOKING" if row["revoked_at"] else "SUSPENDED" if row["state"] == "VANISHED" else "ACTIVE"
            bindings.setdefault(row["space_id"], []).append(
                {"id": global_id("Binding", row["id"]), "state": state, "workspace": {"name": row["name"]}}
            )
        spaces: dict[int, list[dict[str, Any]]] = {}
        for row in await database.fetch(_SPACES):
            spaces.setdefault(row["integration_id"], []).append(
                {
                    "id": global_id("Space", row["id"]),
                    "name": row["name"],
                    "visibility": row["visibility"],
                    "bindings": {"nodes": bindings.get(row["id"], [])},
                }
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


def handwritten_pull_access(database: Database) -> Starlette:
    """Return an application that answers every POST with whether a namespace may pull an image."""

    async def pull_access(request: Request) -> Response:
        asked = orjson.loads(await request.body())["variables"]
        host, space, _ = asked["image"].split("/", 2)
        rows = await database.fetch(_PULL_ACCESS, host.lower(), space, asked["name"])
        if not rows:
            reason = "UNKNOWN_REGISTRY"
        elif rows[0]["visibility"] == "PUBLIC":
            reason = "SPACE_IS_PUBLIC"
        elif rows[0]["workspace"] is None:
            reason = "UNKNOWN_NAMESPACE"
        elif rows[0]["space"] is None:
            reason = "UNKNOWN_SPACE"
        else:
            reason = "NOT_BOUND" if rows[0]["binding"] is None else "BOUND"
        answer = {
            "isAllowed": reason in ("SPACE_IS_PUBLIC", "BOUND"),
            "reason": reason,
            "explanation": f"{asked['image']}, {asked['name']}: {reason}.",
        }
        return Response(orjson.dumps({"data": {"pullAccess": answer}}), media_type="application/json")

    return Starlette(routes=[Route(PATH, pull_access, methods=["POST"])])


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
