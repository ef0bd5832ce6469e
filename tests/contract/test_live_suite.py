"""`make test-live` itself, against the double as a process of its own: it passes, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from registry_clients.endpoint import Credential, RegistryEndpoint, parse_registry_url
from tests.contract.live_harbor import MARKER, PREFIX, LiveHarbor
from tests.servers.harbor_process import ROOT, HarborProcess, running_harbor_process
from tests.waiting import eventually

SUITE_TIMEOUT_SECONDS = 180.0
STOP_TIMEOUT_SECONDS = 30.0
SOMEBODYS = ["library", "somebodys"]


@pytest.fixture
def process() -> Iterator[HarborProcess]:
    with running_harbor_process() as running:
        yield running


@pytest.fixture
def harbor(process: HarborProcess) -> LiveHarbor:
    return LiveHarbor(RegistryEndpoint(parse_registry_url(process.url)), Credential(process.username, process.password))


def started(process: HarborProcess, *arguments: str) -> subprocess.Popen[str]:
    """Start the suite as `make test-live` does; a worker's mark is not handed on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "tests/contract", "-m", "live", "-rs", "-q", *arguments],
        cwd=ROOT,
        env=environment | process.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def leave_something_behind(harbor: LiveHarbor) -> None:
    """Do as a run that was killed."""
    harbor.push(f"{PREFIX}killed/app/web")

    async def make() -> None:
        async with harbor.client() as client:
            await client.make_reader(MARKER)

    asyncio.run(make())
    assert len(harbor.leftovers) == 2


def projects(harbor: LiveHarbor) -> list[str]:
    async def look() -> list[str]:
        async with harbor.client() as client:
            return [space.name for space in await client.list_spaces()]

    return asyncio.run(look())


def test_it_passes_and_leaves_nothing(process: HarborProcess, harbor: LiveHarbor) -> None:
    leave_something_behind(harbor)
    suite = started(process)
    output, _ = suite.communicate(timeout=SUITE_TIMEOUT_SECONDS)
    assert suite.returncode == 0, output
    assert " passed" in output
    # Nothing that a Harbor can do was left out: only what is not ours to break there, and the other registry.
    reasons = {line.partition(": ")[2] for line in output.splitlines() if line.startswith("SKIPPED")}
    assert reasons == {
        "REGISTRY_URL names no registry",
        "alice may be somebody there",
        "it is not ours to stop",
        "its storage is not ours to break, or it lists without reading it",
        "what answers there is a matter of what stands in front",
        "no TLS, or a certificate of a public authority",
    }
    assert harbor.leftovers == []
    assert projects(harbor) == SOMEBODYS


def test_stopped_in_the_middle_it_leaves_nothing(process: HarborProcess, harbor: LiveHarbor) -> None:
    # All of it: a part may have ended by itself before this has seen that it began.
    suite = started(process)
    try:
        eventually(lambda: len(projects(harbor)) > len(SOMEBODYS), STOP_TIMEOUT_SECONDS)
        suite.send_signal(signal.SIGINT)
        output, _ = suite.communicate(timeout=STOP_TIMEOUT_SECONDS)
    finally:
        suite.kill()
        suite.wait()
    assert suite.returncode == pytest.ExitCode.INTERRUPTED, output
    assert harbor.leftovers == []
    assert projects(harbor) == SOMEBODYS
