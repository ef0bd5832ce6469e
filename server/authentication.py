"""Who is asking: access tokens for GraphQL, and the one-time code that is exchanged for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.versions import Versions
from resolvers.context import RequestContext
from server.graphql.sessions import NotAuthenticated
from services.access_tokens import AccessTokens, TokenRejected
from services.services import Services
from services.viewer import Viewer, ViewerScope

MAX_SIGN_IN_BYTES = 1000


@dataclass(frozen=True, slots=True)
class ViewerSession:
    """A viewer, for as long as a request, a stream or a socket lives."""

    viewer: Viewer
    services: Services
    first_versions: Versions
    """As they were when the viewer was authenticated."""

    @property
    def viewer_key(self) -> str:
        """What limits per viewer count by: the token."""
        return f"access token {self.viewer.access_token_id}"

    @property
    def scope(self) -> ViewerScope:
        """What the viewer shares with others of the same role."""
        return self.viewer.scope

    async def versions(self) -> Versions:
        """Return the versions of all tables now."""
        return await self.services.database.versions()

    def new_context(self, request_id: str) -> RequestContext:
        """Return a context with loaders of its own."""
        return RequestContext(self.viewer.scope, self.viewer, self.services, request_id)

    def new_shared_context(self, request_id: str) -> RequestContext:
        """Return one for what is told to all with the same scope."""
        return RequestContext(self.viewer.scope, None, self.services, request_id)

    def when_over(self, tell: Callable[[str], None]) -> Callable[[], None]:
        """Have a function called when the token has expired or is revoked; return what takes this back."""
        return self.services.access_tokens.when_over(self.viewer, tell)


class TokenAuthenticator:
    """Takes our access tokens, and nothing else."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def authenticate(self, token: str | None) -> ViewerSession:
        """Return the session of a token. Raises NotAuthenticated."""
        if token is None:
            raise NotAuthenticated("Give an access token: Authorization: Bearer irat_…")
        versions = await self._services.database.versions()
        try:
            viewer = await self._services.access_tokens.authenticate(token, versions)
            return ViewerSession(viewer, self._services, versions)
        except TokenRejected as error:
            raise NotAuthenticated(str(error)) from error


def sign_in_route(tokens: AccessTokens) -> Route:
    """Return the route that takes `{"code": "…"}` from the printed link and answers with a token."""

    async def sign_in(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json.")
        try:
            body = await _small_body(request)
            code = orjson.loads(body)["code"]
            if not isinstance(code, str):
                raise TypeError
        except ClientDisconnect:
            return Response(status_code=400)
        except (ValueError, KeyError, TypeError):
            return _refusal(400, "BAD_REQUEST", 'Send {"code": "…"}.')
        try:
            record, token = await tokens.redeem_sign_in_code(code)
        except TokenRejected as error:
            return _refusal(401, "UNAUTHENTICATED", str(error))
        return JSONResponse(
            {"token": token, "expiresAt": record.expires_at.isoformat().replace("+00:00", "Z")},
            headers={"Cache-Control": "no-store"},
        )

    return Route("/sign-in", sign_in, methods=["POST"])


async def _small_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_SIGN_IN_BYTES:
            raise ValueError("too large")
    return body


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers={"Cache-Control": "no-store"})
