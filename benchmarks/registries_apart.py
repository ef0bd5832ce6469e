"""Registries in a process of their own, so that what they cost is not counted as ours."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from tests.servers.fake_registries import running_fake_registries


@dataclass(frozen=True, slots=True)
class Traffic:
    """What they have seen so far."""

    probes: int
    received_bytes: int
    sent_bytes: int


class RegistriesApart:
    """Any number of registries that are well and empty."""

    def __init__(self, port: int, connection: Connection) -> None:
        self._port = port
        self._connection = connection

    def url(self, name: str) -> str:
        """Return the address of one of them."""
        return f"http://127.0.0.1:{self._port}/{name}"

    def traffic(self) -> Traffic:
        """Return what they have seen so far."""
        self._connection.send(True)
        return Traffic(*self._connection.recv())


@contextmanager
def registries_apart() -> Iterator[RegistriesApart]:
    """Run them as long as the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield RegistriesApart(here.recv(), here)
    finally:
        here.send(False)
        process.join(10)


def _serve(connection: Connection) -> None:
    with running_fake_registries() as registries:
        connection.send(registries.port)
        while connection.recv():
            probes = sum(registries.catalogues.values())
            connection.send((probes, registries.received_bytes, registries.sent_bytes))
