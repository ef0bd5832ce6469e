"""Public GraphQL clients, none of them adapted, behind one way to drive them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed
from gql.transport.websockets import WebsocketsTransport

CLIENTS = Path(__file__).parent
RETRY_SECONDS = 0.1


class PublicClient(Protocol):
    """What the tests ask of a client."""

    async def execute(self, query: str, **variables: Any) -> Any:
        """Send a query or a mutation and return its data."""
        ...

    def subscribe(self, query: str, **variables: Any) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Follow a subscription as long as the block.

        When the connection is lost the client comes back by itself. A variable `after` of the subscription is
        then the cursor of the last message, as an application would keep it.
        """
        ...


Connect = Callable[[str, str], AbstractAsyncContextManager[PublicClient]]


class NodeClient:
    """A client from npm: a script sends what it reads line by line, and writes what comes back."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._count = 0
        self._answers: dict[int, asyncio.Queue[Any]] = {}
        self._reading = asyncio.create_task(self._read())

    async def execute(self, query: str, **variables: Any) -> Any:
        """Send a query or a mutation and return its data."""
        async with self.subscribe(query, **variables) as answers:
            return await anext(answers)

    @asynccontextmanager
    async def subscribe(self, query: str, **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """Follow a subscription as long as the block."""
        self._count += 1
        number = self._count
        self._answers[number] = asyncio.Queue()
        self._send({"start": number, "query": query, "variables": variables})
        try:
            yield self._received(number)
        finally:
            self._send({"stop": number})

    async def close(self) -> None:
        """End the script, which ends when there is nothing left to read."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            await self._reading

    async def _received(self, number: int) -> AsyncIterator[Any]:
        while True:
            answer = await self._answers[number].get()
            if "failed" in answer:
                raise AssertionError(answer["failed"])
            assert "errors" not in answer, answer
            yield answer["data"]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            await self._answers[message["number"]].put(message["answer"])
        for queue in self._answers.values():
            await queue.put({"failed": "the client's process has ended"})


class GqlClient:
    """gql over its WebSocket transport."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.replace("http", "ws", 1)
        self._token = token

    async def execute(self, query: str, **variables: Any) -> Any:
        """Send a query or a mutation and return its data."""
        request = gql(query)
        request.variable_values = variables
        async with self._connected() as session:
            return await session.execute(request)

    @asynccontextmanager
    async def subscribe(self, query: str, **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """Follow a subscription as long as the block."""
        async with contextlib.aclosing(self._events(query, variables)) as events:
            yield events

    async def _events(self, query: str, variables: dict[str, Any]) -> AsyncGenerator[Any, None]:
        request = gql(query)
        while True:
            request.variable_values = variables
            try:
                async with self._connected() as session:
                    async for event in session.subscribe(request):
                        variables = _resumed(variables, event)
                        yield event
            except (OSError, TransportConnectionFailed):
                await asyncio.sleep(RETRY_SECONDS)

    def _connected(self) -> Client:
        headers = {"Authorization": f"Bearer {self._token}"}
        return Client(transport=WebsocketsTransport(self._url, init_payload=headers))


def _resumed(variables: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    if "after" not in variables:
        return variables
    (message,) = event.values()
    return variables | {"after": message["cursor"]}


def _npm_client(script: str) -> Connect:
    @asynccontextmanager
    async def connect(endpoint: str, token: str) -> AsyncIterator[PublicClient]:
        _require_npm_clients()
        process = await asyncio.create_subprocess_exec(
            "node",
            script,
            cwd=CLIENTS,
            env={"PATH": os.environ["PATH"], "ENDPOINT": endpoint, "TOKEN": token},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        client = NodeClient(process)
        try:
            yield client
        finally:
            await client.close()

    return connect


@asynccontextmanager
async def _gql_client(endpoint: str, token: str) -> AsyncIterator[PublicClient]:
    yield GqlClient(endpoint, token)


def _require_npm_clients() -> None:
    if shutil.which("node") is None or not (CLIENTS / "node_modules").is_dir():
        reason = "needs Node, and `npm ci` in tests/clients"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


PUBLIC_CLIENTS: dict[str, Connect] = {
    "graphql-ws": _npm_client("follow_over_websocket.mjs"),
    "graphql-sse": _npm_client("follow_over_sse.mjs"),
    "gql": _gql_client,
}
