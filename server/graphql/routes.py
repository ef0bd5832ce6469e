"""Puts the GraphQL endpoint together: where the application begins with this package."""

import asyncio
import uuid
from collections.abc import Callable, Iterable

from starlette.routing import BaseRoute, Route, WebSocketRoute
from structlog.typing import FilteringBoundLogger

from server.graphql.connections import ConnectionCounter
from server.graphql.endpoint import Endpoint
from server.graphql.engine import GraphQLEngine
from server.graphql.http import GraphQLOverHTTP
from server.graphql.limits import Limits
from server.graphql.sessions import Authenticator
from server.graphql.websocket import GraphQLOverWebSocket


def new_request_id() -> str:
    """Return a random request id, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def graphql_routes(
    engine: GraphQLEngine,
    authenticator: Authenticator,
    limits: Limits,
    *,
    shutdown: asyncio.Event,
    log: FilteringBoundLogger,
    allowed_origins: Iterable[str] = (),
    on_unauthenticated: Callable[[], None] = lambda: None,
    new_request_id: Callable[[], str] = new_request_id,
    path: str = "/graphql",
) -> list[BaseRoute]:
    """Return the routes of the endpoint: HTTP with Server-Sent Events, and WebSocket, at one path.

    `shutdown` must be set when the server is to stop, or open event streams keep it from doing so.
    `allowed_origins` are the pages of other hosts that may open a WebSocket, as `https://host[:port]`.
    """
    endpoint = Endpoint(
        engine=engine,
        authenticator=authenticator,
        limits=limits,
        connections=ConnectionCounter(limits.max_connections_per_viewer),
        allowed_origins=frozenset(allowed_origins),
        shutdown=shutdown,
        on_unauthenticated=on_unauthenticated,
        new_request_id=new_request_id,
        log=log,
    )
    return [
        # Endpoints of a class are ASGI apps to Starlette; all methods, since a 405 is ours to word.
        Route(path, GraphQLOverHTTP(endpoint), name="graphql"),
        WebSocketRoute(path, GraphQLOverWebSocket(endpoint), name="graphql_websocket"),
    ]
