"""The demonstration: real registries within seconds, and nothing left of it afterwards."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.signed_in import sign_in
from tests.e2e.terminal import DEADLINE_SECONDS, running_at_a_terminal
from tests.servers.docker_registry import require_docker_registry

GLANCE = "{ integrations { nodes { name imageHost health { status } spaces { nodes { name } } } } }"
ASK = """
query ($namespace: String!, $image: String!) {
  pullAccess(namespace: { name: $namespace }, image: $image) { isAllowed }
}
"""
CANNOT_START = 2


def demo(*arguments: str) -> list[str]:
    """Return the command of the demonstration, in which things happen soon: a registry is down for this long."""
    return [sys.executable, "-m", "demo", "--step-seconds", "5", *arguments]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which everything temporary lies in the folder."""
    return {"TMPDIR": str(folder)}


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all processes that work in a folder, or have it as an argument or setting."""
    mark = os.fsencode(folder)
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (
                mark in (command := (process / "cmdline").read_bytes()) or mark in (process / "environ").read_bytes()
            ):
                found.append(command.decode(errors="replace"))
        except OSError:
            continue  # it ended meanwhile
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, in place of the system's temporary one."""
    require_docker_registry()
    return tmp_path


def test_registries_are_there_and_alive(folder: Path) -> None:
    with running_at_a_terminal(demo("--port", "0"), environment(folder)) as terminal:
        viewer = sign_in(terminal)
        terminal.wait_for("Ctrl-C ends everything")

        answer = viewer.graphql(GLANCE)

        spaces = {
            node["name"]: ({space["name"] for space in node["spaces"]["nodes"]}, node["health"]["status"])
            for node in answer["integrations"]["nodes"]
        }
        assert spaces.keys() == {"archive", "vault", "workshop"}
        assert spaces["vault"] == ({"base", "compliance", "signing"}, "HEALTHY")
        assert spaces["archive"][0] == {"audit", "releases"}
        assert spaces["workshop"][0] >= {"payments", "sandbox", "search", "tools"}
        hosts = {node["name"]: node["imageHost"] for node in answer["integrations"]["nodes"]}
        for namespace, is_allowed in (("shop", True), ("lab", False)):
            asked = viewer.graphql(ASK, {"namespace": namespace, "image": f"{hosts['archive']}/releases/app"})[
                "pullAccess"
            ]
            assert asked["isAllowed"] is is_allowed
        # Whoever reads the server's events sees what happens by itself.
        terminal.wait_for("the new space billing-preview-1")
        terminal.wait_for("archive was stopped")
        terminal.wait_for(r"started again: archive \(now process \d+\)")
        deadline = time.monotonic() + DEADLINE_SECONDS
        seen: set[str] = set()
        while not {"SPACE_ADDED", "SPACE_VANISHED", "HEALTH_CHANGED"} <= seen and time.monotonic() < deadline:
            terminal.wait_for_more()
            events = viewer.graphql("{ events(first: 100) { nodes { type } } }")["events"]["nodes"]
            seen = {event["type"] for event in events}
        assert {"SPACE_ADDED", "SPACE_VANISHED", "HEALTH_CHANGED"} <= seen


def test_what_a_visitor_stops_is_started_again(folder: Path) -> None:
    with running_at_a_terminal(demo("--port", "0", "--step-seconds", "1"), environment(folder)) as terminal:
        process_id = int(terminal.wait_for(r"workshop .* process (\d+),")[1])
        terminal.wait_for("Ctrl-C ends everything")

        os.kill(process_id, signal.SIGTERM)

        terminal.wait_for("could not go on as planned: .*Connection refused")
        terminal.wait_for(r"started again: workshop \(now process \d+\), archive")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_nothing_is_left_behind(folder: Path, ending: signal.Signals) -> None:
    with running_at_a_terminal(demo("--port", "0"), environment(folder)) as terminal:
        terminal.wait_for("Ctrl-C ends everything")
        assert len(processes_of(folder)) == 5, "the demonstration, its server, three registries"

        # To the whole group, as the terminal does at Ctrl-C.
        os.killpg(terminal.process.pid, ending)

        assert terminal.wait_for_end() == 0
        assert "Traceback" not in terminal.screen
        assert processes_of(folder) == []
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("process_count", [1, 2, 3, 4, 5])
def test_ending_it_while_it_starts_leaves_nothing_behind(folder: Path, process_count: int) -> None:
    with running_at_a_terminal(demo("--port", "0"), environment(folder)) as terminal:
        terminal.wait_for("Starting three registries")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(processes_of(folder)) < process_count:
            assert time.monotonic() < deadline

        terminal.interrupt()

        assert terminal.wait_for_end() == 0
        assert "Traceback" not in terminal.screen
        assert processes_of(folder) == []
        assert list(folder.iterdir()) == []


def test_port_that_is_taken_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with running_at_a_terminal(demo("--port", str(port)), environment(folder)) as terminal:
            assert terminal.wait_for_end() == CANNOT_START
            assert "Traceback" not in terminal.screen
            assert str(port) in terminal.screen
            assert "in use" in terminal.screen
    assert processes_of(folder) == []
    assert list(folder.iterdir()) == []


def test_missing_registry_says_what_to_install(folder: Path) -> None:
    with running_at_a_terminal(demo("--port", "0"), {**environment(folder), "PATH": "/nowhere"}) as terminal:
        assert terminal.wait_for_end() == CANNOT_START
        assert terminal.screen == (
            "The demonstration needs docker-registry. "
            "On Debian: apt-get install --no-install-recommends docker-registry\n"
        )
    assert list(folder.iterdir()) == []


def test_settings_of_another_server_are_left_alone(folder: Path) -> None:
    others = {"INTEGRATED_REGISTRY_DATABASE_URL": "postgres://nobody@127.0.0.1:1/production"}
    with running_at_a_terminal(demo("--port", "0"), environment(folder) | others) as terminal:
        viewer = sign_in(terminal)

        assert viewer.graphql("{ viewer { role } }") == {"viewer": {"role": "PLATFORM_ADMIN"}}
