"""createWorkspace, updateWorkspace, deleteWorkspace: names, external ids, labels, and what goes with a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from models.enums import Role
from resolvers.global_ids import global_id
from tests.api.tenants import BINDINGS, LOSSES, Tenants, Told, key_of, lost, named, tenants_of
from tests.serving import RunningServer
from tests.workspaces import token_in

FIELDS = "id name externalId labels { key value } createdAt updatedAt deletedAt"
WHOLE = f"workspace {{ {FIELDS} }}"


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


def invalid(errors: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the paths of errors that are all of values which can't be taken."""
    assert {error["__typename"] for error in errors} == {"InvalidInput"}
    return [tuple(error["path"][1:]) for error in errors]


def test_a_workspace_is_made_as_given(tenants: Tenants) -> None:
    given = {
        "name": "  Shop ",
        "externalId": "t-1",
        "labels": [{"key": "b.example/tier", "value": "gold"}, {"key": "a"}],
    }

    made = tenants.done("createWorkspace", given, WHOLE)["workspace"]

    assert made["createdAt"] == made["updatedAt"]
    assert {key: made[key] for key in ("name", "externalId", "labels", "deletedAt")} == {
        "name": "Shop",
        "externalId": "t-1",
        "labels": [{"key": "a", "value": ""}, {"key": "b.example/tier", "value": "gold"}],
        "deletedAt": None,
    }
    assert tenants.new_events() == [
        Told("WORKSPACE_CREATED", key_of(made["id"]), None, {"workspace_name": "Shop", "by": "admin"})
    ]
    listed = tenants.server.graphql(f"{{ workspaces {{ totalCount nodes {{ {FIELDS} }} }} }}")["workspaces"]
    assert listed == {"totalCount": 1, "nodes": [made]}


def test_a_name_is_one_workspace_s_whatever_its_case(tenants: Tenants) -> None:
    tenants.workspace("Straße")
    other = tenants.workspace("other")

    for mutation, given in (("createWorkspace", {}), ("updateWorkspace", {"id": other})):
        (error,) = tenants.refused(mutation, {**given, "name": "STRASSE"})
        assert error == {
            "__typename": "WorkspaceNameTaken",
            "message": "Another workspace is called “Straße”. Choose another name.",
            "path": ["input", "name"],
            "holder": {"name": "Straße"},
        }


def test_its_own_name_in_another_case_is_free(tenants: Tenants) -> None:
    id_ = tenants.workspace("shop")

    assert tenants.done("updateWorkspace", {"id": id_, "name": "SHOP"}, WHOLE)["workspace"]["name"] == "SHOP"


def test_an_external_id_is_one_workspace_s(tenants: Tenants) -> None:
    tenants.workspace("holder", external_id="t-1")
    other = tenants.workspace("other", external_id="T-1")

    for mutation, given in (("createWorkspace", {"name": "new"}), ("updateWorkspace", {"id": other})):
        (error,) = tenants.refused(mutation, {**given, "externalId": "t-1"})
        assert error == {
            "__typename": "ExternalIdTaken",
            "message": "The external id “t-1” belongs to the workspace “holder”.",
            "path": ["input", "externalId"],
            "holder": {"name": "holder"},
        }


@pytest.mark.parametrize(
    "external_id",
    ["", " ", " t", "t\n", "x" * 10_240, "x" * 256, "a\x00b", "a\x7fb", "a\u2028b", "a\u202eb"],
    ids=["nothing", "blank", "before", "behind", "10 kB", "256", "null", "delete", "line", "direction"],
)
@pytest.mark.parametrize("mutation", ["createWorkspace", "upsertWorkspace"])
def test_an_external_id_that_is_none(tenants: Tenants, mutation: str, external_id: str) -> None:
    assert invalid(tenants.refused(mutation, {"name": "shop", "externalId": external_id})) == [("externalId",)]


def test_an_external_id_as_long_as_may_be(tenants: Tenants) -> None:
    id_ = tenants.workspace("shop", external_id="é" * 255)

    assert tenants.rows('SELECT "external_id" FROM "workspace"') == [("é" * 255,)]
    # Two without any are no two of the same.
    tenants.done("updateWorkspace", {"id": id_, "externalId": None})
    tenants.workspace("other")


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\x00b", "a\nb", "a\u202eb"])
def test_a_name_that_is_none(tenants: Tenants, name: str) -> None:
    id_ = tenants.workspace("shop")

    assert invalid(tenants.refused("createWorkspace", {"name": name})) == [("name",)]
    assert invalid(tenants.refused("updateWorkspace", {"id": id_, "name": name})) == [("name",)]


