"""Who may use which root field: what is declared, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.types.base import get_object_definition

from schema.roots.mutation import Mutation
from schema.roots.query import Query
from schema.roots.subscription import Subscription
from tests.api.fake_registry import FakeRegistry
from tests.api.surface import Surface, tomorrow
from tests.serving import RunningServer, shared_schema

FOR_ADMINISTRATORS = {"Query.auditEvents", "Query.accessTokens"} | {
    f"Mutation.{name}"
    for name in [
        "checkRegistry",
        "integrateRegistry",
        "updateIntegration",
        "rotateIntegrationCredential",
        "removeIntegration",
        "checkIntegration",
        "synchronizeIntegration",
        "createAccessToken",
        "revokeAccessToken",
    ]
}

FORBIDDEN = {"__typename": "PermissionDenied", "code": "FORBIDDEN", "path": []}


def surface_schema() -> GraphQLSchema:
    return shared_schema()._schema


def names_of(root: str) -> list[str]:
    type_ = surface_schema().type_map[root]
    return sorted(type_.fields)  # type: ignore[attr-defined]


def test_what_is_declared_for_whom() -> None:
    declared = {
        f"{definition.name}.{shared_schema().config.name_converter.get_graphql_name(field)}": field.metadata["access"]
        for definition in (get_object_definition(root, strict=True) for root in (Query, Mutation, Subscription))
        for field in definition.fields
    }
    assert {name for name, access in declared.items() if access.value == "platform administrators"} == (
        FOR_ADMINISTRATORS
    )


@pytest.mark.parametrize("name", names_of("Query"))
def test_a_member_may_ask_what_is_declared(surface: Surface, registry: FakeRegistry, name: str) -> None:
    integration = surface.integrate(registry)
    token, asked = surface.member_token, len(registry.requests)

    for given, is_allowed in ((token, f"Query.{name}" not in FOR_ADMINISTRATORS), (None, True)):
        result = surface.server.post(query_of(name, integration["id"]), token=given)

        assert is_allowed == ("errors" not in result)
        if not is_allowed:
            assert result["data"] == {name: None}
            assert [(error["path"], error["extensions"]["code"]) for error in result["errors"]] == [
                ([name], "FORBIDDEN")
            ]
    assert len(registry.requests) == asked


@pytest.mark.parametrize("name", names_of("Mutation"))
def test_a_member_may_do_what_is_declared(surface: Surface, registry: FakeRegistry, name: str) -> None:
    assert f"Mutation.{name}" in FOR_ADMINISTRATORS
    integration, token = surface.integrate(registry), surface.member_token
    given = input_of(name, integration["id"], registry)
    stored, audited, asked = surface.stored(), surface.audit(), len(registry.requests)

    payload = surface.mutate(name, given, others_of(name), token)

    assert payload.pop("errors") == [FORBIDDEN]
    assert set(payload.values()) == {None}
    assert (surface.stored(), len(registry.requests)) == (stored, asked)
    (row,) = surface.audit()[len(audited) :]
    assert (row["mutation"], row["outcome"], row["error_codes"]) == (name, "REFUSED", ["FORBIDDEN"])
    assert (row["viewer_role"], row["is_finished"]) == ("WORKSPACE_MEMBER", True)


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer irat_unknown", "Basic YTpi", "Bearer ir\xe9"])
def test_without_a_good_token_nothing_is_read(
    surface: Surface, registry: FakeRegistry, authorization: str | None
) -> None:
    stored, audited = surface.stored(), surface.audit()
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})

    # Not even JSON: who asks comes first.
    answer = surface.server.request("POST", "/graphql", b"{", headers)

    assert answer.status == 401
    assert [error["extensions"]["code"] for error in answer.json["errors"]] == ["UNAUTHENTICATED"]
    assert (surface.stored(), surface.audit(), registry.requests) == (stored, audited, [])


def test_an_expired_or_revoked_token_is_none(quiet_server: RunningServer, surface: Surface) -> None:
    token = surface.new_token("WORKSPACE_MEMBER")
    assert surface.server.graphql("{ viewer { role } }", token=token) == {"viewer": {"role": "WORKSPACE_MEMBER"}}
    (newest,) = surface.server.graphql("{ accessTokens(first: 1) { nodes { id } } }")["accessTokens"]["nodes"]
    assert surface.errors_of("revokeAccessToken", {"id": newest["id"]}) == []

    answer = quiet_server.request(
        "POST", "/graphql", b'{"query": "{ viewer { role } }"}',
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip

    assert answer.status == 401


def query_of(name: str, integration_id: str) -> str:
    """Return a query of one root field, as short as the schema allows."""
    alternatives = {"integration": f'(id: "{integration_id}")', "space": f'(id: "{integration_id}")'}
    field = surface_schema().type_map["Query"].fields[name]  # type: ignore[attr-defined]
    arguments = alternatives.get(name, "")
    required = [argument for argument, given in field.args.items() if is_required_argument(given)]
    if required:
        values = {"id": f'"{integration_id}"', "ids": f'["{integration_id}"]'}
        arguments = f"({', '.join(f'{argument}: {values[argument]}' for argument in required)})"
    selection = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    return f"{{ {name}{arguments} {selection} }}"


def input_of(name: str, integration_id: str, registry: FakeRegistry) -> dict[str, Any]:
    """Return an input of a mutation with what the schema requires, each value good."""
    type_ = surface_schema().type_map[f"{name[0].upper()}{name[1:]}Input"]
    assert isinstance(type_, GraphQLInputObjectType)
    values = {"ID": integration_id, "URL": registry.other_url, "String": "x", "DateTime": tomorrow()}
    given = {}
    for field_name, field in type_.fields.items():
        named = get_named_type(field.type)
        if is_required_input_field(field):
            given[field_name] = "DOCKER_REGISTRY" if field_name == "kind" else values.get(named.name)
            if isinstance(named, GraphQLEnumType) and field_name != "kind":
                given[field_name] = next(iter(named.values))
    return given


def others_of(name: str) -> str:
    """Return a selection of everything in a payload but its errors."""
    type_ = surface_schema().type_map[f"{name[0].upper()}{name[1:]}Payload"]
    selections = []
    for field_name, field in type_.fields.items():  # type: ignore[attr-defined]
        if field_name != "errors":
            is_leaf = is_leaf_type(get_named_type(field.type))
            selections.append(field_name if is_leaf else f"{field_name} {{ __typename }}")
    return " ".join(selections)
