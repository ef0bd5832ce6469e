"""Answers as one would write each for itself alone: few statements, plain dicts, orjson."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.application import PATH
from models.database import Database
from resolvers.global_ids import global_id

_PULL_ACCESS = """
SELECT i."name" AS registry, s."name" AS space, s."visibility", w."name" AS workspace, b."id" AS binding
FROM "image_host" p JOIN "integration" i ON i."id" = p."integration_id"
LEFT JOIN "space" s ON s."integration_id" = i."id" AND s."name" = ?2 AND s."state" <> 'VANISHED'
LEFT JOIN "namespace" n ON n."cluster" = 'default' AND n."name" = ?3
LEFT JOIN "workspace" w ON w."id" = n."workspace_id"
LEFT JOIN "binding" b ON b."space_id" = s."id" AND b."workspace_id" = w."id" AND b."revoked_at" IS NULL
WHERE p."host" = ?1 AND p."scope" = 0"""


Call = tuple[str, tuple[object, ...]]
"""A statement and its parameters."""


def handwritten_dashboard(database: Database, calls: Sequence[Call]) -> Starlette:
    """Return an application that answers every POST with the dashboard, by the statements that ours makes for it."""
    by_table = {_table(sql): (sql, parameters) for sql, parameters in calls}
    assert len(by_table) == len(calls) == len(_ALIASES), [sql for sql, _ in calls]

    async def rows(table: str) -> Sequence[Any]:
        sql, parameters = by_table[table]
        return await database.fetch(sql, *parameters)

    async def dashboard(request: Request) -> Response:
        await request.body()
        integrations = (await rows("integration"))[:50]
        health = {row["integration_id"]: row for row in await rows("integration_health")}
        workspaces = {row["id"]: row["name"] for row in await rows("workspace")}
        bindings: dict[int, list[dict[str, Any]]] = {}
        for row in await rows("binding"):
            state = "REVOKING" if row["revoked_at"] else "SUSPENDED" if row["space_state"] == "VANISHED" else "ACTIVE"
            bindings.setdefault(row["space_id"], []).append(
                {
                    "id": global_id("Binding", row["id"]),
                    "state": state,
                    "workspace": {"name": workspaces[row["workspace_id"]]},
                }
            )
        spaces: dict[int, list[dict[str, Any]]] = {}
        for row in await rows("space"):
            spaces.setdefault(row["integration_id"], []).append(
                {
                    "id": global_id("Space", row["id"]),
                    "name": row["name"],
                    "visibility": row["visibility"],
                    "bindings": {"nodes": bindings.get(row["id"], [])[:2]},
                }
            )
        nodes = [
            {
                "id": global_id("Integration", row["id"]),
                "name": row["name"],
                "kind": row["kind"],
                "imageHost": row["image_host"],
                "labels": _labels(row, health[row["id"]]),
                "health": {name: health[row["id"]][column] for name, column in _HEALTH.items()},
                "spaces": {"nodes": spaces.get(row["id"], [])[:20]},
            }
            for row in integrations
        ]
        return Response(orjson.dumps({"data": {"integrations": {"nodes": nodes}}}), media_type="application/json")

    return Starlette(routes=[Route(PATH, dashboard, methods=["POST"])])


def handwritten_list(database: Database, call: Call, page: int) -> Starlette:
    """Return an application that answers every POST with a page of integrations, by the statement of ours."""
    sql, parameters = call

    async def integrations(request: Request) -> Response:
        await request.body()
        nodes = [
            {
                "id": global_id("Integration", row["id"]),
                "name": row["name"],
                "kind": row["kind"],
                "imageHost": row["image_host"],
                "createdAt": row["created_at"],
            }
            for row in (await database.fetch(sql, *parameters))[:page]
        ]
        return Response(orjson.dumps({"data": {"integrations": {"nodes": nodes}}}), media_type="application/json")

    return Starlette(routes=[Route(PATH, integrations, methods=["POST"])])


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


_ALIASES = {"i": "integration", "h": "integration_health", "s": "space", "b": "binding", "w": "workspace"}
_FIRST_COLUMN = re.compile(r'SELECT (\w)\."')
_HEALTH = {
    "status": "status",
    "reason": "reason",
    "message": "message",
    "since": "since",
    "checkedAt": "checked_at",
}


def _table(sql: str) -> str:
    """Return the table that a statement is about: what it selects of a table begins with a column of that one."""
    found = _FIRST_COLUMN.search(sql)
    assert found is not None, sql
    return _ALIASES[found[1]]


def _labels(row: Any, health: Any) -> list[str]:
    labels = [row["origin"], health["status"]]
    if health["is_read_only"]:
        labels.append("READ_ONLY")
    if row["stale_since"] is not None:
        labels.append("STALE")
    return labels