def test_all_that_is_wrong_is_said_at_once(tenants: Tenants) -> None:
    labels = [
        {"key": "good", "value": "x" * 63},
        {"key": "good"},
        {"key": "Bad.Example/x"},
        {"key": "a/b/c"},
        {"key": "x" * 64, "value": "-"},
        {"key": "a.example/x", "value": "x" * 64},
    ]

    errors = tenants.refused("createWorkspace", {"name": "", "externalId": "", "labels": labels})

    assert invalid(errors) == [
        ("name",),
        ("externalId",),
        ("labels", "1", "key"),
        ("labels", "2", "key"),
        ("labels", "3", "key"),
        ("labels", "4", "key"),
        ("labels", "4", "value"),
        ("labels", "5", "value"),
    ]


def test_more_labels_than_may_be(tenants: Tenants) -> None:
    labels = [{"key": f"k{number}"} for number in range(65)]

    assert invalid(tenants.refused("createWorkspace", {"name": "shop", "labels": labels})) == [("labels",)]
    tenants.done("createWorkspace", {"name": "shop", "labels": labels[:64]})


def test_what_is_left_out_stays_and_null_empties(tenants: Tenants) -> None:
    given = {"name": "shop", "externalId": "t-1", "labels": [{"key": "a", "value": "b"}]}
    made = tenants.done("createWorkspace", given, WHOLE)["workspace"]
    tenants.new_events()

    renamed = tenants.done("updateWorkspace", {"id": made["id"], "name": "Shop"}, WHOLE)["workspace"]
    assert renamed == {**made, "name": "Shop", "updatedAt": renamed["updatedAt"]}
    assert datetime.fromisoformat(renamed["updatedAt"]) > datetime.fromisoformat(made["updatedAt"])
    emptied = tenants.done("updateWorkspace", {"id": made["id"], "externalId": None, "labels": None}, WHOLE)
    assert emptied["workspace"] == {
        **renamed,
        "externalId": None,
        "labels": [],
        "updatedAt": emptied["workspace"]["updatedAt"],
    }
    assert (
        tenants.new_events()
        == [Told("WORKSPACE_UPDATED", key_of(made["id"]), None, {"workspace_name": "Shop", "by": "admin"})] * 2
    )
    # A workspace has a name.
    assert invalid(tenants.refused("updateWorkspace", {"id": made["id"], "name": None})) == [("name",)]


def test_an_update_that_changes_nothing_writes_nothing(tenants: Tenants) -> None:
    labels = [{"key": "a", "value": "b"}, {"key": "c"}]
    given = {"name": "shop", "externalId": "t-1", "labels": labels}
    made = tenants.done("createWorkspace", given, WHOLE)["workspace"]
    before = tenants.stored()

    for same in ({}, given, {**given, "name": " shop ", "labels": labels[::-1]}):
        assert tenants.done("updateWorkspace", {"id": made["id"], **same}, WHOLE)["workspace"] == made
    assert tenants.stored() == before


def test_who_read_it_before_it_was_changed_is_shown_how_it_is(tenants: Tenants) -> None:
    made = tenants.done("createWorkspace", {"name": "shop", "externalId": "t-1"}, WHOLE)["workspace"]
    changed = tenants.done("updateWorkspace", {"id": made["id"], "name": "Shop"}, WHOLE)["workspace"]

    for mutation, given in (("updateWorkspace", {"id": made["id"]}), ("upsertWorkspace", {"externalId": "t-1"})):
        late = {**given, "name": "bazaar", "expectedUpdatedAt": made["updatedAt"]}
        (error,) = tenants.refused(mutation, late)
        assert error == {
            "__typename": "WorkspaceUpdateConflict",
            "message": "“Shop” was changed since you read it. Look again, then repeat.",
            "path": ["input", "expectedUpdatedAt"],
            "current": {"name": "Shop", "updatedAt": changed["updatedAt"]},
        }
        in_time = {**given, "expectedUpdatedAt": changed["updatedAt"]}
        assert tenants.done(mutation, in_time, WHOLE)["workspace"] == changed


@pytest.mark.parametrize("id_", ["", "nothing", "\x00", global_id("Integration", 1), global_id("Workspace", 2**63 - 1)])
def test_a_workspace_that_is_none(tenants: Tenants, id_: str) -> None:
    for mutation in ("updateWorkspace", "deleteWorkspace"):
        (error,) = tenants.refused(mutation, {"id": id_})
        assert error == {
            "__typename": "NotFound",
            "message": "There is no workspace with this id.",
            "path": ["input", "id"],
        }


