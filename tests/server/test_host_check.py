"""To which Host headers the server answers, over HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.raw_http import exchange, handshake
from tests.serving import RunningServer, running_server

SETTINGS = {
    "public_url": "https://bücher.example/registries",
    "allowed_hosts": "registries.example.com:8443,Other.example.com",
}

TRIES = 5
OURS = [
    "127.0.0.1",
    "127.0.0.1:8000",
    "192.0.2.7",
    "[::1]",
    "[::1]:8000",
    "[2001:db8::1]:443",
    "localhost",
    "LOCALHOST:8000",
    "localhost.",
    "localhost.:8000",
    "xn--bcher-kva.example",
    "registries.example.com",
    "REGISTRIES.example.com:1",
    "other.example.com",
]

NOT_OURS = [
    "evil.example.com",
    "evil.example.com:8000",
    "localhost.evil.example.com",
    "127.0.0.1.evil.example.com",
    "evil.example.com:127.0.0.1",
    "registries.example.com.evil.example.com",
    "sub.registries.example.com",
    "::1",
    "[127.0.0.1]",
    "[::1]evil",
    "[::1",
    "2130706433",
    "127.1",
    "localhost:8000@evil.example.com",
    "localhost, evil.example.com",
    "",
]


@pytest.fixture(scope="module")
def named_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("named") / "data", **SETTINGS) as started:
        yield started


@pytest.mark.parametrize("host", OURS)
def test_a_host_of_ours_is_answered_to(named_server: RunningServer, host: str) -> None:
    assert exchange(named_server.port, "GET /healthz HTTP/1.1", f"Host: {host}")[0] == 200
    assert handshake(named_server.port, host) == 101


@pytest.mark.parametrize("host", NOT_OURS)
def test_another_host_is_refused_before_anything_is_looked_at(named_server: RunningServer, host: str) -> None:
    authorization = f"Authorization: Bearer {named_server.admin_token}"

    def statements_until_refused() -> int:
        before = named_server.services.database.statement_count
        for path in ("/healthz", "/graphql", "/", "/metrics"):
            status, headers, body = exchange(named_server.port, f"GET {path} HTTP/1.1", f"Host: {host}", authorization)
            assert status == 421, path
            assert "INTEGRATED_REGISTRY_ALLOWED_HOSTS" in body.decode()
            assert headers["x-request-id"]
        assert handshake(named_server.port, host, authorization) == 421
        return named_server.services.database.statement_count - before

    # The background work makes some as well, so the least of several tries is what a refusal takes.
    assert min(statements_until_refused() for _ in range(TRIES)) == 0


def test_two_host_headers_are_refused(named_server: RunningServer) -> None:
    lines = ("GET /healthz HTTP/1.1", "Host: localhost", "Host: evil.example.com")
    assert exchange(named_server.port, *lines)[0] in (400, 421)
    assert exchange(named_server.port, lines[0], *reversed(lines[1:]))[0] in (400, 421)
    assert exchange(named_server.port, "GET /healthz HTTP/1.0")[0] in (400, 421)


def test_forwarded_hosts_are_not_believed(named_server: RunningServer) -> None:
    lines = (
        "GET /healthz HTTP/1.1",
        "Host: evil.example.com",
        "X-Forwarded-Host: localhost",
        "Forwarded: host=localhost",
    )
    assert exchange(named_server.port, *lines)[0] == 421


def test_a_server_on_every_interface_is_localhost_too_and_nobody_else(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", host="0.0.0.0") as server:  # noqa: S104
        assert exchange(server.port, "GET /healthz HTTP/1.1", "Host: localhost")[0] == 200
        assert exchange(server.port, "GET /healthz HTTP/1.1", "Host: evil.example.com")[0] == 421
