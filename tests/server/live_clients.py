"""A WebSocket and an event stream, held open by a test."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

SUBSCRIPTION = "subscription { events { type } }"
TIMEOUT_SECONDS = 30.0


@contextmanager
def open_socket(port: int, token: str) -> Iterator[ClientConnection]:
    """A WebSocket that was acknowledged."""
    with connect(
        f"ws://127.0.0.1:{port}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")], compression=None
    ) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        assert json.loads(socket.recv(TIMEOUT_SECONDS)) == {"type": "connection_ack"}
        yield socket


def subscribe(socket: ClientConnection, query: str = SUBSCRIPTION) -> None:
    """Begin a subscription, and return when it runs."""
    socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
    # Messages are taken in turn: the answer to the second says that the first has begun.
    socket.send(json.dumps({"type": "ping"}))
    assert json.loads(socket.recv(TIMEOUT_SECONDS))["type"] == "pong"


@contextmanager
def open_stream(port: int, token: str, query: str = SUBSCRIPTION) -> Iterator[http.client.HTTPResponse]:
    """An event stream whose head has come."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST",
            "/graphql",
            json.dumps({"query": query}),
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Accept": "text/event-stream",
            },
        )
        response = connection.getresponse()
        assert response.status == 200
        yield response
    finally:
        connection.close()


def messages_until_closed(socket: ClientConnection) -> None:
    """Take messages until the socket is closed. Raises ConnectionClosed, or TimeoutError when it isn't."""
    while True:
        socket.recv(TIMEOUT_SECONDS)
