"""Plain HTTP for those who run the server: liveness, readiness, metrics."""

from __future__ import annotations

import asyncio

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from tortoise.exceptions import BaseORMException

from services.services import Services

READY_TIMEOUT_SECONDS = 2.0


def operations_routes(services: Services, metrics: CollectorRegistry) -> list[Route]:
    """Return `/healthz`, `/readyz` and `/metrics`. They show no names and need no credential."""

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                await services.database.fetch("SELECT 1")
        except (BaseORMException, OSError, TimeoutError):
            return JSONResponse({"ready": False, "why": "the database does not answer"}, 503)
        return JSONResponse({"ready": True})

    async def show_metrics(_: Request) -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/metrics", show_metrics),
    ]
