"""The command `integrated-registry` as operators run it: real processes, on folders and ports of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from server.settings import DATABASE_FILE
from tests.serving import HttpAnswer, answer_of
from tests.templates import copy_migrated_sqlite

T = TypeVar("T")

COMMAND = str(Path(sys.executable).with_name("integrated-registry"))
PREFIX = "INTEGRATED_REGISTRY_"
TIMEOUT_SECONDS = 60.0
"""Far more than anything takes: a machine that is busy with other tests makes nothing fail."""


def environment(data: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command: the data folder and further settings, and none of the tester's."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    return kept | {PREFIX + "DATA": str(data)} | {PREFIX + name: value for name, value in (settings or {}).items()}


def wait_until(look: Callable[[], T | None], what: str) -> T:
    """Look again and again until something comes back, and return it."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        pause.wait(0.02)
    raise AssertionError(f"waited in vain until {what}")


class ServerProcess:
    """A running `integrated-registry serve`."""

    def __init__(
        self,
        folder: Path,
        data: Path,
        settings: Mapping[str, str] | None,
        arguments: tuple[str, ...],
        program: Sequence[str],
    ) -> None:
        self.data = data
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*program, "serve", *arguments],
                env=environment(data, {"PORT": "0", **(settings or {})}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def stdout(self) -> str:
        """What it printed so far."""
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        """What it logged so far."""
        return self._err.read_text()

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """Its log so far, decoded. Raises ValueError for a line that is no JSON."""
        lines = self.stderr.split("\n")[:-1]
        return [json.loads(line) for line in lines]

    @property
    def port(self) -> int:
        """Where it listens, as it printed."""
        match = re.search(r"https?://\S*:(\d+)", self.stdout)
        assert match is not None, self.stdout
        return int(match[1])

    @property
    def admin_token(self) -> str:
        """The token that first start left in the data folder."""
        return (self.data / "admin-token").read_text().strip()

    def wait_until_listening(self) -> None:
        """Return when it listens; fail at once when it has ended instead."""

        def look() -> bool:
            assert self.process.poll() is None, self.stderr
            return self.stdout.endswith("\n\n")

        wait_until(look, "the server listened")

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> HttpAnswer:
        """Send a request and return the answer, whatever its status."""
        url = f"http://127.0.0.1:{self.port}{path}"
        return answer_of(urllib.request.Request(url, body, headers or {}, method=method))

    def post(self, query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> HttpAnswer:
        """Send a GraphQL operation as the administrator, or with another token."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        authorization = f"Bearer {token or self.admin_token}"
        return self.request(
            "POST", "/graphql", body, {"Authorization": authorization, "Content-Type": "application/json"}
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status, once it has ended."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_SECONDS)


@contextmanager
def running_process(
    folder: Path,
    *arguments: str,
    data: Path | None = None,
    settings: Mapping[str, str] | None = None,
    program: Sequence[str] = (COMMAND,),
    is_first_start: bool = False,
) -> Iterator[ServerProcess]:
    """Start a server, yield it when it listens, and end it, if it still runs, with the block.

    `program` is another one that understands the same command line. Nothing is there before a first start; else the
    embedded database is, migrated.
    """
    data = data or folder / "data"
    if not is_first_start and "DATABASE_URL" not in (settings or {}):
        copy_migrated_sqlite(data / DATABASE_FILE)
    server = ServerProcess(folder, data, settings, arguments, program)
    try:
        server.wait_until_listening()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(TIMEOUT_SECONDS)
