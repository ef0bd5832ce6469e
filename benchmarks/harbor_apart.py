"""A Harbor in a process of its own, behind a relay that counts bytes, so that what it costs is not counted as ours."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.counting_relay import counting_relay
from tests.doubles.harbor.server import HarborDouble, running_harbor

START_TIMEOUT_SECONDS = 60.0
_TRAFFIC, _PUSH, _END = "traffic", "push", "end"


@dataclass(frozen=True, slots=True)
class HarborTraffic:
    """What it has seen so far, or in between two moments."""

    calls: int
    administrator_calls: int
    """Those that carried the administrator's password."""

    received_bytes: int
    sent_bytes: int

    def since(self, before: HarborTraffic) -> HarborTraffic:
        """Return what was added."""
        return HarborTraffic(
            self.calls - before.calls,
            self.administrator_calls - before.administrator_calls,
            self.received_bytes - before.received_bytes,
            self.sent_bytes - before.sent_bytes,
        )


class HarborApart:
    """A Harbor with projects and repositories in it."""

    def __init__(self, url: str, username: str, password: str, connection: Connection) -> None:
        self.url = url
        self.username = username
        self.password = password
        self._connection = connection

    def traffic(self) -> HarborTraffic:
        """Return what it has seen so far."""
        self._connection.send(_TRAFFIC)
        return HarborTraffic(*self._connection.recv())

    def push(self) -> None:
        """Have an image pushed to one of its repositories, another each time."""
        self._connection.send(_PUSH)
        self._connection.recv()


@contextmanager
def harbor_apart(projects: int, repositories_each: int) -> Iterator[HarborApart]:
    """Run it as long as the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, projects, repositories_each), daemon=True)
    process.start()
    try:
        assert here.poll(START_TIMEOUT_SECONDS), "the Harbor did not start"
        url, username, password = here.recv()
        yield HarborApart(url, username, password, here)
    finally:
        here.send(_END)
        process.join(10)


def fill(harbor: HarborDouble, projects: int, repositories_each: int) -> None:
    """Put projects into a Harbor, each with repositories of one image."""
    for project in range(projects):
        harbor.create_project(f"project-{project:05}")
        for repository in range(repositories_each):
            harbor.push(f"project-{project:05}/app-{repository:02}", "v1")


def _serve(connection: Connection, projects: int, repositories_each: int) -> None:
    with running_harbor() as harbor:
        fill(harbor, projects, repositories_each)
        with counting_relay(harbor.port) as relay:
            connection.send((f"http://127.0.0.1:{relay.port}", *harbor.administrator))
            pushes = 0
            while (asked := connection.recv()) != _END:
                if asked == _PUSH:
                    harbor.push(f"project-{pushes % projects:05}/app-00", f"pushed-{pushes}")
                    pushes += 1
                administrator_calls = harbor.calls.count(credential="user")
                connection.send((harbor.calls.count(), administrator_calls, relay.received_bytes, relay.sent_bytes))
