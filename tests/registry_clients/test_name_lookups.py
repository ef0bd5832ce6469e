"""Names are looked up each in a thread of its own, and once at a time."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from registry_clients.name_lookups import NameLookups


class FakeNames:
    """In place of the system's: hangs until it is released."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.released = threading.Event()
        self.error: Exception | None = None

    def getaddrinfo(self, host: str, port: int, family: int, kind: int, flags: int) -> list[Any]:
        self.asked.append(host)
        assert self.released.wait(30)
        if self.error is not None:
            raise self.error
        return [
            (socket.AF_INET, kind, 6, "", ("192.0.2.1", port)),
            (socket.AF_INET6, kind, 6, "", ("fe80::1", port, 0, 3)),
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> FakeNames:
    fake = FakeNames()
    monkeypatch.setattr(socket, "getaddrinfo", fake.getaddrinfo)
    return fake


def test_who_asks_for_a_name_that_is_looked_up_waits_with_the_first(names: FakeNames) -> None:
    async def work() -> None:
        lookups = NameLookups()
        tasks = [asyncio.create_task(lookups.resolve("one.test", port)) for port in (80, 443)]
        await asyncio.sleep(0)
        # One that gives up leaves the other waiting.
        tasks[0].cancel()
        names.released.set()
        found = await tasks[1]
        assert [(result["host"], result["port"], result["hostname"]) for result in found] == [
            ("192.0.2.1", 443, "one.test"),
            ("fe80::1%3", 443, "one.test"),
        ]
        assert names.asked == ["one.test"]
        await lookups.resolve("one.test", 80)
        assert names.asked == ["one.test", "one.test"]

    asyncio.run(work())


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), socket.gaierror),
        (UnicodeEncodeError("idna", "x", 0, 1, "label too long"), socket.gaierror),
        (OSError("no files left"), OSError),
    ],
)
def test_a_lookup_that_fails_raises_os_error(names: FakeNames, error: Exception, raised: type[Exception]) -> None:
    names.error = error
    names.released.set()
    with pytest.raises(raised):
        asyncio.run(NameLookups().resolve("one.test", 80))


def test_a_loop_that_ends_waits_for_no_lookup(names: FakeNames) -> None:
    async def work() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(NameLookups().resolve("one.test", 80), 0.01)

    asyncio.run(work())
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "name lookup")
    assert thread.daemon
    names.released.set()
    thread.join(30)
    assert not thread.is_alive()