def test_what_belongs_to_a_workspace_goes_with_it(tenants: Tenants) -> None:
    registry = tenants.registry("h.example")
    spaces = tenants.spaces(registry, ["team", "web"])
    shop = tenants.workspace("shop", "shop", "c2/shop")
    bank = tenants.workspace("bank", "bank")
    bindings = tenants.bind(spaces, [shop, bank])
    tokens = [token_in(tenants.server, key_of(shop), role) for role in (Role.WORKSPACE_ADMIN, Role.WORKSPACE_MEMBER)]
    kept = token_in(tenants.server, key_of(bank))
    tenants.new_events()
    expected = [
        (f"{cluster}/shop", f"h.example/{space}/", None) for space in ("team", "web") for cluster in ("c2", "default")
    ]

    assert lost(tenants.tried("deleteWorkspace", {"id": shop}, LOSSES)) == expected
    payload = tenants.done("deleteWorkspace", {"id": shop}, f"workspace {{ id name deletedAt }} {LOSSES}")

    assert lost(payload) == expected
    assert {loss["namespace"]["workspace"]["name"] for loss in payload["losses"]} == {"shop"}
    assert payload["workspace"] == {"id": shop, "name": "shop", "deletedAt": None}
    of_shop, spaces_keys = key_of(shop), [key_of(space) for space in spaces]
    events = tenants.new_events()
    by = {"workspace_name": "shop", "by": "admin"}
    assert [event for event in events if event.type != "ACCESS_TOKEN_REVOKED"] == [
        Told("NAMESPACE_REMOVED", of_shop, None, {**by, "cluster": "c2", "namespace_name": "shop"}),
        Told("NAMESPACE_REMOVED", of_shop, None, {**by, "cluster": "default", "namespace_name": "shop"}),
        *(
            Told(
                "BINDING_REVOKED",
                of_shop,
                space,
                {**by, "binding_id": key_of(binding), "space_name": name, "integration_name": "h.example"},
            )
            for binding, space, name in zip(bindings[::2], spaces_keys, ["team", "web"], strict=True)
        ),
        Told("WORKSPACE_DELETED", of_shop, None, by),
    ]
    assert [event.data["name"] for event in events if event.type == "ACCESS_TOKEN_REVOKED"] == [
        "a WORKSPACE_ADMIN",
        "a WORKSPACE_MEMBER",
    ]
    headers = [{"Authorization": f"Bearer {token}", "Content-Type": "application/json"} for token in (*tokens, kept)]
    asked = [tenants.server.request("POST", "/graphql", b'{"query": "{ viewer { name } }"}', each) for each in headers]
    assert [answer.status for answer in asked] == [401, 401, 200]
    assert tenants.rows('SELECT "name" FROM "workspace"') == [("bank",)]
    assert tenants.rows('SELECT "cluster", "name" FROM "namespace"') == [("default", "bank")]
    assert tenants.rows('SELECT "id" FROM "binding" ORDER BY "id"') == [(key_of(id_),) for id_ in bindings[1::2]]
    assert tenants.rows('SELECT "workspace_id" FROM "registry_enforcement"') == [(key_of(bank),)]
    # All that was its own is free again.
    again = tenants.workspace("SHOP", "shop", "c2/shop")
    assert again != shop


def test_a_workspace_that_brought_registries_is_kept(tenants: Tenants) -> None:
    shop = tenants.workspace("shop", "shop")
    tenants.registry("one.example", workspace=shop)
    for number, brought in ((1, "a registry"), (2, "2 registries")):
        for dry_run in (True, False):
            (error,) = tenants.refused("deleteWorkspace", {"id": shop, "dryRun": dry_run})
            assert error == {
                "__typename": "WorkspaceHasIntegrations",
                "message": f"The workspace “shop” brought {brought} of its own. Remove them first, so that what was"
                " made there for this server goes too.",
                "path": ["input", "id"],
                "integrationCount": number,
            }
        tenants.registry(f"two-{number}.example", workspace=shop)


