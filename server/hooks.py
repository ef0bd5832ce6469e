"""Where registries post their notifications: each to an address of its own, with a secret of its own.

What posts is a program that says everything again until it is taken, and nothing else meanwhile. So what is taken is
committed before the answer; and what is of no use to us is taken like the rest, as long as it is what a registry posts.
"""

from __future__ import annotations

import asyncio
import re

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from registry_clients.notifications import NOTIFICATION_FORMATS, NotificationFormat, NotNotifications
from server.graphql.bodies import BodyTooLarge, read_body
from server.graphql.sessions import bearer_token
from server.metrics import Metrics, NotificationOutcome
from services.hooks import HookRejected, OpenHook
from services.services import Services

log = structlog.get_logger("notifications")

MAX_BODY_BYTES = 1024 * 1024
BODY_TIMEOUT_SECONDS = 10.0
TAKING_TIMEOUT_SECONDS = 10.0

# Registries name a type of their own, with a version.
_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.\-]+\+)?json")


class _Refused(Exception):
    """A post that isn't taken; the connection is closed, since the rest of the body isn't waited for."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = JSONResponse(
            {"error": {"code": code, "message": message}},
            status,
            headers={"Connection": "close", **({"WWW-Authenticate": "Bearer"} if status == 401 else {})},
        )


def hook_routes(services: Services, metrics: Metrics) -> list[Route]:
    """Return a route for each way in which registries send notifications."""
    return [_hook_route(services, metrics, format_) for format_ in NOTIFICATION_FORMATS.values()]


def _hook_route(services: Services, metrics: Metrics, format_: NotificationFormat) -> Route:
    async def take_notification(request: Request) -> Response:
        try:
            outcome = await _take(request, services, format_)
        except _Refused as refused:
            is_stranger = refused.response.status_code == 401
            if is_stranger:
                metrics.unauthenticated.inc()
            metrics.notified(NotificationOutcome.REJECTED if is_stranger else NotificationOutcome.INVALID)
            return refused.response
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            # It is sent again.
            metrics.notified(NotificationOutcome.FAILED)
            log.exception("a notification could not be taken")
            return JSONResponse({"error": {"code": "INTERNAL", "message": "Try again."}}, 503)
        metrics.notified(outcome)
        return Response()

    return Route(f"/hooks/{format_.name}/{{public_id}}", take_notification, methods=["POST"])


async def _take(request: Request, services: Services, format_: NotificationFormat) -> NotificationOutcome:
    async with asyncio.timeout(TAKING_TIMEOUT_SECONDS):
        hook = await _open_hook(request, services)
    if not _JSON_TYPE.fullmatch(request.headers.get("content-type", "").partition(";")[0].strip().lower()):
        raise _Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send JSON, as a registry does.")
    body = await _body(request)
    try:
        changes = format_.parse(body)
    except NotNotifications as error:
        raise _Refused(400, "BAD_REQUEST", str(error)) from None
    async with asyncio.timeout(TAKING_TIMEOUT_SECONDS):
        await services.notifications.take(hook, changes)
    return NotificationOutcome.TAKEN if changes else NotificationOutcome.IGNORED


async def _open_hook(request: Request, services: Services) -> OpenHook:
    """Return whose notification it is, before anything of the body is read."""
    try:
        secret = bearer_token(request.headers.get("authorization"))
        return await services.hooks.open(request.path_params["public_id"], secret)
    except HookRejected:
        raise _Refused(
            401, "UNAUTHENTICATED", "There is no such hook, or its secret is another: Authorization: Bearer irhk_…"
        ) from None


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            return await read_body(request, MAX_BODY_BYTES)
    except BodyTooLarge:
        message = f"A notification may have at most {MAX_BODY_BYTES:,} bytes."
        raise _Refused(413, "LIMIT_EXCEEDED", message) from None
    except TimeoutError:
        message = f"The notification took more than {BODY_TIMEOUT_SECONDS:g} seconds to come."
        raise _Refused(408, "REQUEST_TIMED_OUT", message) from None
