"""upsertWorkspace: a platform keeps step with its own tenants, as often as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.tenants import LOSSES, Tenants, Told, key_of, lost, named, tenants_of
from tests.serving import RunningServer

FIELDS = "id name externalId labels { key value } updatedAt namespaces(first: 100) { nodes { cluster name } }"
WHOLE = f"isCreated workspace {{ {FIELDS} }} {LOSSES}"

TENANT: dict[str, Any] = {
    "externalId": "t-1",
    "name": "Shop",
    "labels": [{"key": "tier", "value": "gold"}, {"key": "zone", "value": ""}],
    "namespaces": named("shop", "c2/shop", "jobs"),
}


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


def upsert(tenants: Tenants, **given: Any) -> dict[str, Any]:
    """Upsert the tenant, changed by what is given, and return the payload."""
    return tenants.done("upsertWorkspace", {**TENANT, **given}, WHOLE)


def test_a_tenant_is_made_with_its_namespaces(tenants: Tenants) -> None:
    payload = upsert(tenants)

    workspace = payload.pop("workspace")
    assert payload == {"isCreated": True, "lossCount": 0, "losses": []}
    assert workspace == {
        "id": workspace["id"],
        "name": "Shop",
        "externalId": "t-1",
        "labels": TENANT["labels"],
        "updatedAt": workspace["updatedAt"],
        "namespaces": {"nodes": [{"cluster": "default", **each} for each in TENANT["namespaces"]]},
    }
    by = {"workspace_name": "Shop", "by": "admin"}
    assert tenants.new_events() == [
        Told("WORKSPACE_CREATED", key_of(workspace["id"]), None, by),
        *(
            Told("NAMESPACE_ADDED", key_of(workspace["id"]), None, {**by, "cluster": cluster, "namespace_name": name})
            for cluster, name in (("default", "shop"), ("c2", "shop"), ("default", "jobs"))
        ),
    ]


def test_the_same_call_again_changes_nothing(tenants: Tenants) -> None:
    made = upsert(tenants)
    before = tenants.stored()

    again = upsert(tenants)
    reordered = upsert(tenants, labels=TENANT["labels"][::-1], namespaces=TENANT["namespaces"][::-1])
    alone = tenants.done("upsertWorkspace", {"externalId": "t-1"}, WHOLE)

    assert again == reordered == alone == {**made, "isCreated": False}
    assert tenants.stored() == before


def test_only_what_is_different_is_written(tenants: Tenants) -> None:
    made = upsert(tenants)["workspace"]
    tenants.new_events()
    kept = tenants.rows("""SELECT * FROM "namespace" WHERE "name" = 'shop' ORDER BY "id" """)

    payload = upsert(tenants, name="Bazaar", namespaces=named("new", "c2/shop", "shop"))

    workspace = payload.pop("workspace")
    assert payload == {"isCreated": False, "lossCount": 0, "losses": []}
    assert (workspace["id"], workspace["name"], workspace["labels"]) == (made["id"], "Bazaar", made["labels"])
    assert [f"{each['cluster']}/{each['name']}" for each in workspace["namespaces"]["nodes"]] == [
        "default/shop",
        "c2/shop",
        "default/new",
    ]
    assert tenants.rows("""SELECT * FROM "namespace" WHERE "name" = 'shop' ORDER BY "id" """) == kept
    by, key = {"workspace_name": "Bazaar", "by": "admin"}, key_of(made["id"])
    assert tenants.new_events() == [
        Told("WORKSPACE_UPDATED", key, None, by),
        Told("NAMESPACE_REMOVED", key, None, {**by, "cluster": "default", "namespace_name": "jobs"}),
        Told("NAMESPACE_ADDED", key, None, {**by, "cluster": "default", "namespace_name": "new"}),
    ]


def test_namespaces_come_and_go_without_a_word_about_the_workspace(tenants: Tenants) -> None:
    made = upsert(tenants)["workspace"]
    tenants.new_events()

    assert upsert(tenants, namespaces=[])["workspace"] == {**made, "namespaces": {"nodes": []}}
    assert tenants.new_event_types() == ["NAMESPACE_REMOVED"] * 3
    given = {"externalId": "t-1", "labels": None}
    assert tenants.done("upsertWorkspace", given, WHOLE)["workspace"]["labels"] == []
    assert tenants.new_event_types() == ["WORKSPACE_UPDATED"]


def test_what_is_left_out_stays(tenants: Tenants) -> None:
    made = upsert(tenants)["workspace"]

    renamed = tenants.done("upsertWorkspace", {"externalId": "t-1", "name": "Bazaar"}, WHOLE)["workspace"]

    assert renamed == {**made, "name": "Bazaar", "updatedAt": renamed["updatedAt"]}


def test_a_new_one_needs_a_name(tenants: Tenants) -> None:
    for given in ({}, {"dryRun": True}):
        assert tenants.refused("upsertWorkspace", {"externalId": "t-1", **given}) == [
            {
                "__typename": "InvalidInput",
                "message": "There is no workspace of this external id yet: give its name.",
                "path": ["input", "name"],
            }
        ]
    (error,) = tenants.refused("upsertWorkspace", {"externalId": "t-1", "name": None})
    assert (error["__typename"], error["path"]) == ("InvalidInput", ["input", "name"])


def test_one_that_was_read_and_is_gone_is_not_made_anew(tenants: Tenants) -> None:
    made = upsert(tenants)["workspace"]
    tenants.done("deleteWorkspace", {"id": made["id"]})

    (error,) = tenants.refused("upsertWorkspace", {**TENANT, "expectedUpdatedAt": made["updatedAt"]})

    assert (error["__typename"], error["path"]) == ("NotFound", ["input", "externalId"])


def test_a_namespace_of_another_s_stops_it_all(tenants: Tenants) -> None:
    tenants.workspace("bank", "jobs", "c2/shop")
    tenants.workspace("mill", "mill")
    expected = [
        {
            "__typename": "NamespaceTaken",
            "message": f"The namespace “{name}” of the cluster “{cluster}” belongs to the workspace “{holder}”."
            " Remove it there first.",
            "path": ["input", "namespaces", place],
            "holder": {"name": holder},
        }
        for cluster, name, holder, place in (
            ("c2", "shop", "bank", "1"),
            ("default", "jobs", "bank", "2"),
            ("default", "mill", "mill", "3"),
        )
    ]
    given = {**TENANT, "namespaces": [*TENANT["namespaces"], *named("mill")]}

    # One that would be made, one that would be changed, and a dry run of each.
    for number in range(2):
        assert tenants.refused("upsertWorkspace", {**given, "dryRun": True}) == expected
        assert tenants.refused("upsertWorkspace", given) == expected
        if number == 0:
            upsert(tenants, name="before", namespaces=named("before"))


def test_a_name_of_another_s_stops_it_all(tenants: Tenants) -> None:
    tenants.workspace("SHOP")

    for _ in range(2):
        (error,) = tenants.refused("upsertWorkspace", TENANT)
        assert (error["__typename"], error["path"]) == ("WorkspaceNameTaken", ["input", "name"])
        tenants.done("upsertWorkspace", {"externalId": "t-1", "name": "other"})


def test_everything_wrong_is_said_at_once(tenants: Tenants) -> None:
    given = {"externalId": "", "name": "", "labels": [{"key": ""}], "namespaces": named("a", "A", "a")}

    errors = tenants.refused("upsertWorkspace", given)

    assert {error["__typename"] for error in errors} == {"InvalidInput"}
    assert [".".join(error["path"][1:]) for error in errors] == [
        "name",
        "externalId",
        "labels.0.key",
        "namespaces.1.name",
        "namespaces.2",
    ]


def test_a_dry_run_tells_what_would_be(tenants: Tenants) -> None:
    assert tenants.tried("upsertWorkspace", TENANT, WHOLE) == {
        "isCreated": True,
        "workspace": None,
        "lossCount": 0,
        "losses": [],
    }
    made = upsert(tenants)
    registry = tenants.registry("h.example", "alias.example")
    tenants.bind([tenants.space(registry, "team")], [made["workspace"]["id"]])
    given = {**TENANT, "name": "Bazaar", "namespaces": named("shop", "new")}
    expected = [
        (namespace, f"{host}/team/", None)
        for host in ("alias.example", "h.example")
        for namespace in ("c2/shop", "default/jobs")
    ]

    tried = tenants.tried("upsertWorkspace", given, WHOLE)

    assert (tried["isCreated"], tried["workspace"]) == (False, made["workspace"])
    assert lost(tried) == expected
    done = tenants.done("upsertWorkspace", given, WHOLE)
    assert (done["workspace"]["name"], lost(done)) == ("Bazaar", expected)
    assert {loss["namespace"]["workspace"]["name"] for loss in done["losses"]} == {"Bazaar"}


def test_a_dry_run_leaves_a_row_in_the_audit_alone(tenants: Tenants) -> None:
    ((before,),) = tenants.rows('SELECT COUNT(*) FROM "audit_event"')

    tenants.tried("upsertWorkspace", TENANT, "isCreated")

    rows = tenants.rows('SELECT "mutation", "is_dry_run", "outcome" FROM "audit_event" ORDER BY "id"')
    assert [(mutation, bool(dry_run), outcome) for mutation, dry_run, outcome in rows[before:]] == [
        ("upsertWorkspace", True, "SUCCEEDED")
    ]


def test_a_thousand_namespaces_are_kept_in_step(tenants: Tenants) -> None:
    names = [f"c{number % 7}/n{number:04}" for number in range(1000)]

    upsert(tenants, namespaces=named(*names))
    before = tenants.stored()
    upsert(tenants, namespaces=named(*names))

    assert tenants.stored() == before
    (error,) = tenants.refused("upsertWorkspace", {**TENANT, "namespaces": named(*names, "more")})
    assert error == {
        "__typename": "InvalidInput",
        "message": "At most 1000 namespaces can be given at once; these are 1001.",
        "path": ["input", "namespaces"],
    }
    tenants.new_events()
    upsert(tenants, namespaces=named(*names[1:]))
    (event,) = tenants.new_events()
    assert (event.type, event.data["namespace_name"]) == ("NAMESPACE_REMOVED", "n0000")
