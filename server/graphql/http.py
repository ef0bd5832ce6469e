"""GraphQL over HTTP: one operation by POST, answered as JSON or as an event stream.

Source: GraphQL over HTTP, https://graphql.github.io/graphql-over-http/draft/. GET is left out: it would get
past the guard against forged requests, and no client of ours needs it.
"""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.graphql.bodies import BodyTooLarge, read_body
from server.graphql.connections import TooManyConnections
from server.graphql.deadlines import Deadlines, EndableBlock
from server.graphql.endpoint import Endpoint
from server.graphql.engine import Answer, Operation, RequestRefused
from server.graphql.errors import FieldErrorFormatter, FormattedError, request_error
from server.graphql.media_types import MediaType, is_json, negotiate
from server.graphql.requests import InvalidRequest, parse_body
from server.graphql.sessions import NotAuthenticated, Session, bearer_token
from server.graphql.sse import EventStream

WATCHED_AFTER_SECONDS = 0.02
"""A query that takes longer is ended when its client leaves."""


class _Refused(Exception):
    """A request that is answered with an HTTP error."""

    def __init__(self, status: int, error: FormattedError, headers: dict[str, str] | None = None) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = error
        self.headers = headers or {}


class GraphQLOverHTTP:
    """The ASGI app of the endpoint's HTTP side."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        limits = endpoint.limits
        self._login_deadlines = Deadlines(limits.operation_timeout_seconds)
        self._body_deadlines = Deadlines(limits.body_timeout_seconds)
        self._unwatched = Deadlines(WATCHED_AFTER_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A client that leaves ends its query or stream; a mutation runs to its end."""
        request = Request(scope, receive)
        request_id = self._endpoint.request_id(request)
        media_type: MediaType | None = None
        try:
            if request.method != "POST":
                message = f"GraphQL is asked by POST, not by {request.method}."
                raise _Refused(405, request_error("METHOD_NOT_ALLOWED", message), {"Allow": "POST"})
            session = await self._session(request)
            media_type = negotiate(request.headers.get("accept"))
            await self._answer(request, send, session, media_type, request_id)
        except _Refused as refused:
            body = orjson.dumps({"errors": [refused.error]})
            # An error in no acceptable type is more use than none (RFC 9110, 15.5.7).
            answer_type = MediaType.GRAPHQL_RESPONSE if media_type is MediaType.GRAPHQL_RESPONSE else MediaType.JSON
            response = _response(body, refused.status, answer_type, request_id, refused.headers)
            await response(scope, receive, send)
        except ClientDisconnect:
            return

    async def _answer(
        self, request: Request, send: Send, session: Session, media_type: MediaType | None, request_id: str
    ) -> None:
        if media_type is None:
            message = f"The answer can be {', '.join(MediaType)}; the Accept header allows none of them."
            raise _Refused(406, request_error("NOT_ACCEPTABLE", message))
        if not is_json(request.headers.get("content-type")):
            message = "The request must be application/json, in UTF-8."
            raise _Refused(415, request_error("UNSUPPORTED_MEDIA_TYPE", message))
        body = await self._body(request)
        try:
            graphql_request = parse_body(body)
        except InvalidRequest as error:
            raise _Refused(400, request_error(error.code, error.message)) from None
        try:
            outcome: Operation | Answer = self._endpoint.engine.prepare(graphql_request)
        except RequestRefused as refused:
            outcome = refused.answer
        if media_type is MediaType.EVENT_STREAM:
            await self._stream(request, send, session, outcome, request_id)
            return
        answer = outcome if isinstance(outcome, Answer) else await self._run(request, session, outcome, request_id)
        # GraphQL over HTTP, "Status Codes": application/json says 200 of every well-formed request.
        is_failure = answer.is_request_error and media_type is MediaType.GRAPHQL_RESPONSE
        response = _response(answer.body, 400 if is_failure else 200, media_type, request_id)
        await response(request.scope, request.receive, send)

    async def _run(self, request: Request, session: Session, operation: Operation, request_id: str) -> Answer:
        if operation.type is OperationType.SUBSCRIPTION:
            message = (
                "A subscription needs a stream: ask with 'Accept: text/event-stream', or over WebSocket "
                "(graphql-transport-ws)."
            )
            return RequestRefused([request_error("SUBSCRIPTION_NEEDS_STREAM", message)]).answer
        execution = self._endpoint.engine.execute(operation, session, request_id, session.first_versions)
        if operation.type is OperationType.MUTATION:
            return await execution
        return await self._while_connected(request, execution)

    async def _while_connected(self, request: Request, execution: Coroutine[Any, Any, Answer]) -> Answer:
        """Return what an execution returns, or cancel it when the client leaves (ClientDisconnect)."""
        watching: asyncio.Task[None] | None = None
        block, context = EndableBlock(), contextvars.copy_context()

        def watch() -> None:
            nonlocal watching
            watching = asyncio.create_task(_end_when_left(request.receive, block), context=context)

        # Most queries are answered before anybody could leave; a task beside each would cost as much as a small answer.
        unwatched = self._unwatched.begin(watch)
        try:
            with block:
                return await execution
        except TimeoutError:
            if block.was_ended:
                raise ClientDisconnect from None
            raise
        finally:
            self._unwatched.end(unwatched)
            if watching is not None:
                watching.cancel()
                await asyncio.wait((watching,))

    async def _stream(
        self, request: Request, send: Send, session: Session, outcome: Operation | Answer, request_id: str
    ) -> None:
        try:
            with self._endpoint.connections.counted(session.viewer_key):
                await EventStream(self._endpoint, request, send, session, request_id).run(outcome)
        except TooManyConnections as error:
            limited = request_error("LIMIT_EXCEEDED", str(error), limit="connections", allowed=error.allowed)
            raise _Refused(429, limited) from None

    async def _session(self, request: Request) -> Session:
        """Return who asks, before anything of the body is read."""
        endpoint = self._endpoint
        token = bearer_token(request.headers.get("authorization"))
        try:
            with self._login_deadlines.block():
                return await endpoint.authenticator.authenticate(token)
        except NotAuthenticated as error:
            endpoint.on_unauthenticated()
            refusal = request_error("UNAUTHENTICATED", error.message)
            raise _Refused(401, refusal, {"WWW-Authenticate": "Bearer"}) from None
        except Exception as error:  # the boundary: no stack trace for somebody unknown
            formatter = FieldErrorFormatter(endpoint.log, endpoint.request_id(request))
            raise _Refused(500, formatter.format_unforeseen(error, "graphql_authentication_failed")) from error

    async def _body(self, request: Request) -> bytes:
        limits = self._endpoint.limits
        # The rest of the body is not waited for, so the connection can't be used again.
        closing = {"Connection": "close"}
        try:
            with self._body_deadlines.block():
                return await read_body(request, limits.max_body_bytes)
        except BodyTooLarge:
            message = f"The request may have at most {limits.max_body_bytes:,} bytes."
            error = request_error("LIMIT_EXCEEDED", message, limit="bodyBytes", allowed=limits.max_body_bytes)
            raise _Refused(413, error, closing) from None
        except TimeoutError:
            message = f"The request's body took more than {limits.body_timeout_seconds:g} seconds."
            raise _Refused(408, request_error("REQUEST_TIMED_OUT", message), closing) from None


async def _end_when_left(receive: Receive, block: EndableBlock) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    block.end()


def _response(
    body: bytes, status: int, media_type: MediaType, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        body,
        status,
        {"X-Request-Id": request_id, "Cache-Control": "no-store", **(headers or {})},
        # Not `media_type=`: Starlette adds the charset to text types alone.
        f"{media_type}; charset=utf-8",
    )
