"""How far bindings are true, and what becomes of them when their space vanishes, comes back, is opened or closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from models.enums import RegistryKind, SpaceState, Visibility
from tests.api.tenants import Tenants, key_of, tenants_of
from tests.serving import RunningServer

STEP = "state enforcement { state registry { state message nextAttemptAt } clusters { state } admission { state } }"
PUBLIC = "The space is public: every namespace may pull from it, bound or not."


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


@pytest.fixture
def registry(tenants: Tenants) -> str:
    """A Harbor of the platform's."""
    return tenants.registry("h.example")


@pytest.fixture
def shop(tenants: Tenants) -> str:
    """A workspace with one namespace."""
    return tenants.workspace("shop", "shop")


def standing(tenants: Tenants, binding: str) -> tuple[str, str, str | None]:
    """Return how a binding stands, how far that is true, and the sentence about it."""
    found = tenants.binding(binding, STEP)
    assert found is not None
    enforcement = found["enforcement"]
    assert (enforcement["clusters"], enforcement["admission"]) == ([], [])
    assert enforcement["state"] == enforcement["registry"]["state"]
    is_waiting = enforcement["registry"]["nextAttemptAt"] is not None
    assert is_waiting == (enforcement["state"] in ("PENDING", "FAILED"))
    return found["state"], enforcement["state"], enforcement["registry"]["message"]


def apply(tenants: Tenants) -> None:
    """Have all that is wanted now made true at its registry."""
    tenants.write(
        'UPDATE "registry_enforcement" SET "attempted_version" = "desired_version",'
        ' "applied_version" = "desired_version", "failure" = NULL'
    )


def test_it_is_true_once_its_version_has_been_applied(tenants: Tenants, registry: str, shop: str) -> None:
    (first,) = tenants.bind([tenants.space(registry, "team")], [shop])
    waiting = ("ACTIVE", "PENDING", "It waits to be made true at the registry.")
    assert standing(tenants, first) == waiting
    tenants.put_in_force()
    assert standing(tenants, first) == waiting
    tenants.write("""UPDATE "registry_enforcement" SET "failure" = 'The registry is read-only.'""")
    assert standing(tenants, first) == ("ACTIVE", "FAILED", "The registry is read-only.")
    apply(tenants)
    assert standing(tenants, first) == ("ACTIVE", "ENFORCED", None)
    # Another that comes to the same target waits by itself.
    (second,) = tenants.bind([tenants.space(registry, "web")], [shop])
    assert standing(tenants, first) == ("ACTIVE", "ENFORCED", None)
    assert standing(tenants, second) == waiting
    # And so does taking one away.
    tenants.done("unbindSpaces", {"bindingIds": [first]})
    assert standing(tenants, first) == ("REVOKING", "PENDING", "It waits to be taken away at the registry.")
    apply(tenants)
    assert standing(tenants, first) == ("REVOKING", "ENFORCED", None)
    assert standing(tenants, second) == ("ACTIVE", "ENFORCED", None)


def test_targets_have_versions_of_their_own(tenants: Tenants, registry: str, shop: str) -> None:
    bank, other = tenants.workspace("bank"), tenants.registry("o.example")
    bindings = tenants.bind([tenants.space(registry, "team"), tenants.space(other, "team")], [shop, bank])

    tenants.write(
        'UPDATE "registry_enforcement" SET "applied_version" = "desired_version"'
        f' WHERE "workspace_id" = {key_of(bank)} AND "integration_id" = {key_of(other)}'
    )

    assert [standing(tenants, binding)[1] for binding in bindings] == ["PENDING", "PENDING", "PENDING", "ENFORCED"]


def test_a_docker_registry_can_not_hold_it(tenants: Tenants, shop: str) -> None:
    registry = tenants.registry("d.example", kind=RegistryKind.DOCKER_REGISTRY)
    private, public = tenants.space(registry, "team"), tenants.space(registry, "open", Visibility.PUBLIC)

    bindings = tenants.bind([private, public], [shop])

    assert [standing(tenants, binding) for binding in bindings] == [
        (
            "ACTIVE",
            "NOT_ENFORCEABLE",
            "A Docker Registry by itself can't tell who may pull: it lets in whoever has its credential.",
        ),
        ("ACTIVE", "NOT_APPLICABLE", PUBLIC),
    ]


