"""What the HTTP, Server-Sent Events and WebSocket endpoints are given."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from structlog.typing import FilteringBoundLogger

from server.graphql.connections import ConnectionCounter
from server.graphql.engine import GraphQLEngine
from server.graphql.limits import Limits
from server.graphql.sessions import Authenticator


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The parts behind one GraphQL endpoint."""

    engine: GraphQLEngine
    authenticator: Authenticator
    limits: Limits
    connections: ConnectionCounter
    allowed_origins: frozenset[str]
    shutdown: asyncio.Event
    """Set when the process is to stop: open streams end, since the ASGI server waits for them."""
    on_unauthenticated: Callable[[], None] = field(repr=False)
    """Called for each request, stream or socket that had no credential or a wrong one."""
    new_request_id: Callable[[], str] = field(repr=False)
    log: FilteringBoundLogger = field(repr=False)

    def request_id(self, connection: HTTPConnection) -> str:
        """Return the id that a middleware gave the request (`request.state.request_id`), or a new one."""
        given = getattr(connection.state, "request_id", None)
        return given if isinstance(given, str) else self.new_request_id()
