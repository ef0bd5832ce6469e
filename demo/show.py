"""The demonstration from beginning to end: everything starts, lives, and is gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from demo.api import give_spaces, integrate
from demo.docker_registry import EXECUTABLE, RegistryDidNotStart
from demo.images import PushFailed
from demo.life import steps
from demo.registries import DemoRegistry, demo_registries
from demo.server_process import ServerEnded, ServerProcess, running_server

T = TypeVar("T")

# Closing the terminal is no other wish than Ctrl-C.
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Shorter than by default, so that a newcomer sees what happens as it happens.
SETTINGS: Final = {"PROBE_INTERVAL_SECONDS": "2", "SYNCHRONIZATION_INTERVAL_SECONDS": "5"}


class MissingRegistry(Exception):
    """There is no docker-registry on this machine."""

    def __init__(self) -> None:
        super().__init__(
            f"The demonstration needs {EXECUTABLE}. On Debian: apt-get install --no-install-recommends {EXECUTABLE}"
        )


async def run_until_stopped(host: str, port: int, step_seconds: float) -> None:
    """Run the demonstration until a signal asks for its end, then leave nothing behind.

    Raises MissingRegistry, RegistryDidNotStart, ServerEnded, PushFailed, ApiRefused, and what the network
    and the file system raise; nothing is left behind then, either.
    """
    executable = shutil.which(EXECUTABLE)
    if executable is None:
        raise MissingRegistry
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    showing = asyncio.create_task(_show(executable, host, port, step_seconds))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({showing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not showing.done():
        print("\n  Ending everything …", flush=True)
        showing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await showing


async def _show(executable: str, host: str, port: int, step_seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="integrated-registry-demo-") as name:
        folder = Path(name)
        registries = demo_registries(executable, folder)
        print("Starting three registries and the server …", flush=True)
        async with _running(registries), running_server(folder / "data", host, port, SETTINGS) as server:
            url = await server.url()
            token_file = folder / "data" / "admin-token"
            for registry in registries:
                await integrate(url, token_file.read_text().strip(), registry)
            await give_spaces(url, token_file.read_text().strip())
            print(_introduction(registries, url, token_file, step_seconds), flush=True)
            await _live(registries, server, step_seconds)


@asynccontextmanager
async def _running(registries: Sequence[DemoRegistry]) -> AsyncIterator[None]:
    try:
        for registry in registries:
            await _to_the_end(registry.server.start)
            await _to_the_end(registry.fill)
        yield
    finally:
        for registry in registries:
            registry.server.stop()


async def _live(registries: Sequence[DemoRegistry], server: ServerProcess, step_seconds: float) -> None:
    for step in steps(registries):
        if await server.has_ended_within(step_seconds):
            raise ServerEnded("The server has ended.")
        try:
            happened = await _to_the_end(step)
        except (OSError, PushFailed, RegistryDidNotStart) as error:
            # A visitor may have stopped what this step needs. A later step starts it again.
            happened = f"could not go on as planned: {error}"
        print(f"  {datetime.now().astimezone():%H:%M:%S}  {happened}", flush=True)


async def _to_the_end(work: Callable[[], T]) -> T:
    """Run what blocks in a thread; cancelled, wait for its end first, so that nothing is left half-started."""
    running = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        # Looked at, so that asyncio doesn't complain of it: the end of everything is the answer to it.
        running.exception()
        raise


def _introduction(registries: Sequence[DemoRegistry], url: str, token_file: Path, step_seconds: float) -> str:
    rows = "\n".join(
        f"    {registry.name:<9} {registry.server.url:<24} process {registry.server.process_id}, {registry.description}"
        for registry in registries
    )
    archive = registries[1]
    return f"""\
  Three registries are integrated:

{rows}

  To try:
    · Open the link and run the first tab: all registries at a glance.
    · Run the third tab: two workspaces, the spaces that are bound to them, and whether a namespace may pull an image.
      Give it {archive.server.url.partition("//")[2]}/releases/… to see one that the namespace "shop" may pull.
    · Run "LiveHealth" in the fourth tab, then here, in another terminal:
        kill {archive.server.process_id}
      {archive.name} becomes UNHEALTHY within seconds, with the reason. It is started again within two minutes.
    · Ask without a browser:
        curl -s {url}/graphql -H 'Content-Type: application/json' \\
          -H "Authorization: Bearer $(cat {token_file})" \\
          -d '{{"query": "{{ integrations {{ nodes {{ name health {{ status }} }} }} }}"}}'

  From now on something happens every {step_seconds:.0f} seconds: run "LiveEvents" in the fifth tab to see it.
  Ctrl-C ends everything and leaves nothing behind.
"""
