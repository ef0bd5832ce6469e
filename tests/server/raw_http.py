"""Requests byte for byte: what no well-meaning client would send."""

from __future__ import annotations

import socket

TIMEOUT_SECONDS = 30.0


def exchange(port: int, *lines: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Send a head of these lines, and a body, over a connection of its own; return status, headers and body."""
    if not any(line.startswith("Connection:") for line in lines):
        lines = (*lines, "Connection: close")
    head = "\r\n".join((*lines, "", ""))
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
        connection.sendall(head.encode("latin-1") + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if answer.startswith(b"HTTP/1.1 101"):
                break
    head_bytes, _, rest = answer.partition(b"\r\n\r\n")
    status, *headers = head_bytes.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in headers)
    return int(status.split()[1]), {name.lower(): value for name, _, value in pairs}, rest


def handshake(port: int, host: str, *further: str) -> int:
    """Ask for a WebSocket; return the status."""
    status, _, _ = exchange(
        port,
        "GET /graphql HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
        *further,
    )
    return status