def told_of(tenants: Tenants, space: str) -> list[tuple[str, int | None, dict[str, Any]]]:
    """Return type, workspace and data of the new events, which are all of one space."""
    events = tenants.new_events()
    assert {event.space_id for event in events} == {key_of(space)}
    return [(event.type, event.workspace_id, event.data) for event in events]


def test_a_space_that_vanishes_suspends_and_one_that_comes_back_resumes(
    tenants: Tenants, registry: str, shop: str
) -> None:
    space = tenants.space(registry, "team")
    bank = tenants.workspace("bank", "bank")
    bindings = tenants.bind([space], [shop, bank])
    revoking = tenants.bind([space], [tenants.workspace("mill")])
    apply(tenants)
    tenants.done("unbindSpaces", {"bindingIds": revoking})
    tenants.new_events()
    data = [
        {"binding_id": key_of(binding), "space_name": "team", "integration_name": "h.example", "workspace_name": name}
        for binding, name in zip(bindings, ("shop", "bank"), strict=True)
    ]
    of_space = {"integration_name": "h.example", "space_name": "team", "space_external_id": "team"}

    tenants.see(registry, "team", None)

    assert told_of(tenants, space) == [
        ("SPACE_VANISHED", None, {**of_space, "visibility": "PRIVATE"}),
        ("BINDING_SUSPENDED", key_of(shop), data[0]),
        ("BINDING_SUSPENDED", key_of(bank), data[1]),
    ]
    for binding in bindings:
        assert standing(tenants, binding) == ("SUSPENDED", "PENDING", "It waits to be taken away at the registry.")
    assert standing(tenants, revoking[0])[0] == "REVOKING"
    assert not tenants.may_pull("shop", "h.example/team/app")
    apply(tenants)
    assert standing(tenants, bindings[0]) == ("SUSPENDED", "ENFORCED", None)

    tenants.see(registry, "team", "team", is_public=False)

    assert told_of(tenants, space) == [
        ("SPACE_ADDED", None, {**of_space, "visibility": "PRIVATE"}),
        ("BINDING_RESUMED", key_of(shop), data[0]),
        ("BINDING_RESUMED", key_of(bank), data[1]),
    ]
    for binding in bindings:
        assert standing(tenants, binding) == ("ACTIVE", "PENDING", "It waits to be made true at the registry.")
    assert standing(tenants, revoking[0])[0] == "REVOKING"
    assert tenants.may_pull("shop", "h.example/team/app")


def test_another_project_of_the_same_name_inherits_nothing(tenants: Tenants, registry: str, shop: str) -> None:
    space = tenants.space(registry, "team")
    (binding,) = tenants.bind([space], [shop])
    tenants.new_events()

    tenants.see(registry, "team", "another", is_public=False)

    assert sorted(tenants.new_event_types()) == ["BINDING_SUSPENDED", "SPACE_ADDED", "SPACE_VANISHED"]
    assert standing(tenants, binding)[0] == "SUSPENDED"
    assert not tenants.may_pull("shop", "h.example/team/app")
    # Nor when it is seen once more.
    tenants.see(registry, "team", "another", is_public=False)
    assert tenants.new_events() == []
    # The one that was bound comes back: it is that again.
    tenants.see(registry, "team", "team", is_public=False)
    assert "BINDING_RESUMED" in tenants.new_event_types()
    assert tenants.may_pull("shop", "h.example/team/app")


def test_a_declared_space_that_comes_was_never_suspended(tenants: Tenants, shop: str) -> None:
    registry = tenants.registry("d.example", kind=RegistryKind.DOCKER_REGISTRY)
    space = tenants.space(registry, "team", state=SpaceState.DECLARED)
    tenants.bind([space], [shop])
    tenants.new_events()

    tenants.see(registry, "team", "team")

    assert [(type_, workspace) for type_, workspace, _ in told_of(tenants, space)] == [("SPACE_ADDED", None)]
    assert tenants.rows('SELECT "desired_version" FROM "registry_enforcement"') == [(1,)]


