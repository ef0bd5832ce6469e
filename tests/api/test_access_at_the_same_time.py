"""Two at once on who may pull what: one order or the other, on both databases, and never something bound to nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.doors import Call, Doors
from tests.durability.replicas import running_replicas
from tests.servers.fake_registries import running_fake_registries

ROUNDS = 20


@pytest.fixture
def doors(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Doors]:
    """The doors; when the test has ended, all must hold that always does."""
    with (
        running_fake_registries() as registries,
        running_replicas(tmp_path, database_settings) as servers,
    ):
        doors = Doors(servers, registries)
        yield doors
        doors.close()
        doors.require_whole()


def bind(space_id: str, workspace_id: str) -> Call:
    return "bindSpaces", {"spaceIds": [space_id], "workspaceIds": [workspace_id]}, "bindings { id state }"


def refusals(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["path"])) for error in payload["errors"]]


NO_SPACE = [("NOT_FOUND", "input.spaceIds.0")]
NO_WORKSPACE = [("NOT_FOUND", "input.workspaceIds.0")]
NO_WORKSPACE_BY_ID = [("NOT_FOUND", "input.workspaceId")]


def test_a_space_is_bound_while_it_is_deleted(doors: Doors) -> None:
    integration_id, workspace_id = doors.integration(), doors.workspace()
    for _ in range(ROUNDS):
        space_id = doors.declared(integration_id)

        bound, deleted = doors.at_once(
            bind(space_id, workspace_id), ("deleteSpace", {"id": space_id}, "space { id } lossCount")
        )

        assert deleted == {"space": {"id": space_id}, "lossCount": 0, "errors": []}
        assert refusals(bound) in ([], NO_SPACE)
        assert doors.rows('SELECT "id" FROM "binding"') == doors.rows('SELECT "id" FROM "space"') == []
    assert doors.events("BINDING_CREATED") == doors.events("BINDING_REVOKED")


def test_a_space_is_bound_while_the_workspace_is_deleted(doors: Doors) -> None:
    space_id = doors.declared(doors.integration())
    for _ in range(ROUNDS):
        workspace_id = doors.workspace()

        bound, deleted = doors.at_once(
            bind(space_id, workspace_id), ("deleteWorkspace", {"id": workspace_id}, "workspace { id }")
        )

        assert deleted == {"workspace": {"id": workspace_id}, "errors": []}
        assert refusals(bound) in ([], NO_WORKSPACE)
        assert doors.rows('SELECT "id" FROM "binding"') == doors.rows('SELECT "id" FROM "workspace"') == []
    assert doors.events("BINDING_CREATED") == doors.events("BINDING_REVOKED")


def test_a_space_is_bound_while_its_registry_is_removed(doors: Doors) -> None:
    workspace_id = doors.workspace()
    for _ in range(ROUNDS):
        integration_id = doors.integration("team/app")
        space_id = doors.found(integration_id)

        bound, removed = doors.at_once(
            bind(space_id, workspace_id), ("removeIntegration", {"id": integration_id}, "integration { id }")
        )

        assert removed == {"integration": {"id": integration_id}, "errors": []}
        assert refusals(bound) in ([], NO_SPACE)
        for table in ("binding", "space", "registry_enforcement"):
            assert doors.rows(f'SELECT "id" FROM "{table}"') == []
    assert doors.events("BINDING_CREATED") == doors.events("BINDING_REVOKED")


def test_a_space_is_bound_while_a_look_finds_it_gone(doors: Doors) -> None:
    integration_id = doors.integration("team/app")
    (name,) = doors.registries.repositories
    space_id = doors.found(integration_id)
    look = ("synchronizeIntegration", {"id": integration_id, "acceptLoss": True}, "vanishedSpaceCount")
    for _ in range(ROUNDS):
        workspace_id = doors.workspace()
        doors.registries.repositories[name] = []

        bound, looked = doors.at_once(bind(space_id, workspace_id), look)

        assert looked == {"vanishedSpaceCount": 1, "errors": []}
        assert refusals(bound) in ([], [("INVALID_INPUT", "input.spaceIds.0")])
        # Bound before, it rests; bound after, it wasn't.
        suspended = doors.events("BINDING_SUSPENDED")
        doors.registries.repositories[name] = ["team/app"]
        doors.do(*look)
        assert doors.events("BINDING_RESUMED") == suspended
        doors.do("deleteWorkspace", {"id": workspace_id})


def test_a_namespace_is_given_to_two(doors: Doors) -> None:
    workspace_ids = [doors.workspace(), doors.workspace()]
    for _ in range(ROUNDS):
        name = {"cluster": "c", "name": doors.new_name()}

        payloads = doors.at_once(
            *[
                ("addNamespaces", {"workspaceId": id_, "namespaces": [name]}, "workspace { id }")
                for id_ in workspace_ids
            ]
        )

        (won,) = [payload for payload in payloads if not payload["errors"]]
        (lost,) = [payload for payload in payloads if payload["errors"]]
        assert lost == {
            "workspace": None,
            "errors": [
                {"code": "NAMESPACE_TAKEN", "path": ["input", "namespaces", "0"], "holder": won["workspace"]},
            ],
        }
    assert doors.rows('SELECT COUNT(*) FROM "namespace"') == [(ROUNDS,)]
    assert doors.events("NAMESPACE_ADDED") == ROUNDS


def test_namespaces_are_given_while_the_workspace_is_deleted(doors: Doors) -> None:
    for _ in range(ROUNDS):
        workspace_id = doors.workspace()
        given = {"workspaceId": workspace_id, "namespaces": [{"name": "one"}, {"name": "two"}]}

        added, deleted = doors.at_once(
            ("addNamespaces", given, "__typename"), ("deleteWorkspace", {"id": workspace_id}, "__typename")
        )

        assert deleted["errors"] == []
        assert refusals(added) in ([], NO_WORKSPACE_BY_ID)
        assert doors.rows('SELECT "id" FROM "namespace"') == doors.rows('SELECT "id" FROM "workspace"') == []
    assert doors.events("NAMESPACE_ADDED") == doors.events("NAMESPACE_REMOVED")


def test_one_external_id_is_upserted_twice(doors: Doors) -> None:
    for _ in range(ROUNDS):
        external_id, names = doors.new_name(), [doors.new_name(), doors.new_name()]
        wanted = [
            {"externalId": external_id, "name": name, "namespaces": [{"name": "both"}, {"name": name}]}
            for name in names
        ]

        payloads = doors.at_once(*[("upsertWorkspace", given, "workspace { id name } isCreated") for given in wanted])

        assert [payload["errors"] for payload in payloads] == [[], []]
        assert sorted(payload["isCreated"] for payload in payloads) == [False, True]
        assert len({payload["workspace"]["id"] for payload in payloads}) == 1
        # Wholly as the later one wanted it.
        (later,) = [payload["workspace"] for payload in payloads if not payload["isCreated"]]
        rows = doors.rows(
            'SELECT w."name", n."name" FROM "workspace" w JOIN "namespace" n ON n."workspace_id" = w."id"'
        )
        assert sorted(rows) == sorted([(later["name"], "both"), (later["name"], later["name"])])
        doors.do("deleteWorkspace", {"id": later["id"]})


@pytest.mark.parametrize("is_in_force", [False, True], ids=["in force nowhere", "in force"])
def test_a_binding_is_taken_back_twice(doors: Doors, is_in_force: bool) -> None:
    integration_id, workspace_id = doors.integration(), doors.workspace()
    for round_ in range(ROUNDS):
        bound = doors.do(*bind(doors.declared(integration_id), workspace_id))
        if is_in_force:
            doors.write('UPDATE "registry_enforcement" SET "attempted_version" = "desired_version"')
        (binding_id,) = [binding["id"] for binding in bound["bindings"]]

        unbind = ("unbindSpaces", {"bindingIds": [binding_id]}, "removedBindingIds bindings { state }")
        payloads = doors.at_once(unbind, unbind)

        if is_in_force:
            assert payloads == [{"removedBindingIds": [], "bindings": [{"state": "REVOKING"}], "errors": []}] * 2
        else:
            codes = sorted(refusals(payload) for payload in payloads)
            assert codes == [[], [("NOT_FOUND", "input.bindingIds.0")]]
        assert doors.events("BINDING_REVOKED") == round_ + 1


def test_a_space_is_bound_twice(doors: Doors) -> None:
    integration_id, workspace_id = doors.integration(), doors.workspace()
    for round_ in range(ROUNDS):
        space_id = doors.declared(integration_id)

        first, second = doors.at_once(*[bind(space_id, workspace_id)] * 2)

        assert first == second
        assert first["errors"] == []
        assert len(first["bindings"]) == 1
        assert doors.events("BINDING_CREATED") == round_ + 1


def test_many_are_bound_and_taken_back_in_any_order(doors: Doors) -> None:
    integrations = [doors.integration(), doors.integration()]
    spaces = [doors.declared(integration_id) for integration_id in integrations * 2]
    workspaces = [doors.workspace() for _ in range(3)]
    for _ in range(ROUNDS):
        shuffled = [random.sample(spaces, 4), random.sample(spaces, 4)]
        calls: list[Call] = [
            ("bindSpaces", {"spaceIds": ids, "workspaceIds": random.sample(workspaces, 3)}, "bindings { id }")
            for ids in shuffled
        ]
        calls.append(("setSpaceVisibility", {"ids": shuffled[0], "visibility": "PUBLIC"}, "spaces { id }"))
        *bound, opened = doors.at_once(*calls)

        ids = [[binding["id"] for binding in payload["bindings"]] for payload in bound]
        assert [payload["errors"] for payload in (*bound, opened)] == [[], [], []]
        assert sorted(ids[0]) == sorted(ids[1])
        assert len(set(ids[0])) == 12
        halves = (ids[1][:6], ids[1][6:])
        taken = doors.at_once(
            *[("unbindSpaces", {"bindingIds": half}, "removedBindingIds") for half in halves],
            ("setSpaceVisibility", {"ids": shuffled[1], "visibility": "PRIVATE"}, "spaces { id }"),
        )
        assert [payload["errors"] for payload in taken] == [[], [], []]
        assert [payload["removedBindingIds"] for payload in taken[:2]] == list(halves)


def test_a_token_is_made_while_its_workspace_is_deleted(doors: Doors) -> None:
    for _ in range(ROUNDS):
        workspace_id = doors.workspace()
        given = {"name": "a member", "role": "WORKSPACE_MEMBER", "expiresAt": "2030-01-01T00:00:00Z"}

        made, deleted = doors.at_once(
            ("createAccessToken", given | {"workspaceId": workspace_id}, "token"),
            ("deleteWorkspace", {"id": workspace_id}, "__typename"),
        )

        assert deleted["errors"] == []
        assert refusals(made) in ([], NO_WORKSPACE_BY_ID)
    assert doors.rows("""SELECT "id" FROM "access_token" WHERE "revoked_at" IS NULL AND "name" = 'a member'""") == []


def test_a_registry_is_brought_while_the_workspace_is_deleted(doors: Doors) -> None:
    for _ in range(ROUNDS):
        workspace_id = doors.workspace()
        registry = doors.new_registry("team/app") | {"workspaceId": workspace_id}

        brought, deleted = doors.at_once(
            ("integrateRegistry", registry, "integration { id }"),
            ("deleteWorkspace", {"id": workspace_id}, "__typename"),
        )

        outcome = (refusals(brought), refusals(deleted))
        assert outcome in (([], [("WORKSPACE_HAS_INTEGRATIONS", "input.id")]), (NO_WORKSPACE_BY_ID, []))
        if brought["integration"] is not None:
            doors.do("removeIntegration", {"id": brought["integration"]["id"]})
            doors.do("deleteWorkspace", {"id": workspace_id})


MADE_TWICE = {
    "workspace": ("createWorkspace", {}, [("WORKSPACE_NAME_TAKEN", "input.name")]),
    "space": ("createSpace", {"integrationId": ""}, [("SPACE_NAME_TAKEN", "input.name")]),
}


@pytest.mark.parametrize("what", MADE_TWICE)
def test_one_name_is_made_twice(doors: Doors, what: str) -> None:
    mutation, given, refused = MADE_TWICE[what]
    if "integrationId" in given:
        given = {"integrationId": doors.integration()}
    for round_ in range(ROUNDS):
        name = f"name{round_}"

        payloads = doors.at_once(*[(mutation, {**given, "name": name}, f"{what} {{ name }}")] * 2)

        assert sorted(refusals(payload) for payload in payloads) == [[], refused]
        assert [payload[what] for payload in payloads if payload[what]] == [{"name": name}]
        assert doors.rows(f'SELECT COUNT(*) FROM "{what}"') == [(round_ + 1,)]


def test_a_space_is_made_while_its_registry_is_removed(doors: Doors) -> None:
    for _ in range(ROUNDS):
        integration_id = doors.integration()
        new = {"integrationId": integration_id, "name": "team"}

        made, removed = doors.at_once(
            ("createSpace", new, "space { id }"), ("removeIntegration", {"id": integration_id}, "__typename")
        )

        assert removed["errors"] == []
        assert refusals(made) in ([], [("NOT_FOUND", "input.integrationId")])
        assert doors.rows('SELECT "id" FROM "space"') == []
