"""The README keeps what it promises: it is followed here step by step, from the command to the live events."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.settings import Settings
from tests.clients.driver import PUBLIC_CLIENTS
from tests.e2e.signed_in import SignedIn, link_on, post, sign_in
from tests.e2e.terminal import ROOT, Terminal, running_at_a_terminal
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry

README = (ROOT / "README.md").read_text()
REGISTRY_IN_README = "http://127.0.0.1:5000"
IMAGE_IN_README = "registry.example.com/team/web:1.0"
COMMAND = Path(sys.executable).with_name("integrated-registry")


def environment(folder: Path) -> dict[str, str]:
    """Return the settings as `make run` gives them, with a folder of the test's own."""
    settings = {"HOST": "127.0.0.1", "PORT": "0", "DATA": str(folder / "data"), "PROBE_INTERVAL_SECONDS": "1"}
    return {f"INTEGRATED_REGISTRY_{name}": value for name, value in settings.items()}


def operation(field: str) -> str:
    """Return the operation in the README that asks for a root field."""
    blocks = re.findall(r"^```graphql\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if re.search(rf"^  {field}\b", block, re.MULTILINE)]
    return str(found)


def as_cell(name: str, default: Any) -> str:
    """Return a default as the table shows it; a place on this machine by its name in the project."""
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default.relative_to(ROOT) if name == 'console_folder' else default}`"


def settings_table() -> str:
    """Return the table of all settings, as it has to stand in the README."""
    rows = [
        f"| `{name.upper()}` | {as_cell(name, field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| | default | |", "|---|---|---|", *rows])


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    """A registry with one space."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with running_docker_registry(folder) as server:
        push_image(server, "payments/api", "1.0")
        yield server


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The server as `make run` starts it, at a terminal."""
    with running_at_a_terminal([str(COMMAND), "serve"], environment(tmp_path)) as started:
        yield started


def test_first_steps(terminal: Terminal, registry: DockerRegistryServer) -> None:
    mutation, query = operation("integrateRegistry"), operation("integrations")
    assert mutation.count(REGISTRY_IN_README) == 1
    viewer = sign_in(terminal)

    integrated = viewer.graphql(mutation.replace(REGISTRY_IN_README, registry.url))["integrateRegistry"]

    assert integrated["errors"] == []
    assert integrated["integration"]["health"] == {"status": "HEALTHY"}
    listed = viewer.graphql(query)["integrations"]
    (node,) = listed["nodes"]
    image = f"{registry.url.removeprefix('http://')}/payments/api"
    assert listed["totalCount"] == 1
    assert node["health"].pop("since") is not None
    assert node == {
        "name": "main",
        "health": {"status": "HEALTHY", "reason": None, "message": None},
        "spaceCount": 1,
        "spaces": {"nodes": [{"name": "payments", "repositories": {"nodes": [{"image": image}]}}]},
    }
    asyncio.run(see_it_measured(viewer, registry))
    asyncio.run(see_it_die(viewer, operation("integrationHealth"), registry))


def test_who_may_pull_what(terminal: Terminal, registry: DockerRegistryServer) -> None:
    integrate, upsert = operation("integrateRegistry"), operation("upsertWorkspace")
    bind, ask = operation("bindSpaces"), operation("pullAccess")
    assert ask.count(IMAGE_IN_README) == 1
    viewer = sign_in(terminal)
    viewer.graphql(integrate.replace(REGISTRY_IN_README, registry.url))
    (space,) = viewer.graphql("{ spaces { nodes { id } } }")["spaces"]["nodes"]
    image = f"{registry.url.removeprefix('http://')}/payments/api:1.0"

    made = viewer.graphql(upsert)["upsertWorkspace"]
    before = viewer.graphql(ask.replace(IMAGE_IN_README, image))["pullAccess"]
    variables = {"space": space["id"], "workspace": made["workspace"]["id"]}
    bound = viewer.graphql(bind, variables)["bindSpaces"]
    after = viewer.graphql(ask.replace(IMAGE_IN_README, image))["pullAccess"]

    assert (made["losses"], made["errors"], bound["errors"]) == ([], [], [])
    assert (before["isAllowed"], before["reason"]) == (False, "NOT_BOUND")
    (binding,) = bound["bindings"]
    assert (binding["state"], binding["enforcement"]["state"]) == ("ACTIVE", "NOT_ENFORCEABLE")
    assert (after["isAllowed"], after["reason"]) == (True, "BOUND")


async def see_it_measured(viewer: SignedIn, registry: DockerRegistryServer) -> None:
    async with (
        asyncio.timeout(60),
        PUBLIC_CLIENTS["gql"](f"{viewer.url}/graphql", viewer.token) as client,
        client.subscribe(operation("overview")) as messages,
    ):
        async for message in messages:
            overview = message["overview"]
            assert (overview["spaceCount"], overview["unboundPrivateSpaceCount"]) == (1, 1)
            if overview["measuredAt"] is not None:
                break
    stored = sum(path.stat().st_size for path in registry.storage.rglob("data") if "blobs" in path.parts)
    usage = {"method": "REFERENCED_BLOBS", "growthBytesPerWeek": None}
    assert overview["storageBytes"] == stored
    assert overview["storageBytesByIntegration"] == [
        {"integration": {"name": "main", "usage": usage}, "storageBytes": stored}
    ]


async def see_it_die(viewer: SignedIn, subscription: str, registry: DockerRegistryServer) -> None:
    async with (
        asyncio.timeout(60),
        PUBLIC_CLIENTS["gql"](f"{viewer.url}/graphql", viewer.token) as client,
        client.subscribe(subscription) as messages,
    ):
        first = (await anext(messages))["integrationHealth"]
        assert (first["previous"], first["current"]["status"]) == (None, "HEALTHY")
        registry.stop()
        change = (await anext(messages))["integrationHealth"]
        assert change["previous"] == {"status": "HEALTHY"}
        assert (change["current"]["status"], change["current"]["reason"]) == ("UNHEALTHY", "CONNECTION_REFUSED")


def test_link_signs_in_once_and_the_token_is_where_it_says(terminal: Terminal, tmp_path: Path) -> None:
    url, code = link_on(terminal)
    first, _ = post(f"{url}/sign-in", {"code": code})
    second, refusal = post(f"{url}/sign-in", {"code": code})

    assert (first, second) == (200, 401)
    assert refusal["error"]["code"] == "UNAUTHENTICATED"
    token = (tmp_path / "data" / "admin-token").read_text().strip()
    viewer = SignedIn(url, token).graphql("{ viewer { role } }")
    assert viewer == {"viewer": {"role": "PLATFORM_ADMIN"}}
    assert token.startswith("irat_")
    assert token not in terminal.screen


def test_token_for_a_frontend_is_made_while_the_server_runs(terminal: Terminal, tmp_path: Path) -> None:
    admin = sign_in(terminal)
    admin.graphql(operation("upsertWorkspace"))
    (arguments,) = re.findall(r"^    \.venv/bin/integrated-registry (.*)$", README, re.MULTILINE)

    made = subprocess.run(
        [COMMAND, *shlex.split(arguments)],
        env={"PATH": os.environ["PATH"], **environment(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    token = made.stdout.strip()
    viewer = SignedIn(admin.url, token).graphql("{ viewer { name role workspace { name } } }")["viewer"]
    assert viewer == {"name": "dashboard", "role": "WORKSPACE_MEMBER", "workspace": {"name": "Shop"}}


def test_ctrl_c_ends_the_server(terminal: Terminal) -> None:
    link_on(terminal)

    terminal.interrupt()

    assert terminal.wait_for_end() == 0
    assert "Traceback" not in terminal.screen


def test_settings_are_all_in_the_table() -> None:
    table = README.partition("<!-- settings -->\n")[2].partition("\n<!-- /settings -->")[0]

    assert table == settings_table(), f"In README.md this has to stand between the marks:\n\n{settings_table()}"


def test_what_it_points_to_is_there() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]

    assert targets == ["docs/console.png", "schema.graphql", "CONTRIBUTING.md"]
    assert [target for target in targets if not (ROOT / target).is_file()] == []
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"(?:^    |`)make ([a-z]+)", README, re.MULTILINE)
    assert set(targets) == {"run", "demo", "help"}
    assert [target for target in targets if f"\n{target}:" not in makefile] == []