def test_what_is_opened_and_closed_at_the_registry_is_made_true_anew(
    tenants: Tenants, registry: str, shop: str
) -> None:
    space = tenants.space(registry, "team")
    (binding,) = tenants.bind([space], [shop])
    apply(tenants)
    tenants.new_events()

    tenants.see(registry, "team", "team", is_public=True)
    assert standing(tenants, binding) == ("ACTIVE", "NOT_APPLICABLE", PUBLIC)
    tenants.see(registry, "team", "team", is_public=False)

    assert standing(tenants, binding) == ("ACTIVE", "PENDING", "It waits to be made true at the registry.")
    # The space's own events say it.
    assert told_of(tenants, space) == [
        (
            "SPACE_VISIBILITY_CHANGED",
            None,
            {
                "integration_name": "h.example",
                "space_name": "team",
                "space_external_id": "team",
                "visibility": visibility,
            },
        )
        for visibility in ("PUBLIC", "PRIVATE")
    ]
    apply(tenants)
    assert standing(tenants, binding) == ("ACTIVE", "ENFORCED", None)


def test_a_public_space_that_vanished_is_open_to_nobody(tenants: Tenants, registry: str, shop: str) -> None:
    (binding,) = tenants.bind([tenants.space(registry, "team", Visibility.PUBLIC)], [shop])
    apply(tenants)

    tenants.see(registry, "team", None)

    assert standing(tenants, binding) == ("SUSPENDED", "PENDING", "It waits to be taken away at the registry.")


def test_what_vanished_and_is_forgotten_takes_its_bindings_with_it(tenants: Tenants, registry: str, shop: str) -> None:
    space = tenants.space(registry, "team")
    bindings = tenants.bind([space], [shop])
    tenants.see(registry, "team", None)

    tenants.write(f'DELETE FROM "space" WHERE "id" = {key_of(space)}')

    assert tenants.binding(bindings[0]) is None


def test_what_is_wanted_moves_with_each_change_and_not_without(tenants: Tenants, registry: str, shop: str) -> None:
    def version() -> int:
        ((found,),) = tenants.rows('SELECT "desired_version" FROM "registry_enforcement"')
        return int(found)

    spaces = tenants.spaces(registry, ["team", "web"])
    seen = []
    (binding, _) = tenants.bind(spaces, [shop])
    seen.append(version())
    tenants.bind(spaces, [shop])
    seen.append(version())
    tenants.put_in_force()
    tenants.done("unbindSpaces", {"bindingIds": [binding]})
    seen.append(version())
    tenants.done("unbindSpaces", {"bindingIds": [binding]})
    seen.append(version())
    tenants.see(registry, "web", None)
    seen.append(version())
    tenants.see(registry, "team", None)
    seen.append(version())
    tenants.see(registry, "web", "web", is_public=False)
    seen.append(version())
    tenants.bind(spaces[1:], [shop])
    seen.append(version())

    assert seen == [1, 1, 2, 2, 3, 3, 4, 4]


def test_events_of_bindings_are_their_workspace_s(tenants: Tenants, registry: str, shop: str) -> None:
    tenants.new_events()
    tenants.bind([tenants.space(registry, "team")], [shop])

    query = """{ events(first: 1) { nodes { type integration { name } ... on BindingCreated {
      integrationName spaceName workspaceName by workspace { id } } } } }"""

    assert tenants.server.graphql(query)["events"]["nodes"] == [
        {
            "type": "BINDING_CREATED",
            "integration": {"name": "h.example"},
            "integrationName": "h.example",
            "spaceName": "team",
            "workspaceName": "shop",
            "by": "admin",
            "workspace": {"id": shop},
        }
    ]
    assert [event.workspace_id for event in tenants.new_events()] == [key_of(shop)]