@pytest.fixture
def deleted(tenants: Tenants) -> tuple[str, list[str]]:
    """A workspace that is being deleted, since one of the two spaces that it was given may be in force."""
    registry = tenants.registry("h.example")
    shop = tenants.workspace("shop", "shop", external_id="t-1")
    (in_force,) = tenants.bind([tenants.space(registry, "team")], [shop])
    tenants.put_in_force()
    (new,) = tenants.bind([tenants.space(registry, "web")], [shop])
    tenants.new_events()
    assert lost(tenants.done("deleteWorkspace", {"id": shop}, LOSSES)) == [
        ("default/shop", "h.example/team/", None),
        ("default/shop", "h.example/web/", None),
    ]
    return shop, [in_force, new]


def node(tenants: Tenants, id_: str) -> Any:
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Workspace {{ {FIELDS} {SHOWN} }} }} }}"
    return tenants.server.graphql(query, {"id": id_})["node"]


SHOWN = "namespaces { totalCount } spaces { totalCount } bindings { nodes { id state revokedAt } }"


def test_it_stands_while_something_of_it_may_be_in_force(tenants: Tenants, deleted: tuple[str, list[str]]) -> None:
    shop, (in_force, new) = deleted

    assert tenants.new_event_types() == [
        "NAMESPACE_REMOVED",
        "BINDING_REVOKED",
        "BINDING_REVOKED",
        "WORKSPACE_DELETED",
    ]
    found = node(tenants, shop)
    assert found["deletedAt"] is not None
    assert (found["namespaces"], found["spaces"]) == ({"totalCount": 0}, {"totalCount": 0})
    (left,) = found["bindings"]["nodes"]
    assert (left["id"], left["state"], left["revokedAt"]) == (in_force, "REVOKING", found["deletedAt"])
    assert tenants.binding(new) is None
    # To delete it once more changes nothing.
    before = tenants.stored()
    assert tenants.done("deleteWorkspace", {"id": shop}, LOSSES) == {"lossCount": 0, "losses": []}
    assert tenants.stored() == before


def test_while_it_is_deleted_it_takes_nothing_and_its_namespaces_are_free(
    tenants: Tenants, deleted: tuple[str, list[str]]
) -> None:
    shop, _ = deleted
    ((space,),) = tenants.rows("""SELECT "id" FROM "space" WHERE "name" = 'web'""")
    message = "The workspace “shop” is being deleted."

    for mutation, given, path in (
        ("updateWorkspace", {"id": shop, "name": "bazaar"}, ["id"]),
        ("addNamespaces", {"workspaceId": shop, "namespaces": named("shop")}, ["workspaceId"]),
        ("bindSpaces", {"spaceIds": [global_id("Space", space)], "workspaceIds": [shop]}, ["workspaceIds", "0"]),
    ):
        assert tenants.refused(mutation, given) == [
            {"__typename": "InvalidInput", "message": message, "path": ["input", *path]}
        ]
    # Its name and its external id are its own still.
    assert [error["__typename"] for error in tenants.refused("createWorkspace", {"name": "SHOP"})] == [
        "WorkspaceNameTaken"
    ]
    tenants.workspace("bank", "shop")


def test_it_goes_once_nothing_of_it_is_left(tenants: Tenants, deleted: tuple[str, list[str]]) -> None:
    shop, _ = deleted
    tenants.write('DELETE FROM "binding"')
    tenants.new_events()

    tenants.done("deleteWorkspace", {"id": shop})

    assert tenants.rows('SELECT * FROM "workspace"') == []
    # It was told when it was deleted.
    assert tenants.new_events() == []


def test_its_tenant_s_coming_back_makes_it_stand_again(tenants: Tenants, deleted: tuple[str, list[str]]) -> None:
    shop, (in_force, _) = deleted
    tenants.new_events()
    given = {"externalId": "t-1", "namespaces": named("shop")}

    payload = tenants.done("upsertWorkspace", given, f"isCreated {WHOLE}")

    assert payload["isCreated"] is False
    assert (payload["workspace"]["id"], payload["workspace"]["deletedAt"]) == (shop, None)
    assert tenants.new_event_types() == ["WORKSPACE_UPDATED", "NAMESPACE_ADDED"]
    assert tenants.binding(in_force) == {"state": "REVOKING"}
    assert not tenants.may_pull("shop", "h.example/team/app")
    spaces = [global_id("Space", id_) for (id_,) in tenants.rows('SELECT "id" FROM "space" ORDER BY "name"')]
    payload = tenants.done("bindSpaces", {"spaceIds": spaces, "workspaceIds": [shop]}, BINDINGS)
    assert [(binding["id"] == in_force, binding["state"]) for binding in payload["bindings"]] == [
        (True, "ACTIVE"),
        (False, "ACTIVE"),
    ]
    assert tenants.may_pull("shop", "h.example/team/app")
