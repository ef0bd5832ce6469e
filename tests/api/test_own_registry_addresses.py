"""Registries that workspaces bring lie where nobody but this server could reach something, only if that is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.enums import Role
from resolvers.global_ids import global_id
from tests.api.conftest import HOUR_SECONDS
from tests.api.fake_registry import FakeRegistry, running_fake_registry
from tests.api.surface import Surface
from tests.serving import running_server
from tests.workspaces import add_workspace, token_in

LOOPBACK = "allow_loopback_workspace_registries"
PRIVATE = "allow_private_workspace_registries"
ERRORS = "errors { code message ... on RegistryRefused { reason registryMessage httpStatus } }"


@contextmanager
def served(tmp_path: Path, database_settings: dict[str, Any], **settings: Any) -> Iterator[tuple[Surface, str, str]]:
    """Run a server on the test's database; give its surface, the id of a workspace, and its administrator's token."""
    settings = {"probe_interval_seconds": HOUR_SECONDS, "synchronization_interval_seconds": HOUR_SECONDS, **settings}
    with running_server(tmp_path / "data", **settings, **database_settings) as server:
        key = server.run(add_workspace(server.services.database, "own"))
        yield Surface(server), global_id("Workspace", key), token_in(server, key, Role.WORKSPACE_ADMIN)


@pytest.fixture
def another_registry() -> Iterator[FakeRegistry]:
    """A second one that lets everybody in."""
    with running_fake_registry() as running:
        yield running


def address_refused(url: str) -> dict[str, Any]:
    """Return the error of an address that is not allowed: it says no more."""
    host = url.removeprefix("http://")
    return {
        "code": "REGISTRY_REFUSED",
        "message": f"Connections to {host} are not allowed from here.",
        "reason": "ADDRESS_REFUSED",
        "registryMessage": None,
        "httpStatus": None,
    }


def tried(surface: Surface, url: str, workspace_id: str | None, token: str | None) -> list[dict[str, Any]]:
    """Return the errors of checkRegistry and of integrateRegistry."""
    what = {"url": url, "kind": "DOCKER_REGISTRY", "workspaceId": workspace_id}
    errors = []
    for mutation, more in (("checkRegistry", {}), ("integrateRegistry", {"name": surface.new_name()})):
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {ERRORS} }} }}"
        errors += surface.server.graphql(query, {"input": {**what, **more}}, token)[mutation]["errors"]
    return errors


def test_neither_this_machine_nor_a_private_network_by_default(
    tmp_path: Path, database_settings: dict[str, Any], registry: FakeRegistry
) -> None:
    with served(tmp_path, database_settings) as (surface, own, admin):
        stored = surface.stored()
        urls = ["http://10.0.0.1", "http://192.168.0.1:5000", "http://[fd00::1]", "http://100.64.0.1"]
        for url in (registry.url, f"http://[::ffff:7f00:1]:{registry.port}", *urls):
            assert tried(surface, url, own, admin) == [address_refused(url)] * 2
            # It is the workspace's, whoever integrates it.
            assert tried(surface, url, own, None) == [address_refused(url)] * 2
        by_name = tried(surface, registry.other_url, own, admin)
        assert [error["reason"] for error in by_name] == ["ADDRESS_REFUSED"] * 2
        assert (surface.stored(), registry.requests) == (stored, [])
        # The platform's own may be here.
        assert tried(surface, registry.url, None, None) == []


def test_each_is_allowed_on_its_own(tmp_path: Path, database_settings: dict[str, Any], registry: FakeRegistry) -> None:
    with served(tmp_path, database_settings, **{LOOPBACK: True}) as (surface, own, admin):
        assert tried(surface, "http://10.0.0.1", own, admin) == [address_refused("http://10.0.0.1")] * 2
        assert tried(surface, registry.url, own, admin) == []
    with served(tmp_path, database_settings, **{PRIVATE: True}) as (surface, own, admin):
        url = f"http://127.0.0.2:{registry.port}"
        assert tried(surface, url, own, admin) == [address_refused(url)] * 2


def test_what_the_platform_may_not_reach_no_workspace_may(
    tmp_path: Path, database_settings: dict[str, Any], registry: FakeRegistry
) -> None:
    settings = {LOOPBACK: True, "allow_loopback_registries": False}
    with served(tmp_path, database_settings, **settings) as (surface, own, admin):
        assert tried(surface, registry.url, own, admin) == [address_refused(registry.url)] * 2
    assert registry.requests == []


def test_a_redirect_to_this_machine_is_not_followed(
    tmp_path: Path, database_settings: dict[str, Any], registry: FakeRegistry
) -> None:
    registry.redirects_to = "http://10.0.0.1/v2/"
    with served(tmp_path, database_settings, **{LOOPBACK: True}) as (surface, own, admin):
        assert tried(surface, registry.url, own, admin) == [address_refused("http://10.0.0.1")] * 2


def test_what_is_no_longer_allowed_is_reached_no_more(
    tmp_path: Path, database_settings: dict[str, Any], registry: FakeRegistry, another_registry: FakeRegistry
) -> None:
    with served(tmp_path, database_settings, **{LOOPBACK: True}) as (surface, own, admin):
        what = {"name": "own", "kind": "DOCKER_REGISTRY", "url": registry.url, "workspaceId": own}
        made = surface.mutate("integrateRegistry", what, "integration { id }", admin)["integration"]
        platforms = surface.integrate(another_registry)
    asked = len(registry.requests)

    # Every second: what is done in the background is refused too.
    intervals = {"probe_interval_seconds": 1, "synchronization_interval_seconds": 5}
    with served(tmp_path, database_settings, **intervals) as (surface, _, admin):
        query = f'{{ integration(id: "{made["id"]}") {{ health {{ status reason message }} }} }}'
        refused = {
            "status": "UNHEALTHY",
            "reason": "ADDRESS_REFUSED",
            "message": address_refused(registry.url)["message"],
        }

        def health() -> Any:
            return surface.server.graphql(query, token=admin)["integration"]["health"]

        surface.wait_until(lambda: bool(health()["status"] == "UNHEALTHY"), "the probe was refused")
        assert health() == refused
        key = {"id": made["id"]}
        for mutation, more in [
            ("synchronizeIntegration", {}),
            ("updateIntegration", {"username": "robot", "password": "right"}),
            ("updateIntegration", {"url": registry.other_url}),
            ("rotateIntegrationCredential", {"username": "robot", "password": "right"}),
        ]:
            (error,) = surface.errors_of(mutation, {**key, **more}, admin)
            assert (error["code"], error["reason"]) == ("REGISTRY_REFUSED", "ADDRESS_REFUSED")
        assert surface.mutate("checkIntegration", key, "integration { health { status reason message } }", admin) == {
            "errors": [],
            "integration": {"health": refused},
        }
        assert len(registry.requests) == asked
        # What needs no connection can still be done.
        assert surface.errors_of("updateIntegration", {**key, "description": "unreachable"}, admin) == []
        check = surface.mutate("checkIntegration", {"id": platforms["id"]}, "integration { health { status } }")
        assert check == {"errors": [], "integration": {"health": {"status": "HEALTHY"}}}
        assert surface.errors_of("removeIntegration", key, admin) == []
    assert len(registry.requests) == asked
