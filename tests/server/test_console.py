"""The console's routes, asked over HTTP."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from server.console import CONTENT_SECURITY_POLICY, console_routes

INDEX = "<!doctype html><title>console</title>"
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built console of two files."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "index-1a2b3c.js").write_text("export {};")
    return folder


def serve_and_run(routes: list[BaseRoute], body: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    """Run `body` with a client of a server that has `routes`, on a port of the system's choice."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                async with aiohttp.ClientSession(base_url) as http:
                    await body(http)
            finally:
                server.should_exit = True
                await serving

    asyncio.run(asyncio.wait_for(run(), timeout=30))


def security_headers_of(response: aiohttp.ClientResponse) -> dict[str, str | None]:
    return {name: response.headers.get(name) for name in SECURITY_HEADERS}


def test_page_carries_the_security_headers_and_is_asked_for_afresh(dist: Path) -> None:
    async def body(http: aiohttp.ClientSession) -> None:
        async with http.get("/") as response:
            assert (response.status, response.content_type) == (200, "text/html")
            assert await response.text() == INDEX
            assert security_headers_of(response) == SECURITY_HEADERS
            assert response.headers["Cache-Control"] == "no-cache"

    serve_and_run(console_routes(dist, None), body)


def test_assets_are_kept_for_good(dist: Path) -> None:
    async def body(http: aiohttp.ClientSession) -> None:
        async with http.get("/assets/index-1a2b3c.js") as response:
            assert response.status == 200
            # What the machine's table of types says; browsers run both.
            assert response.content_type in {"text/javascript", "application/javascript"}
            assert await response.text() == "export {};"
            assert security_headers_of(response) == SECURITY_HEADERS
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"

    serve_and_run(console_routes(dist, None), body)


@pytest.mark.parametrize("path", ["/assets/other.js", "/assets/%2e%2e/index.html", "/assets/", "/index.html"])
def test_nothing_else_is_served_and_no_absence_is_kept(dist: Path, path: str) -> None:
    async def body(http: aiohttp.ClientSession) -> None:
        async with http.get(path) as response:
            assert response.status == 404
            assert "Cache-Control" not in response.headers

    serve_and_run(console_routes(dist, None), body)


def test_policy_allows_no_other_origin_and_no_eval() -> None:
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


def test_without_a_console_the_page_says_why_and_where_the_api_is() -> None:
    async def body(http: aiohttp.ClientSession) -> None:
        async with http.get("/") as response:
            text = await response.text()
            assert (response.status, response.content_type) == (200, "text/html")
            assert "GraphiQL was left out: it is switched off &lt;here&gt;." in text
            assert "<code>/graphql</code>" in text
            assert security_headers_of(response) == SECURITY_HEADERS
        async with http.get("/assets/index-1a2b3c.js") as response:
            assert response.status == 404

    serve_and_run(console_routes(None, "it is switched off <here>."), body)


def test_a_folder_without_a_console_is_as_none(tmp_path: Path) -> None:
    async def body(http: aiohttp.ClientSession) -> None:
        async with http.get("/") as response:
            assert "GraphiQL was left out: the console was not built." in await response.text()

    serve_and_run(console_routes(tmp_path, None), body)
