"""The product, and a handler written by hand, each behind uvicorn in one other process: clients see both over HTTP."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import structlog
import uvicorn
import uvloop

from benchmarks.application import KEEPING_NOTHING, open_application
from benchmarks.captured_calls import captured_calls
from benchmarks.databases import DatabaseKind
from benchmarks.handwritten import handwritten_list, handwritten_viewer
from benchmarks.seeded_platform import seed_platform
from benchmarks.small_queries import LIST, PAGE
from server import garbage_collection
from server.serving import Server, uvicorn_config
from server.settings import read_settings

START_TIMEOUT_SECONDS = 60.0
_CPU, _END = "cpu", "end"


class AnsweringApart:
    """Where each listens, and what may be asked of the process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        if not connection.poll(START_TIMEOUT_SECONDS):
            raise TimeoutError("the servers did not start")
        self.token: str
        self.product_port: int
        self.list_port: int
        self.viewer_port: int
        self.token, self.product_port, self.list_port, self.viewer_port = connection.recv()

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used so far."""
        self._connection.send(_CPU)
        used: float = self._connection.recv()
        return used


@contextmanager
def answering_apart(kind: DatabaseKind) -> Iterator[AnsweringApart]:
    """Run them as long as the block, over one database with a platform in it; no answer is kept."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(there, kind), daemon=True)
    process.start()
    try:
        yield AnsweringApart(here)
    finally:
        here.send(_END)
        process.join(START_TIMEOUT_SECONDS)


def _run(connection: Connection, kind: DatabaseKind) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(connection, kind))


async def _serve(connection: Connection, kind: DatabaseKind) -> None:
    async with open_application(kind=kind) as application:
        await seed_platform(application)
        (statement,) = await captured_calls(application, LIST)
        by_hand = handwritten_list(application.services.database, statement, PAGE)
        plain = {"port": 0, "lifespan": "off", "log_config": None, "access_log": False}
        configs = [
            uvicorn_config(application.app, read_settings({}, port=0), KEEPING_NOTHING),  # type: ignore[arg-type]
            uvicorn.Config(by_hand, **plain),  # type: ignore[arg-type]
            uvicorn.Config(handwritten_viewer(), **plain),  # type: ignore[arg-type]
        ]
        loop = asyncio.get_running_loop()
        listening = [loop.create_future() for _ in configs]
        servers = [
            Server(config, port.set_result, asyncio.Event()) for config, port in zip(configs, listening, strict=True)
        ]

        def obey() -> None:
            if connection.recv() == _CPU:
                connection.send(time.process_time())
                return
            for server in servers:
                server.stop()

        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(server.serve())
            ports = [await port for port in listening]
            # As `serve` has it.
            garbage_collection.settle()
            loop.add_reader(connection.fileno(), obey)
            connection.send((application.token, *ports))
        loop.remove_reader(connection.fileno())
