"""What browsers are told: origins, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.raw_http import exchange, handshake
from tests.serving import RunningServer, running_server

FRONTEND = "https://console.example.com"
CORS = {"access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers"}


@pytest.fixture(scope="module")
def server_with_frontend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("frontend") / "data", allowed_origins=FRONTEND + "/") as started:
        yield started


def preflight(server: RunningServer, origin: str) -> tuple[int, dict[str, str]]:
    status, headers, _ = exchange(
        server.port,
        "OPTIONS /graphql HTTP/1.1",
        "Host: localhost",
        f"Origin: {origin}",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization, content-type, x-request-id",
    )
    return status, headers


def test_a_frontend_of_ours_may_ask(server_with_frontend: RunningServer) -> None:
    status, headers = preflight(server_with_frontend, FRONTEND)
    assert status == 200
    assert headers["access-control-allow-origin"] == FRONTEND
    assert "authorization" in headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in headers
    _, headers, _ = exchange(
        server_with_frontend.port,
        "POST /graphql HTTP/1.1",
        "Host: localhost",
        f"Origin: {FRONTEND}",
        "Content-Length: 0",
    )
    assert headers["access-control-allow-origin"] == FRONTEND
    assert headers["access-control-expose-headers"] == "X-Request-Id"
    assert handshake(server_with_frontend.port, "localhost", f"Origin: {FRONTEND}") == 101


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "http://console.example.com",
        "https://console.example.com:8443",
        "https://console.example.com.evil.example.com",
        "null",
    ],
)
def test_another_page_may_not(server_with_frontend: RunningServer, origin: str) -> None:
    status, headers = preflight(server_with_frontend, origin)
    assert status == 400
    assert "access-control-allow-origin" not in headers
    assert handshake(server_with_frontend.port, "localhost", f"Origin: {origin}") == 403


def test_without_frontends_elsewhere_nothing_is_said_of_origins(running_server: RunningServer) -> None:
    status, headers = preflight(running_server, FRONTEND)
    assert status == 405
    assert not CORS & headers.keys()
    assert handshake(running_server.port, "localhost", f"Origin: {FRONTEND}") == 403
    assert handshake(running_server.port, "localhost:8000", "Origin: http://localhost:8000") == 101


def test_every_answer_is_what_it_says_and_is_kept_nowhere(running_server: RunningServer) -> None:
    authorization = f"Authorization: Bearer {running_server.admin_token}"
    for method, path in [
        ("POST", "/graphql"),
        ("GET", "/graphql"),
        ("POST", "/sign-in"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/nothing"),
    ]:
        _, headers, _ = exchange(
            running_server.port, f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Length: 0", authorization
        )
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cache-control"] == "no-store", path
        assert headers["x-frame-options"] == "DENY", path
        assert "server" not in headers
    _, headers, _ = exchange(running_server.port, "GET / HTTP/1.1", "Host: localhost")
    assert headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in headers["content-security-policy"]
