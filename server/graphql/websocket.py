"""GraphQL over WebSocket: the subprotocol graphql-transport-ws, and no other.

Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. The ASGI server refuses messages that
are longer than its `ws_max_size`; give it `Limits.max_websocket_message_bytes`.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import structlog
from graphql import OperationType
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from server.graphql.connections import TooManyConnections
from server.graphql.deadlines import Deadlines
from server.graphql.endpoint import Endpoint
from server.graphql.engine import Answer, Operation, RequestRefused
from server.graphql.errors import request_error
from server.graphql.immediate_sending import send_at_once_of
from server.graphql.origins import is_origin_allowed
from server.graphql.sessions import NotAuthenticated, Session, bearer_token
from server.graphql.websocket_messages import (
    SUBPROTOCOL,
    CloseCode,
    CloseSocket,
    Complete,
    ConnectionInit,
    Ping,
    Subscribe,
    next_message_around,
    parse_message,
    server_message,
)


class GraphQLOverWebSocket:
    """The ASGI app of the endpoint's WebSocket side."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._deadlines = Deadlines(endpoint.limits.send_timeout_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until one side closes it."""
        socket = WebSocket(scope, receive, send)
        headers = socket.headers
        if not is_origin_allowed(headers.get("origin"), headers.get("host"), self._endpoint.allowed_origins):
            refusal = PlainTextResponse("Pages of this origin may not connect.", 403)
            await socket.send_denial_response(refusal)
            return
        if SUBPROTOCOL not in scope["subprotocols"]:
            # Without being accepted first, a browser couldn't tell why it was closed.
            await socket.accept()
            await socket.close(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        await socket.accept(SUBPROTOCOL)
        await _Connection(self._endpoint, self._deadlines, socket).run()


class _Connection:
    """One accepted socket and the operations that run on it.

    The reader and the task of each operation are a group, which ends when any of them raises CloseSocket or
    WebSocketDisconnect. Mutations are owned apart, since a client that leaves must not leave one half-done.
    Nothing is queued: each task waits until its message is on its way, so a slow client holds up its sources.
    There may be thousands of them, so each has little of its own.
    """

    __slots__ = (
        "_deadlines",
        "_endpoint",
        "_forget_connection",
        "_limits",
        "_mutations",
        "_operations",
        "_socket",
        "_tasks",
    )

    def __init__(self, endpoint: Endpoint, deadlines: Deadlines, socket: WebSocket) -> None:
        self._endpoint = endpoint
        self._deadlines = deadlines
        self._limits = endpoint.limits
        self._socket = socket
        self._tasks = asyncio.TaskGroup()
        self._forget_connection: Callable[[], None] | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._mutations: set[asyncio.Task[Answer]] = set()

    async def run(self) -> None:
        """Serve the socket; when this returns, everything that ran on it has ended."""
        try:
            closing = await self._serve()
            if closing is not None:
                await self._close(closing)
        finally:
            if self._mutations:
                await asyncio.wait(self._mutations)

    async def _serve(self) -> CloseSocket | None:
        """Read and answer until one side is done; return how to close, or None when the client has left."""
        closing: CloseSocket | None = None
        try:
            async with self._tasks:
                await self._read()
        except* WebSocketDisconnect:
            pass
        except* CloseSocket as group:
            (closing, *_) = (error for error in group.exceptions if isinstance(error, CloseSocket))
        except* Exception as group:
            self._endpoint.log.error("graphql_websocket_failed", exc_info=group)
            closing = CloseSocket(CloseCode.INTERNAL_ERROR, "Internal error")
        finally:
            if self._forget_connection is not None:
                self._forget_connection()
        return closing

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._limits.init_timeout_seconds):
                session = await self._initialise()
        except TimeoutError:
            raise CloseSocket(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout") from None
        try:
            self._forget_connection = self._endpoint.connections.count(session.viewer_key)
        except TooManyConnections as error:
            raise CloseSocket(CloseCode.TOO_MANY, str(error)) from None
        forget_session = session.when_over(self._end_with_session)
        try:
            await self._send(server_message("connection_ack"))
            while True:
                match await self._receive():
                    case Ping(payload):
                        await self._send(server_message("pong", payload=payload))
                    case Subscribe() as message:
                        self._begin(message, session)
                    case Complete(operation_id):
                        await self._cancel(operation_id)
                    case ConnectionInit():
                        raise CloseSocket(CloseCode.TOO_MANY, "Too many initialisation requests")
        finally:
            forget_session()

    async def _initialise(self) -> Session:
        """Return whose socket this is, once `connection_init` has said so."""
        while True:
            match await self._receive():
                case ConnectionInit() as message:
                    break
                case Ping(payload):
                    await self._send(server_message("pong", payload=payload))
                case Subscribe():
                    raise CloseSocket(CloseCode.UNAUTHORIZED, "Unauthorized")
        authorization = message.authorization or self._socket.headers.get("authorization")
        try:
            return await self._endpoint.authenticator.authenticate(bearer_token(authorization))
        except NotAuthenticated as error:
            self._endpoint.on_unauthenticated()
            raise CloseSocket(CloseCode.FORBIDDEN, error.message) from None

    def _end_with_session(self, reason: str) -> None:
        self._end(CloseSocket(CloseCode.FORBIDDEN, reason))

    def _end_as_stuck(self) -> None:
        self._end(CloseSocket(CloseCode.TRY_AGAIN_LATER, "The client takes no messages"))

    def _end(self, closing: CloseSocket) -> None:
        """End the group, from outside of it."""
        ending = _raised(closing)
        try:
            self._tasks.create_task(ending)
        except RuntimeError:
            # It is ending already.
            ending.close()

    def _begin(self, message: Subscribe, session: Session) -> None:
        if message.id in self._operations:
            raise CloseSocket(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        if len(self._operations) + len(self._mutations) < self._limits.max_operations_per_connection:
            operating = self._operate(message, session)
        else:
            operating = self._refuse_one_too_many(message.id)
        self._operations[message.id] = self._tasks.create_task(operating)

    async def _operate(self, message: Subscribe, session: Session) -> None:
        """Run an operation and send its answers; the id is free again before the last message is sent."""
        request_id = self._endpoint.new_request_id()
        # The task is this operation's own, and so is what is logged in it.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        operation_id = message.id
        try:
            operation = self._endpoint.engine.prepare(message.request)
        except RequestRefused as refused:
            await self._send_last(message.id, refused.answer)
            return
        if operation.type is OperationType.SUBSCRIPTION:
            send_at_once = _sender_at_once(self._socket, operation_id)
            async with aclosing(
                self._endpoint.engine.subscribe(operation, session, request_id, send_at_once)
            ) as answers:
                # What is idle needs nothing of these any more.
                del message, operation, session
                async for answer in answers:
                    if answer.is_request_error:
                        await self._send_last(operation_id, answer)
                        return
                    await self._send(server_message("next", operation_id, answer.body))
            await self._send_last(operation_id, None)
        else:
            await self._send_last(message.id, await self._execute(operation, session, request_id))

    async def _execute(self, operation: Operation, session: Session, request_id: str) -> Answer:
        execution = self._endpoint.engine.execute(operation, session, request_id)
        if operation.type is OperationType.QUERY:
            return await execution
        mutation = asyncio.create_task(execution)
        self._mutations.add(mutation)
        mutation.add_done_callback(self._mutations.discard)
        return await asyncio.shield(mutation)

    async def _refuse_one_too_many(self, operation_id: str) -> None:
        allowed = self._limits.max_operations_per_connection
        message = f"A connection may have at most {allowed} operations under way."
        error = request_error("LIMIT_EXCEEDED", message, limit="operations", allowed=allowed)
        await self._send_last(operation_id, RequestRefused([error]).answer)

    async def _send_last(self, operation_id: str, answer: Answer | None) -> None:
        """Send what ends an operation: `error` alone, or the answer, if any, and `complete`."""
        if answer is not None and answer.is_request_error:
            del self._operations[operation_id]
            await self._send(server_message("error", operation_id, list(answer.errors)))
            return
        if answer is not None:
            await self._send(server_message("next", operation_id, answer.body))
        del self._operations[operation_id]
        await self._send(server_message("complete", operation_id))

    async def _cancel(self, operation_id: str) -> None:
        """End an operation that the client is done with, if it runs, and wait for its clean-up."""
        operating = self._operations.pop(operation_id, None)
        if operating is not None:
            operating.cancel()
            await asyncio.wait((operating,))

    async def _receive(self) -> object:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1005, message.get("reason"))
        return parse_message(message.get("text"))

    async def _send(self, text: str) -> None:
        wait = self._deadlines.begin(self._end_as_stuck)
        try:
            await self._socket.send_text(text)
        except WebSocketDisconnected:
            # Another task's message found out first.
            raise WebSocketDisconnect(1006) from None
        finally:
            self._deadlines.end(wait)

    async def _close(self, closing: CloseSocket) -> None:
        """Close the socket, if it still is open to us."""
        try:
            async with asyncio.timeout(self._limits.send_timeout_seconds):
                await self._socket.close(closing.code, closing.reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return


def _sender_at_once(socket: WebSocket, operation_id: str) -> Callable[[Answer], bool] | None:
    """Return what sends an answer of an operation without waiting, or returns False; None where there is no way."""
    send_at_once = send_at_once_of(socket.scope)
    if send_at_once is None:
        return None
    head, tail = next_message_around(operation_id)

    def send(answer: Answer) -> bool:
        return send_at_once(head, answer.body, tail)

    return send


async def _raised(closing: CloseSocket) -> None:
    raise closing
