"""The ASGI application."""

from __future__ import annotations

import asyncio
from pathlib import Path

import strawberry
import structlog
from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from server.answer_headers import AnswerHeaders
from server.authentication import TokenAuthenticator, sign_in_route
from server.console import console_routes
from server.graphql.limits import Limits
from server.graphql.routes import graphql_routes
from server.hooks import hook_routes
from server.host_check import HostCheck
from server.measured_engine import MeasuredEngine
from server.metrics import Metrics
from server.operations import operations_routes
from server.request_identity import REQUEST_ID_HEADER, RequestIdentity
from server.request_metrics import RequestMetrics
from server.settings import Settings
from services.services import Services

NOT_BUILT = "it was not built. Run `make console`, which needs Node 20.19 or later, and start again."


def build_application(
    settings: Settings,
    services: Services,
    schema: strawberry.Schema,
    limits: Limits,
    shutdown: asyncio.Event,
    metrics: Metrics,
) -> Starlette:
    """Return the application; `shutdown` ends open event streams when it is set."""
    log = structlog.get_logger("graphql")
    executable: GraphQLSchema = schema._schema
    engine = MeasuredEngine(executable, limits, log, metrics, allow_introspection=settings.introspection)
    dist, reason = console_state(settings)
    return Starlette(
        routes=[
            *graphql_routes(
                engine,
                TokenAuthenticator(services),
                limits,
                shutdown=shutdown,
                log=log,
                allowed_origins=settings.allowed_origins,
                on_unauthenticated=metrics.unauthenticated.inc,
            ),
            sign_in_route(services.access_tokens),
            *hook_routes(services, metrics),
            *operations_routes(services, metrics if settings.metrics else None, shutdown),
            *console_routes(dist, reason),
        ],
        middleware=_middleware(settings, metrics),
    )


def console_state(settings: Settings) -> tuple[Path | None, str | None]:
    """Return where GraphiQL lies, or None and why it is left out."""
    if not settings.console:
        return None, "it is switched off (INTEGRATED_REGISTRY_CONSOLE)."
    if not (settings.console_folder / "index.html").is_file():
        return None, NOT_BUILT
    return settings.console_folder, None


def _middleware(settings: Settings, metrics: Metrics) -> list[Middleware]:
    """Return what every request passes, the outermost first."""
    middleware = [
        Middleware(RequestIdentity),
        Middleware(RequestMetrics, metrics=metrics),
        Middleware(AnswerHeaders),
        Middleware(HostCheck, settings=settings),
    ]
    if settings.allowed_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=["POST"],
                allow_headers=["Authorization", "Content-Type", REQUEST_ID_HEADER],
                expose_headers=[REQUEST_ID_HEADER],
                max_age=600,
            )
        )
    return middleware
