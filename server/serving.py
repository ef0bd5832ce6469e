"""The server process: listening, saying where, stopping."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import Callable

import structlog
import uvicorn
from starlette.applications import Starlette

from schema.schema import build_schema
from server.application import build_application, console_state
from server.assembly import running_services
from server.data_folder import ADMIN_TOKEN_FILE
from server.graphql.limits import Limits
from server.settings import Settings
from services.access_tokens import AccessTokens

log = structlog.get_logger("server")

GRACE_SECONDS = 10
GARBAGE_THRESHOLD = 50_000
"""Allocations between collections: GraphQL answers make many objects that die without a cycle."""


class Server(uvicorn.Server):
    """uvicorn's server, with what happens once it listens and once it is to stop."""

    def __init__(
        self, config: uvicorn.Config, on_listening: Callable[[int], None], shutdown_event: asyncio.Event
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._shutdown_event = shutdown_event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_listening(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End open event streams first: uvicorn would wait for them."""
        self._shutdown_event.set()
        await super().shutdown(sockets=sockets)


async def serve(settings: Settings) -> bool:
    """Serve until told to stop; return whether it ever listened.

    Raises what keeps the services from starting: see `server.assembly.running_services`.
    """
    limits = Limits()
    schema = await asyncio.to_thread(build_schema)
    shutdown = asyncio.Event()
    async with running_services(settings) as services:
        application = build_application(settings, services, schema, limits, shutdown)
        config = uvicorn_config(application, settings, limits)
        server = Server(config, lambda port: _announce(settings, port, services.access_tokens), shutdown)
        # What is there now stays: the collector needn't look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
        await server.serve()
        return server.started


def uvicorn_config(application: Starlette, settings: Settings, limits: Limits) -> uvicorn.Config:
    """Return how uvicorn is to serve the application."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=limits.max_websocket_message_bytes,
        ws_per_message_deflate=False,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        timeout_graceful_shutdown=GRACE_SECONDS,
        proxy_headers=False,
    )


def _announce(settings: Settings, port: int, tokens: AccessTokens) -> None:
    address = settings.public_url or _local_address(settings, port)
    dist, reason = console_state(settings)
    log.info("listening", url=address, graphql=f"{address}/graphql", console=dist is not None)
    if reason is not None:
        log.warning("GraphiQL was left out", why=reason)
    token_file = (settings.data / ADMIN_TOKEN_FILE).absolute()
    if sys.stdout.isatty() and dist is not None:
        # The code stands in the fragment, which browsers keep to themselves. Only a terminal shows it.
        print(f"\n  Sign in: {address}/#code={tokens.new_sign_in_code()}\n", flush=True)  # noqa: T201
    else:
        print(f"\n  {address} · the admin token is in {token_file}\n", flush=True)  # noqa: T201


def _local_address(settings: Settings, port: int) -> str:
    scheme = "http" if settings.tls_certificate_file is None else "https"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{scheme}://{host}:{port}"
