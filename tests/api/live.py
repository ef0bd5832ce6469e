"""Subscriptions as clients hold them: over WebSocket (graphql-transport-ws) and Server-Sent Events."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

from tests.serving import RunningServer

ANSWER_SECONDS = 10.0
SMALL_BUFFER_BYTES = 4096


class Subscribed(Protocol):
    """A running subscription."""

    def next(self) -> dict[str, Any]:
        """Return the next result; fail when none comes in time, or the stream ends."""
        ...

    def end(self) -> list[dict[str, Any]]:
        """Return the errors with which the stream ends; fail when it doesn't in time."""
        ...


class OverWebSocket:
    """One subscription on a socket of its own."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def next(self) -> dict[str, Any]:
        """Return the payload of the next message."""
        message = json.loads(self.connection.recv(ANSWER_SECONDS))
        assert message["type"] == "next", message
        payload: dict[str, Any] = message["payload"]
        return payload

    def end(self) -> list[dict[str, Any]]:
        """Return the errors of the last message, after which comes `complete` or nothing."""
        message = json.loads(self.connection.recv(ANSWER_SECONDS))
        errors: list[dict[str, Any]]
        if message["type"] == "error":
            errors = message["payload"]
        else:
            errors = message["payload"]["errors"]
            assert json.loads(self.connection.recv(ANSWER_SECONDS))["type"] == "complete"
        return errors


class OverEventStream:
    """One subscription as a response that goes on."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def next(self) -> dict[str, Any]:
        """Return the data of the next event."""
        name, data = self._event()
        assert name == "next", (name, data)
        payload: dict[str, Any] = json.loads(data)
        return payload

    def end(self) -> list[dict[str, Any]]:
        """Return the errors of the last event, after which comes `complete`."""
        errors: list[dict[str, Any]] = self.next()["errors"]
        assert self._event()[0] == "complete"
        return errors

    def _event(self) -> tuple[str, str]:
        fields: dict[str, str] = {}
        while line := self._response.readline().decode():
            name, _, value = line.rstrip("\n").partition(":")
            if name:
                fields[name] = value.strip()
            elif line == "\n" and fields:
                # Comments, which keep the stream open, end in an empty line too.
                break
        return fields.get("event", ""), fields.get("data", "")


@contextmanager
def over_websocket(
    server: RunningServer, query: str, variables: dict[str, Any], token: str | None = None, *, is_slow: bool = False
) -> Iterator[OverWebSocket]:
    """Subscribe for the length of the block; a slow client has hardly any room for what it hasn't read."""
    endpoint = socket.socket()
    if is_slow:
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    endpoint.connect(("127.0.0.1", server.port))
    url = f"ws://127.0.0.1:{server.port}/graphql"
    options: dict[str, Any] = {"max_queue": 1} if is_slow else {}
    with connect(
        url,
        sock=endpoint,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
        close_timeout=0.5,
        **options,
    ) as connection:
        authorization = f"Bearer {token or server.admin_token}"
        connection.send(json.dumps({"type": "connection_init", "payload": {"Authorization": authorization}}))
        assert json.loads(connection.recv(ANSWER_SECONDS)) == {"type": "connection_ack"}
        payload = {"query": query, "variables": variables}
        connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        yield OverWebSocket(connection)


@contextmanager
def over_event_stream(
    server: RunningServer, query: str, variables: dict[str, Any], token: str | None = None
) -> Iterator[OverEventStream]:
    """Subscribe for the length of the block."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS)) as connection:
        headers = {
            "Authorization": f"Bearer {token or server.admin_token}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
        }
        connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables}), headers)
        with closing(connection.getresponse()) as response:
            assert response.status == 200, response.read()
            yield OverEventStream(response)
