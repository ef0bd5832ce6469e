"""Queries through our endpoint, against strawberry's own view and against a handler written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from benchmarks.application import OpenApplication, open_application, post
from benchmarks.handwritten import Call, handwritten_dashboard, handwritten_viewer
from benchmarks.report import Finding, spread
from benchmarks.timing import paired_seconds
from models.enums import HealthStatus, Role
from resolvers.context import RequestContext
from server import garbage_collection
from server.graphql.limits import Limits
from services.viewer import Viewer
from tests.seeding import seed_integrations, seed_spaces
from tests.tenant_seeding import seed_bindings, seed_workspaces, space_ids

INTEGRATIONS = 50
SPACES_EACH = 20
BINDINGS_EACH = 2
WORKSPACES = 100
ROUNDS_LARGE, ROUNDS_STOCK, ROUNDS_SMALL = 60, 12, 300

LARGE = """
query Dashboard {
  integrations(first: 50) {
    nodes {
      id name kind imageHost labels
      health { status reason message since checkedAt }
      spaces(first: 20) {
        nodes { id name visibility bindings(first: 2) { nodes { id state workspace { name } } } }
      }
    }
  }
}"""
SMALL = "{ viewer { name } }"

VIEWER = Viewer(Role.PLATFORM_ADMIN, None, 0, "admin", datetime.now(UTC) + timedelta(days=1))


async def run() -> list[Finding]:
    """Return how a large and a small query fare, made anew and where nothing has changed."""
    async with open_application() as application, open_application(Limits()) as keeping:
        await _seed(application)
        await _seed(keeping)
        stock, token = _StockView(application), application.token
        by_hand = handwritten_dashboard(application.services.database, await _statements(application))
        viewer_by_hand = handwritten_viewer()
        ours, theirs, theirs_by_hand = [
            orjson.loads(await post(app, token, LARGE))["data"] for app in (application.app, stock, by_hand)
        ]
        assert ours == theirs
        assert _shown(ours) == _shown(theirs_by_hand)
        # As `serve` has it.
        garbage_collection.settle()
        large = await paired_seconds(
            [
                lambda: post(application.app, token, LARGE),
                lambda: post(by_hand, token, LARGE),
                lambda: post(keeping.app, keeping.token, LARGE),
            ],
            ROUNDS_LARGE,
        )
        beside_stock = await paired_seconds(
            [lambda: post(application.app, token, LARGE), lambda: post(stock, token, LARGE)], ROUNDS_STOCK
        )
        small = await paired_seconds(
            [
                lambda: post(application.app, token, SMALL),
                lambda: post(viewer_by_hand, token, SMALL),
                lambda: post(stock, token, SMALL),
            ],
            ROUNDS_SMALL,
        )
    dashboard = f"Dashboard, {INTEGRATIONS} integrations × {SPACES_EACH} spaces × {BINDINGS_EACH} bindings"
    viewer = "The viewer's name"
    return [
        spread(dashboard, large[0], "the same SQL, written by hand", large[1]),
        spread(f"{dashboard}, nothing changed", large[2], "the same SQL, written by hand", large[1]),
        spread(dashboard, beside_stock[0], "strawberry's own view", beside_stock[1]),
        spread(viewer, small[0], "written by hand, no login", small[1]),
        spread(viewer, small[0], "strawberry's own view, no login", small[2]),
    ]


async def _statements(application: OpenApplication) -> list[Call]:
    """Return the statements that we make for the dashboard."""
    database = application.services.database
    fetch, calls = database.fetch, []
    await post(application.app, application.token, LARGE)

    async def noted(sql: str, *parameters: object) -> Sequence[Any]:
        # The background work makes some as well.
        if "request_id" in structlog.contextvars.get_contextvars():
            calls.append((sql, parameters))
        return await fetch(sql, *parameters)

    database.fetch = noted  # type: ignore[method-assign]
    try:
        await post(application.app, application.token, LARGE)
    finally:
        del database.fetch
    return calls


async def _seed(application: OpenApplication) -> None:
    database = application.services.database
    urls = [f"http://127.0.0.1:1/r{number}" for number in range(INTEGRATIONS)]
    ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=timedelta(minutes=50))
    await seed_spaces(database, {id_: [f"space-{number:03}" for number in range(SPACES_EACH)] for id_ in ids})
    workspaces = await seed_workspaces(database, WORKSPACES)
    pairs = [
        (space_id, workspaces[(BINDINGS_EACH * space_id + number) % WORKSPACES])
        for space_id in await space_ids(database)
        for number in range(BINDINGS_EACH)
    ]
    await seed_bindings(database, pairs)


class _StockView(GraphQL[RequestContext, None]):
    """strawberry's own ASGI view, with our context and the administrator as viewer."""

    def __init__(self, application: OpenApplication) -> None:
        super().__init__(application.schema, graphql_ide=None)
        self._services = application.services

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> RequestContext:
        return RequestContext(VIEWER.scope, VIEWER, self._services, "benchmark")


def _shown(data: Any) -> list[tuple[str, list[str], list[Any]]]:
    """Return what both ways write alike; moments are written in two forms."""
    return [(node["name"], node["labels"], node["spaces"]["nodes"]) for node in data["integrations"]["nodes"]]
