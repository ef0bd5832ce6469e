"""GraphQL over Server-Sent Events, in the mode of distinct connections: one operation, one stream.

Source: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. The other mode (one connection for
several operations, reserved by PUT) isn't offered: HTTP/2 and WebSockets do the same with less state.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.types import Send

from server.graphql.endpoint import Endpoint
from server.graphql.engine import Answer, Operation
from server.graphql.errors import request_error
from server.graphql.sessions import Session

_COMPLETE = b"event: complete\ndata:\n\n"
_KEEP_ALIVE = b":\n\n"


class _StreamOver(Exception):
    """Ends the tasks of a stream; `last_words` are still sent."""

    def __init__(self, last_words: bytes = b"") -> None:
        super().__init__()
        self.last_words = last_words


class EventStream:
    """The stream of one operation's answers, from its beginning until one side ends it."""

    def __init__(self, endpoint: Endpoint, request: Request, send: Send, session: Session, request_id: str) -> None:
        self._endpoint = endpoint
        self._request = request
        self._send = send
        self._session = session
        self._request_id = request_id

    async def run(self, outcome: Operation | Answer) -> None:
        """Send the answers of an operation, or the one that refuses it, and return when the stream is over.

        It ends with `complete` when the operation has, or when the viewer's session is over (after an
        UNAUTHENTICATED error); without it at shutdown, so that clients come again; and when the client
        leaves, or takes nothing for `send_timeout_seconds`. The operation is then cancelled, its source
        closed, unless it is a mutation, which runs to its end.
        """
        await self._start()
        last_words = b""
        mutation: asyncio.Task[Answer] | None = None
        if isinstance(outcome, Operation) and outcome.type is OperationType.MUTATION:
            # Owned here and not by the group, which a client that leaves takes down.
            mutation = asyncio.create_task(self._execute(outcome))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_client_leaves())
                tasks.create_task(self._until_session_over())
                tasks.create_task(self._until_shutdown())
                tasks.create_task(self._keep_alive())
                tasks.create_task(self._send_answers(outcome, mutation))
        except* _StreamOver as over:
            (last_words, *_) = (error.last_words for error in over.exceptions if isinstance(error, _StreamOver))
        finally:
            if mutation is not None:
                await mutation
        try:
            await self._send_bytes(last_words, more=False)
        except _StreamOver:
            return

    async def _start(self) -> None:
        headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-store",
            # Tells nginx, and proxies that follow it, to pass each event on at once.
            "x-accel-buffering": "no",
            "x-request-id": self._request_id,
        }
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def _send_answers(self, outcome: Operation | Answer, mutation: asyncio.Task[Answer] | None) -> None:
        if isinstance(outcome, Answer):
            await self._send_bytes(_next(outcome))
        elif mutation is not None:
            await self._send_bytes(_next(await asyncio.shield(mutation)))
        else:
            async with aclosing(self._answers(outcome)) as answers:
                async for answer in answers:
                    await self._send_bytes(_next(answer))
        raise _StreamOver(_COMPLETE)

    async def _answers(self, operation: Operation) -> AsyncGenerator[Answer, None]:
        if operation.type is OperationType.QUERY:
            yield await self._execute(operation)
            return
        engine = self._endpoint.engine
        async with aclosing(engine.subscribe(operation, self._session, self._request_id)) as answers:
            async for answer in answers:
                yield answer

    async def _execute(self, operation: Operation) -> Answer:
        return await self._endpoint.engine.execute(operation, self._session, self._request_id)

    async def _until_client_leaves(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        raise _StreamOver

    async def _until_session_over(self) -> None:
        # Not a future: told in the moment in which this is cancelled, it would raise at whoever tells all sessions.
        reasons: asyncio.Queue[str] = asyncio.Queue()
        forget = self._session.when_over(reasons.put_nowait)
        try:
            reason = await reasons.get()
        finally:
            forget()
        error = request_error("UNAUTHENTICATED", reason)
        raise _StreamOver(_event("next", orjson.dumps({"errors": [error]})) + _COMPLETE)

    async def _until_shutdown(self) -> None:
        await self._endpoint.shutdown.wait()
        raise _StreamOver

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._endpoint.limits.keep_alive_seconds)
            await self._send_bytes(_KEEP_ALIVE)

    async def _send_bytes(self, chunk: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(self._endpoint.limits.send_timeout_seconds):
                await self._send({"type": "http.response.body", "body": chunk, "more_body": more})
        except (TimeoutError, OSError) as error:
            raise _StreamOver from error


def _next(answer: Answer) -> bytes:
    return _event("next", answer.body, answer.cursor)


def _event(name: str, data: bytes, event_id: str | None = None) -> bytes:
    # JSON has no raw line breaks, so one data line holds it. An id with one would forge events; a NUL in it
    # makes browsers ignore it (HTML, "Server-sent events").
    is_safe = event_id is not None and not any(character in event_id for character in "\r\n\0")
    id_line = f"id: {event_id}\n".encode() if is_safe else b""
    return b"event: " + name.encode() + b"\n" + id_line + b"data: " + data + b"\n\n"
