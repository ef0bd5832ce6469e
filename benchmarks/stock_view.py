"""strawberry's own way to serve the same schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from benchmarks.application import OpenApplication
from models.enums import Role
from resolvers.context import RequestContext
from services.viewer import Viewer

VIEWER = Viewer(Role.PLATFORM_ADMIN, None, 0, "admin", datetime.now(UTC) + timedelta(days=1))


class StockView(GraphQL[RequestContext, None]):
    """strawberry's own ASGI view, with our context and the administrator as viewer."""

    def __init__(self, application: OpenApplication) -> None:
        super().__init__(application.schema, graphql_ide=None)
        self._services = application.services

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> RequestContext:
        """Return the context of an operation."""
        return RequestContext(VIEWER.scope, VIEWER, self._services, "benchmark")
