"""Queries through our endpoint, against strawberry's own view and against a handler written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from benchmarks.application import OpenApplication, open_application, post
from benchmarks.handwritten import handwritten_dashboard, handwritten_viewer
from benchmarks.report import Finding, compared
from benchmarks.timing import median_seconds
from models.enums import HealthStatus, Role
from resolvers.context import RequestContext
from services.viewer import Viewer
from tests.seeding import seed_integrations, seed_spaces
from tests.tenant_seeding import seed_bindings, seed_workspaces, space_ids

INTEGRATIONS = 50
SPACES_EACH = 20
BINDINGS_EACH = 2
WORKSPACES = 100
ROUNDS_LARGE, ROUNDS_SMALL = 15, 300

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
    """Return how a large and a small query fare."""
    async with open_application() as application:
        await _seed(application)
        stock = _StockView(application)
        by_hand = handwritten_dashboard(application.services.database)
        token = application.token
        ours, theirs, theirs_by_hand = [
            orjson.loads(await post(app, token, LARGE))["data"] for app in (application.app, stock, by_hand)
        ]
        assert ours == theirs
        assert _shown(ours) == _shown(theirs_by_hand)
        large = await median_seconds(
            [
                lambda: post(application.app, token, LARGE),
                lambda: post(stock, token, LARGE),
                lambda: post(by_hand, token, LARGE),
            ],
            ROUNDS_LARGE,
        )
        viewer_by_hand = handwritten_viewer()
        small = await median_seconds(
            [
                lambda: post(application.app, token, SMALL),
                lambda: post(stock, token, SMALL),
                lambda: post(viewer_by_hand, token, SMALL),
            ],
            ROUNDS_SMALL,
        )
    dashboard = f"Dashboard, {INTEGRATIONS} integrations × {SPACES_EACH} spaces × {BINDINGS_EACH} bindings"
    viewer = "The viewer's name"
    return [
        compared(dashboard, large[0], "strawberry's own view", large[1]),
        compared(dashboard, large[0], "written by hand", large[2]),
        compared(viewer, small[0], "strawberry's own view, no login", small[1]),
        compared(viewer, small[0], "written by hand, no login", small[2]),
    ]


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
