"""The server as everybody starts it, as a process of its own, on a data folder that is thrown away."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 20.0

_PREFIX = "INTEGRATED_REGISTRY_"
_QUIET_LEVELS = frozenset({"debug", "info"})


class ServerEnded(Exception):
    """The server ended by itself, or did not begin to listen; the message has its last words."""


class ServerProcess:
    """A running server. Its address is known from its log; warnings in there are passed on."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._last_lines: deque[str] = deque(maxlen=20)
        self._url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read_log(), name="log of the server")

    async def url(self) -> str:
        """Return where the server listens, as soon as it does. Raises ServerEnded."""
        either: set[asyncio.Future[Any]] = {self._url, self._reading}
        await asyncio.wait(either, timeout=START_TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not self._url.done():
            said = "\n".join(self._last_lines) or f"it said nothing within {START_TIMEOUT_SECONDS:.0f} s"
            raise ServerEnded(f"The server did not start:\n{said}")
        return self._url.result()

    async def has_ended_within(self, seconds: float) -> bool:
        """Wait so long, or until the process has ended, and return whether it has."""
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End the process, if it runs, and wait until it is gone."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._reading

    async def _read_log(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        async for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            record = _record(text)
            if record.get("event") == "listening":
                self._url.set_result(str(record["url"]))
            elif record.get("level") not in _QUIET_LEVELS:
                said = _readable(record) if record else text
                self._last_lines.append(said)
                if self._url.done():
                    print(f"  server: {said}", file=sys.stderr, flush=True)


def _record(line: str) -> dict[str, Any]:
    """Return a line of the log, decoded; empty for a line that is none, such as a complaint at start."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _readable(record: dict[str, Any]) -> str:
    """Return a record of the log for people: what happened, then its particulars."""
    particulars = [f"{name}={value}" for name, value in record.items() if name not in ("event", "level", "timestamp")]
    return " ".join([str(record.get("event")), *particulars])


@asynccontextmanager
async def running_server(data: Path, host: str, port: int, settings: Mapping[str, str]) -> AsyncIterator[ServerProcess]:
    """Run a server as long as the block; it prints its sign-in link to our own standard output."""
    # Not what is set for another server: the database of that one is none for a demonstration.
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(_PREFIX)}
    ours = {"DATA": str(data), "HOST": host, "PORT": str(port), "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
    environment |= {_PREFIX + name: value for name, value in (ours | dict(settings)).items()}
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("integrated-registry"),
        "serve",
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        # Ctrl-C at the terminal is for us: we end it, in our own order.
        start_new_session=True,
    )
    server = ServerProcess(process)
    try:
        yield server
    finally:
        await server.stop()
