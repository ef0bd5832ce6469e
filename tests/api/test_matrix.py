"""Every root field by every role, made from the schema: allowed or refused as declared, and then nothing happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from graphql import GraphQLInterfaceType
from strawberry.types.base import get_object_definition

from models.database import NewEvent
from models.enums import EventType, Role
from resolvers.global_ids import ArtifactKey, global_id
from resolvers.permission import ACCESS_METADATA, Access
from schema.roots.mutation import Mutation
from schema.roots.query import Query
from schema.roots.subscription import Subscription
from tests.api.administrators import for_administrators
from tests.api.arguments import Known, operation_of, root_fields
from tests.api.fake_registry import FakeRegistry
from tests.api.live import over_event_stream
from tests.databases import every_row
from tests.serving import RunningServer, shared_schema
from tests.tenants import (
    BOUND_TO_A,
    BOUND_TO_B,
    OPEN,
    OWN_OF_A,
    OWN_OF_B,
    PLATFORM,
    VIEWERS,
    Tenants,
    clear_tenants,
    store_tenants,
)

USER_ERROR = cast(GraphQLInterfaceType, shared_schema()._schema.type_map["UserError"])
WITHOUT_CREDENTIAL = "nobody"
NO_DIGEST = f"sha256:{'0' * 64}"
GRANTED = {
    Access.EVERY_VIEWER: set(VIEWERS),
    Access.WORKSPACE_ADMINISTRATORS: {"platform admin", "admin of A"},
    Access.PLATFORM_ADMINISTRATORS: {"platform admin"},
}
FOR_PLATFORM_ADMINISTRATORS = {
    "auditEvents",
    "accessTokens",
    "createWorkspace",
    "upsertWorkspace",
    "updateWorkspace",
    "deleteWorkspace",
    "addNamespaces",
    "removeNamespaces",
    "createAccessToken",
    "revokeAccessToken",
}
DECLARED = {
    (definition.name, shared_schema().config.name_converter.get_graphql_name(field)): field.metadata[ACCESS_METADATA]
    for definition in (get_object_definition(root, strict=True) for root in (Query, Mutation, Subscription))
    for field in definition.fields
}

MATRIX = [(root, name, viewer) for root, name in root_fields() for viewer in (*VIEWERS, WITHOUT_CREDENTIAL)]
OF_WHOM = [
    (name, whose)
    for (root, name), access in sorted(DECLARED.items())
    if root == "Mutation" and access is Access.WORKSPACE_ADMINISTRATORS
    for whose in ("the platform", "B")
]


@dataclass(frozen=True, slots=True)
class Place:
    """Two workspaces on a server, and a registry that is only asked by who may."""

    tenants: Tenants
    registry: FakeRegistry

    def known(self, whose: str) -> Known:
        """Return the ids of what is a workspace's, or of what is the platform's, and an address."""
        integration, space, workspace, bound = {
            "A": (OWN_OF_A, "own of A", "A", "own of A, bound"),
            "B": (OWN_OF_B, "own of B", "B", BOUND_TO_B),
            "the platform": (PLATFORM, OPEN, "A", BOUND_TO_A),
        }[whose]
        keys = {
            "Integration": self.tenants.integrations[integration],
            "Space": self.tenants.spaces[space],
            "Workspace": self.tenants.workspaces[workspace],
            "Binding": self.tenants.bindings[bound, workspace],
            "AccessToken": self.tenants.token_ids["member of B"],
        }
        repository_id = self.tenants.repositories[space]
        artifact = global_id("Artifact", ArtifactKey(repository_id, NO_DIGEST))
        ids = {type_name: global_id(type_name, key) for type_name, key in keys.items()}
        ids |= {"Repository": global_id("Repository", repository_id), "Artifact": artifact}
        return ids | {"URL": self.registry.url}

    def stored(self) -> dict[str, Any]:
        """Return everything in the database but the audit, and what was asked of the registry."""
        database = self.tenants.server.services.database
        rows: dict[str, Any] = self.tenants.server.run(every_row(database))
        del rows["audit_event"]
        return rows | {"asked of the registry": list(self.registry.requests)}

    def newest_audited(self) -> dict[str, Any] | None:
        """Return the last row of the audit."""
        rows = self.tenants.server.graphql(
            "{ auditEvents(first: 1) { nodes { id mutation viewerName viewerRole outcome errorCodes finishedAt } } }"
        )["auditEvents"]["nodes"]
        return rows[0] if rows else None


_stored: dict[int, Tenants] = {}


@pytest.fixture
def place(quiet_server: RunningServer, registry: FakeRegistry) -> Place:
    """The place of `store_tenants`, as it was stored."""
    if id(quiet_server) not in _stored:
        clear_tenants(quiet_server)
        _stored[id(quiet_server)] = store_tenants(quiet_server)
        # As no registry would call them, they would be known not to be there without anybody asking.
        properly = """UPDATE "repository" SET "name" = 'team/app'"""
        quiet_server.run(quiet_server.services.database.transact(lambda transaction: transaction.execute(properly)))
    return Place(_stored[id(quiet_server)], registry)


def test_what_is_declared_for_whom() -> None:
    assert {name for (_, name), access in DECLARED.items() if access is Access.PLATFORM_ADMINISTRATORS} == (
        FOR_PLATFORM_ADMINISTRATORS
    )
    of_mutations = {access for (root, _), access in DECLARED.items() if root == "Mutation"}
    assert of_mutations == {Access.PLATFORM_ADMINISTRATORS, Access.WORKSPACE_ADMINISTRATORS}


def test_the_matrix_is_whole() -> None:
    schema = shared_schema()._schema
    fields = {
        (type_.name, name)
        for type_ in (schema.query_type, schema.mutation_type, schema.subscription_type)
        for name in (type_.fields if type_ else {})
        if type_ is not None
    }
    print(f"{len(MATRIX)} cases of {len(fields)} root fields, {len(OF_WHOM)} of what is another's")  # noqa: T201

    assert {(root, name) for root, name, _ in MATRIX} == fields == set(DECLARED)
    assert {seen.role for seen in VIEWERS.values()} == set(Role)
    assert len(MATRIX) == len(fields) * 6 > 180
    assert len(OF_WHOM) >= 2 * 9


@pytest.mark.parametrize(("root", "name", "viewer"), MATRIX, ids=lambda part: part.replace(" ", "-"))
def test_allowed_or_refused_as_declared(place: Place, root: str, name: str, viewer: str) -> None:
    query, variables = operation_of(root, name, place.known("A"))
    stored, audited = place.stored(), place.newest_audited()
    if viewer == WITHOUT_CREDENTIAL:
        _require_unauthenticated(place, query, variables)
        assert (place.stored(), place.newest_audited()) == (stored, audited)
        return
    token, is_allowed = place.tenants.tokens[viewer], viewer in GRANTED[DECLARED[root, name]]
    if root == "Subscription":
        assert is_allowed
        _require_told(place, name, token)
        return
    if root == "Mutation" and is_allowed:
        # What was stored is another from here on, also when this fails.
        _stored.clear()
    result = place.tenants.server.post(query, variables, token)
    if root == "Query":
        codes = [(error["path"], error["extensions"]["code"]) for error in result.get("errors", [])]
        assert codes == ([] if is_allowed else [([name], "FORBIDDEN")])
        assert is_allowed or result["data"] == {name: None}
        assert (place.stored(), place.newest_audited()) == (stored, audited)
        return
    assert "errors" not in result
    payload = result["data"][name]
    row = place.newest_audited()
    assert row is not None
    assert row != audited
    assert (row["mutation"], row["viewerName"], row["viewerRole"]) == (name, viewer, VIEWERS[viewer].role.value)
    if is_allowed:
        # Another reason may stand against it, of the registry's side mostly.
        assert not {"FORBIDDEN", "NOT_FOUND"} & {error["code"] for error in payload["errors"]}
        return
    _require_nothing(payload, {"FORBIDDEN"})
    assert payload["errors"] == [{"code": "FORBIDDEN", "path": []}]
    assert (row["outcome"], row["errorCodes"], row["finishedAt"] is None) == ("REFUSED", ["FORBIDDEN"], False)
    assert place.stored() == stored


@pytest.mark.parametrize(("name", "whose"), OF_WHOM, ids=lambda part: part.replace(" ", "-"))
def test_a_workspace_admin_changes_nothing_of_anothers(place: Place, name: str, whose: str) -> None:
    query, variables = operation_of("Mutation", name, place.known(whose))
    if whose == "the platform" and name in ("checkRegistry", "integrateRegistry"):
        del variables["input"]["workspaceId"]
    stored = place.stored()

    payload = place.tenants.server.graphql(query, variables, place.tenants.tokens["admin of A"])[name]

    # What is the platform's is seen, and what is another workspace's is as if absent.
    _require_nothing(payload, {"FORBIDDEN"} if whose == "the platform" else {"NOT_FOUND"})
    row = place.newest_audited()
    assert row is not None
    assert (row["mutation"], row["viewerName"], row["outcome"]) == (name, "admin of A", "REFUSED")
    assert set(row["errorCodes"]) == {error["code"] for error in payload["errors"]}
    assert place.stored() == stored


def test_what_is_said_to_be_for_administrators_is_null_to_a_member(place: Place) -> None:
    """Each such field of each type, once for a member, once for who may see it."""
    # Errors tell of what somebody did just now; what each viewer sees of them has a test of its own.
    errors = {type_.name for type_ in shared_schema()._schema.get_possible_types(USER_ERROR)}
    tenants, fields = place.tenants, {which: of for which, of in for_administrators().items() if which[0] not in errors}
    before = {"after": tenants.cursor()}
    selections: dict[str, str] = {}
    for type_name, name in fields:
        is_leaf = not hasattr(_named(fields[type_name, name]), "fields")
        selections[type_name] = f"{selections.get(type_name, '')} {name}{'' if is_leaf else ' { __typename }'}"
    of_things = {"Integration", "Health", "HealthCheck", "HealthComponent", "Binding"}
    happened = [type_ for type_ in EventType if _camel(type_) in selections]
    assert set(selections) == of_things | {_camel(type_) for type_ in happened}, "each is tried here"
    tenants.write_events(*(_event_of_a(tenants, type_) for type_ in happened))
    things = f"""query ($ids: [ID!]!) {{ nodes(ids: $ids) {{
      ... on Integration {{ {selections["Integration"]}
        health {{ {selections["Health"]} checks {{ {selections["HealthCheck"]} }} }} }}
      ... on Binding {{ {selections["Binding"]} }} }} }}"""
    ids = [place.known(whose)[type_name] for whose in ("A", "the platform") for type_name in ("Integration", "Binding")]
    fragments = " ".join(f"... on {_camel(type_)} {{ {selections[_camel(type_)]} }}" for type_ in happened)
    live = f"subscription ($after: Cursor) {{ events(after: $after) {{ __typename {fragments} }} }}"

    def values(viewer: str) -> list[tuple[str, Any]]:
        token = tenants.tokens[viewer]
        nodes = tenants.server.graphql(things, {"ids": ids}, token)["nodes"]
        hidden = {EventType.ACCESS_TOKEN_CREATED, EventType.ACCESS_TOKEN_REVOKED}
        count = len(happened) - (0 if viewer == "platform admin" else len(hidden & set(happened)))
        with over_event_stream(tenants.server, live, before, token) as stream:
            events = [stream.next()["data"]["events"] for _ in range(count)]
        assert [event["__typename"] for event in events] == [
            _camel(type_) for type_ in happened if viewer == "platform admin" or type_ not in hidden
        ]
        return [leaf for thing in (*nodes, *events) for leaf in _leaves(thing) if leaf[0] != "__typename"]

    members = values("member of A")
    assert {value for _, value in members} == {None}
    assert {name for name, _ in members} == {name for type_name, name in fields if type_name != "HealthComponent"}
    administrators = values("platform admin")
    # These have no credential and no other server for tokens.
    assert {name for name, value in administrators if value is None} == {"username", "tokenRealm"}


def _require_unauthenticated(place: Place, query: str, variables: dict[str, Any]) -> None:
    for headers in ({}, {"Accept": "text/event-stream"}):
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json", **headers}
        answer = place.tenants.server.request("POST", "/graphql", body, headers)
        assert answer.status == 401
        assert b"UNAUTHENTICATED" in answer.body


def _require_told(place: Place, name: str, token: str) -> None:
    """Fail unless the viewer is told of something that all may see."""
    # State is told at once; what has happened, behind a cursor.
    after = {} if name == "overview" else {"after": place.tenants.cursor()}
    query, variables = operation_of("Subscription", name, place.known("A"), after)
    place.tenants.write_events(_event(place.tenants, EventType.HEALTH_CHANGED))
    with over_event_stream(place.tenants.server, query, variables, token) as stream:
        result = stream.next()
    assert "errors" not in result
    assert result["data"][name] is not None


def _require_nothing(payload: dict[str, Any], codes: set[str]) -> None:
    errors = payload["errors"]
    assert {error["code"] for error in errors} == codes
    others = {name: value for name, value in payload.items() if name not in ("errors", "__typename")}
    assert not any(others.values()), others


def _event(tenants: Tenants, type_: EventType, workspace_id: int | None = None) -> NewEvent:
    """Return an event with everything that one of any type may have kept."""
    health = dict.fromkeys(("reason", "message", "registry_message", "since", "checked_at", "latency_milliseconds"))
    data: dict[str, Any] = dict.fromkeys(
        ("integration_name", "space_name", "workspace_name", "repository_name", "reference", "message", "cluster",
         "namespace_name", "name", "by"),
        "x",
    )  # fmt: skip
    data |= {"visibility": "PUBLIC", "role": "PLATFORM_ADMIN", "access_token_id": 0}
    data |= {"previous": health | {"status": "UNKNOWN"}, "current": health | {"status": "HEALTHY"}}
    return NewEvent(
        type_, tenants.server.services.clock(), tenants.integrations[PLATFORM], data, workspace_id=workspace_id
    )


def _event_of_a(tenants: Tenants, type_: EventType) -> NewEvent:
    return _event(tenants, type_, tenants.workspaces["A"])


def _camel(type_: EventType) -> str:
    return "".join(word.capitalize() for word in type_.value.split("_"))


def _named(type_: Any) -> Any:
    while hasattr(type_, "of_type"):
        type_ = type_.of_type
    return type_


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value
