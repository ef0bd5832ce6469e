"""Plain HTTP for those who run the server: liveness, readiness, metrics."""

from __future__ import annotations

import asyncio

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from models.enums import HealthStatus
from models.queries.events import log_span
from server.metrics import Metrics
from services.services import Services

log = structlog.get_logger("server")

DATABASE_TIMEOUT_SECONDS = 2.0


def operations_routes(services: Services, metrics: Metrics | None, shutdown: asyncio.Event) -> list[Route]:
    """Return `/healthz`, `/readyz` and, with metrics, `/metrics`. They show no names and need no credential.

    Alive says that the process serves; ready, that a request would be answered: not without a database, and
    not once `shutdown` is set.
    """

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        if shutdown.is_set():
            return JSONResponse({"ready": False, "why": "the server is stopping"}, 503)
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
                await services.database.fetch("SELECT 1")
        except Exception as error:  # the drivers have no common base for what can go wrong
            log.warning("not ready: the database does not answer", error=type(error).__name__)
            return JSONResponse({"ready": False, "why": "the database does not answer"}, 503)
        return JSONResponse({"ready": True})

    routes = [Route("/healthz", alive), Route("/readyz", ready)]
    if metrics is not None:
        routes.append(_metrics_route(services, metrics))
    return routes


def _metrics_route(services: Services, metrics: Metrics) -> Route:
    async def show_metrics(_: Request) -> Response:
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
                await _look_at_database(services, metrics)
        except Exception as error:  # as above; the counters of the process are worth having all the same
            log.warning("metrics without the database", error=type(error).__name__)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", show_metrics)


async def _look_at_database(services: Services, metrics: Metrics) -> None:
    rows = await services.database.fetch(
        'SELECT "status", count(*) AS "count" FROM "integration_health" GROUP BY "status"'
    )
    counts = {row["status"]: row["count"] for row in rows}
    for status in HealthStatus:
        metrics.integrations.labels(status.value).set(counts.get(status.value, 0))
    # Its own position first: what is written between the two must not look like a lag below zero.
    position = services.events.position
    metrics.events_unread.set((await log_span(services.database)).last - position)
