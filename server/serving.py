"""The server process: listening, saying where, stopping."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.applications import Starlette

from schema.schema import build_schema
from server import garbage_collection
from server.application import build_application, console_state
from server.assembly import running_services
from server.data_folder import ADMIN_TOKEN_FILE
from server.graphql.limits import Limits
from server.listening import bound_socket
from server.metrics import Metrics
from server.open_files import raise_open_files_limit
from server.request_heads import BoundedHeadsProtocol
from server.settings import Settings
from server.socket_protocol import SocketProtocol
from server.stop_signals import StopSignals, caught_stop_signals
from services.access_tokens import AccessTokens

log = structlog.get_logger("server")

GRACE_SECONDS = 10


class Server(uvicorn.Server):
    """uvicorn's server, with what happens once it listens and once it is to stop."""

    def __init__(
        self, config: uvicorn.Config, on_listening: Callable[[int], None], shutdown_event: asyncio.Event
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._shutdown_event = shutdown_event

    def stop(self) -> None:
        """Stop in good order; asked a second time, without waiting for anybody."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: `serve` has them from before the database is opened until it is closed."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_listening(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End open event streams first: uvicorn would wait for them."""
        log.info("stopping")
        self._shutdown_event.set()
        await super().shutdown(sockets=sockets)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises CannotListen, and what keeps the services from starting: see `server.assembly.running_services`.
    """
    raise_open_files_limit()
    with caught_stop_signals() as signals:
        serving = asyncio.create_task(_serve(settings, signals), name="server")
        # Until it listens there is nobody to wait for.
        signals.on_signal = serving.cancel
        try:
            await serving
        except asyncio.CancelledError:
            if not signals.count:
                serving.cancel()
                raise
    log.info("stopped")


async def _serve(settings: Settings, signals: StopSignals) -> None:
    with bound_socket(settings.host, settings.port) as listener:
        # Where it is reached is told from the beginning.
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        limits = Limits()
        metrics = Metrics()
        schema = await asyncio.to_thread(build_schema)
        shutdown = asyncio.Event()
        async with running_services(settings, observer=metrics) as services:
            application = build_application(settings, services, schema, limits, shutdown, metrics)
            config = uvicorn_config(application, settings, limits)
            server = Server(config, lambda _: _announce(settings, services.access_tokens), shutdown)
            garbage_collection.settle()
            signals.on_signal = server.stop
            await server.serve(sockets=[listener])


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
        http=BoundedHeadsProtocol,
        ws=SocketProtocol,
        ws_max_size=limits.max_websocket_message_bytes,
        ws_per_message_deflate=False,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        timeout_graceful_shutdown=GRACE_SECONDS,
        proxy_headers=False,
    )


def _announce(settings: Settings, tokens: AccessTokens) -> None:
    address = settings.address
    dist, reason = console_state(settings)
    log.info("listening", url=address, graphql=f"{address}/graphql", console=dist is not None)
    if reason is not None:
        log.warning("GraphiQL was left out", why=reason)
    token_file = (settings.data / ADMIN_TOKEN_FILE).absolute()
    if sys.stdout.isatty() and dist is not None:
        # The code stands in the fragment, which browsers keep to themselves. Only a terminal shows it.
        words = f"Sign in: {address}/#code={tokens.new_sign_in_code()}"
    elif token_file.is_file():
        words = f"{address} · the admin token is in {token_file}"
    else:
        # Another replica made it, or somebody took it away; the database has only its hash.
        words = f"{address} · make a token with: integrated-registry token create NAME"
    print(f"\n  {words}\n", flush=True)  # noqa: T201
