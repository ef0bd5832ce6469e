"""createSpace where spaces come with their first image: one is declared, and waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.fake_registry import FakeRegistry
from tests.api.spaces import bind, create_space, new_events, new_tenant, set_visibility, space_ids, space_rows
from tests.api.surface import Surface
from tests.servers.docker_registry import push_image, running_docker_registry


def test_a_space_is_declared_where_it_can_only_be_found(surface: Surface, registry: FakeRegistry) -> None:
    integration_id = surface.integrate(registry)["id"]
    events, asked = len(surface.events()), len(registry.requests)

    payload = create_space(surface, integrationId=integration_id, name="new.space")

    space = payload["space"]
    assert payload["errors"] == []
    assert (space["visibility"], space["state"], space["lastSeenAt"]) == ("PRIVATE", "DECLARED", None)
    assert space["isVisibilityEnforced"] is False
    assert len(registry.requests) == asked
    ((type_, data),) = new_events(surface, events)
    assert (type_, data["space_name"], data["visibility"], data["by"]) == (
        "SPACE_DECLARED",
        "new.space",
        "PRIVATE",
        "admin",
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [({"name": name}, "name") for name in ["", "Team", "a/b", "x" * 256, "a..b", "a___b"]]
    + [({"name": "team-2", "storageLimitBytes": 1000}, "storageLimitBytes")],
)
def test_what_can_not_be_declared_is_refused(
    surface: Surface, registry: FakeRegistry, given: dict[str, Any], field: str
) -> None:
    integration_id = surface.integrate(registry)["id"]
    stored = surface.stored()
    (error,) = create_space(surface, integrationId=integration_id, **given)["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", field])
    assert "Docker Registry has no quotas" in error["message"] or field == "name"
    assert surface.stored() == stored


@pytest.mark.parametrize("name", ["team", "declared"])
def test_one_that_stands_is_not_declared_again(surface: Surface, registry: FakeRegistry, name: str) -> None:
    integration_id = surface.integrate(registry)["id"]
    assert create_space(surface, integrationId=integration_id, name="declared")["errors"] == []
    stored = surface.stored()
    (error,) = create_space(surface, integrationId=integration_id, name=name, visibility="PUBLIC")["errors"]
    assert (error["code"], error["path"]) == ("SPACE_NAME_TAKEN", ["input", "name"])
    assert error["holder"] == {"name": name, "visibility": "PRIVATE"}
    assert surface.stored() == stored


def test_one_that_vanished_is_declared_again_with_its_bindings(surface: Surface, registry: FakeRegistry) -> None:
    integration_id = surface.integrate(registry)["id"]
    key = space_ids(surface, integration_id)["team"]
    binding = bind(surface, key, new_tenant(surface))
    registry.repositories = []
    given = {"id": integration_id, "acceptLoss": True}
    assert surface.errors_of("synchronizeIntegration", given) == []
    events = len(surface.events())

    payload = create_space(surface, integrationId=integration_id, name="team")

    assert (payload["errors"], payload["space"]["id"], payload["space"]["state"]) == ([], key, "DECLARED")
    assert [type_ for type_, _ in new_events(surface, events)] == ["SPACE_DECLARED", "BINDING_RESUMED"]
    query = "query ($id: ID!) { node(id: $id) { ... on Binding { state } } }"
    assert surface.server.graphql(query, {"id": binding}) == {"node": {"state": "ACTIVE"}}


def test_one_that_was_declared_is_found_with_its_first_image(surface: Surface, tmp_path: Path) -> None:
    with running_docker_registry(tmp_path) as registry:
        given = {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url}
        integration_id = surface.mutate("integrateRegistry", given, "integration { id }")["integration"]["id"]
        key = create_space(surface, integrationId=integration_id, name="team")["space"]["id"]
        binding = bind(surface, key, new_tenant(surface))
        assert set_visibility(surface, ids=[key], visibility="PUBLIC")["errors"] == []
        # A look in which it isn't there yet leaves it declared.
        assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []
        assert space_rows(surface, integration_id) == [("team", "PUBLIC", "DECLARED")]
        events = len(surface.events())

        push_image(registry, "team/app", "1")
        assert surface.errors_of("synchronizeIntegration", {"id": integration_id}) == []

        assert space_ids(surface, integration_id) == {"team": key}
        assert space_rows(surface, integration_id) == [("team", "PUBLIC", "PRESENT")]
        assert [type_ for type_, _ in new_events(surface, events)] == ["SPACE_ADDED"]
        query = "query ($id: ID!) { node(id: $id) { ... on Binding { state } } }"
        assert surface.server.graphql(query, {"id": binding}) == {"node": {"state": "ACTIVE"}}
