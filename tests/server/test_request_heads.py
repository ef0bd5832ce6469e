"""Heads of requests that don't end, before anybody is asked who sends them."""

from __future__ import annotations

import socket
import time

import pytest

from server.request_heads import MAX_HEAD_BYTES, BoundedHeadsProtocol
from tests.server.raw_http import TIMEOUT_SECONDS
from tests.serving import RunningServer

BEGUN = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
FAR_TOO_MUCH_BYTES = 20 * 1024 * 1024


def answer_to(port: int, *parts: bytes) -> bytes:
    """Send parts over one connection, as far as they are taken; return what came until the server closed it."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part)
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionError:
            # What was sent after the server had closed is answered with a reset.
            pass
        return answer


@pytest.mark.parametrize(
    "begun",
    [
        BEGUN + b"X: ",
        b"GET /",
        BEGUN + b"X",
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    ],
    ids=["value", "address", "name", "trailer"],
)
def test_an_endless_head_is_cut_off(running_server: RunningServer, begun: bytes) -> None:
    taken = 0
    with socket.create_connection(("127.0.0.1", running_server.port), TIMEOUT_SECONDS) as connection:
        try:
            connection.sendall(begun)
            while taken < FAR_TOO_MUCH_BYTES:
                taken += connection.send(b"a" * 65536)
        except ConnectionError:
            pass

    assert taken < FAR_TOO_MUCH_BYTES
    assert running_server.request("GET", "/healthz").status == 200


def test_one_that_is_too_large_is_told_so(running_server: RunningServer) -> None:
    # Slowly, so that the answer is there before anything is sent that nobody reads.
    with socket.create_connection(("127.0.0.1", running_server.port), TIMEOUT_SECONDS) as connection:
        connection.settimeout(0.02)
        answer = b""
        connection.sendall(BEGUN + b"X: ")
        for _ in range(MAX_HEAD_BYTES // 1024 + 1):
            connection.sendall(b"a" * 1024)
            try:
                answer += connection.recv(4096)
            except TimeoutError:
                continue
            if answer:
                break

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_large_one_that_ends_is_answered(running_server: RunningServer) -> None:
    large = BEGUN + b"Connection: close\r\nX: " + b"a" * (MAX_HEAD_BYTES // 2)

    assert answer_to(running_server.port, large, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_body_is_no_head(running_server: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {running_server.admin_token}", "Content-Type": "application/json"}
    body = b'{"query": "{ __typename }"' + b" " * (12 * MAX_HEAD_BYTES) + b"}"

    assert running_server.request("POST", "/graphql", body, headers).status == 200


@pytest.mark.parametrize("begun", [b"", b"GET", BEGUN], ids=["nothing", "method", "headers"])
def test_who_does_not_finish_is_let_go(
    running_server: RunningServer, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(BoundedHeadsProtocol, "head_timeout_seconds", 0.2)

    assert answer_to(running_server.port, begun) == b""


def test_who_drips_behind_an_answer_is_let_go(running_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHeadsProtocol, "head_timeout_seconds", 0.5)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with socket.create_connection(("127.0.0.1", running_server.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(BEGUN + b"\r\n")
        connection.settimeout(0.1)
        is_open = True
        while is_open and time.monotonic() < deadline:
            try:
                connection.sendall(b"\r\n")
                is_open = connection.recv(4096) != b""
            except TimeoutError:
                continue
            except ConnectionError:
                is_open = False

    assert not is_open


def test_a_websocket_is_not_a_head(running_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHeadsProtocol, "head_timeout_seconds", 0.2)
    upgrade = (
        b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )

    closing = (4408).to_bytes(2, "big")
    with socket.create_connection(("127.0.0.1", running_server.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(upgrade)
        answer = b""
        while closing not in answer and (chunk := connection.recv(65536)):
            answer += chunk

    # It was closed for want of `connection_init`, seconds later, and by its own rules.
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert closing in answer
