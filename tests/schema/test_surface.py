"""What holds for every part of the surface, whoever adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
    is_specified_scalar_type,
)
from strawberry.tools import create_type

from execution import Level
from execution.hints import EXTENSION
from models.enums import EventType
from resolvers.context import RequestContext
from resolvers.global_ids import ARTIFACT
from resolvers.permission import Access
from schema.declaring import UndeclaredAccess, query, require_declared
from schema.event_types import EVENT_TYPES
from schema.roots.query import NODE_LOADERS
from schema.user_error import USER_ERROR_TYPES, UserErrorCode
from services.user_errors import UserError
from tests.serving import shared_schema

EXPORT = Path(__file__).parents[2] / "schema.graphql"


@pytest.fixture(scope="module")
def surface() -> GraphQLSchema:
    return shared_schema()._schema


def test_the_export_is_current() -> None:
    assert EXPORT.read_text() == shared_schema().as_str() + "\n", "run `make schema`"


def test_everything_is_described(surface: GraphQLSchema) -> None:
    undescribed = [name for name, description in _parts(surface) if not (description or "").strip()]
    assert undescribed == []


def test_a_root_field_that_declares_no_access_is_refused() -> None:
    @strawberry.field
    def undeclared() -> int:
        return 1

    @query(Access.EVERY_VIEWER, "One.")
    def declared(_: RequestContext) -> int:
        return 1

    require_declared(create_type("Query", [declared]))
    with pytest.raises(UndeclaredAccess, match=r"Query\.undeclared"):
        require_declared(create_type("Query", [declared, undeclared]))


def test_each_user_error_of_the_services_has_a_type() -> None:
    shown = [type_.domain_type for type_ in USER_ERROR_TYPES]
    assert len(set(shown)) == len(shown)
    assert set(shown) == {*UserError.__subclasses__()}
    assert {type_.code for type_ in shown} == {code.value for code in UserErrorCode}


def test_each_type_of_user_error_is_in_the_schema(surface: GraphQLSchema) -> None:
    assert _implementations(surface, "UserError") == {type_.__name__ for type_ in USER_ERROR_TYPES}


def test_all_errors_can_be_asked_for_at_once(surface: GraphQLSchema) -> None:
    """GraphQL refuses a document in which a field of one name would be of several types."""
    types: dict[str, set[str]] = {}
    for name in _implementations(surface, "UserError"):
        type_ = surface.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        for field_name, field in type_.fields.items():
            if is_leaf_type(get_named_type(field.type)):
                types.setdefault(field_name, set()).add(str(field.type))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_each_sort_of_event_has_a_type(surface: GraphQLSchema) -> None:
    assert [type_.event_type for type_ in EVENT_TYPES] == list(EventType)
    assert _implementations(surface, "Event") == {type_.__name__ for type_ in EVENT_TYPES}


def test_each_type_of_node_can_be_asked_for_by_its_id(surface: GraphQLSchema) -> None:
    # Artifacts are stored nowhere here: their registries are asked.
    assert _implementations(surface, "Node") == {*NODE_LOADERS, ARTIFACT}


def test_each_mutation_takes_one_input_and_answers_with_errors(surface: GraphQLSchema) -> None:
    assert surface.mutation_type is not None
    for name, field in surface.mutation_type.fields.items():
        capital = name[0].upper() + name[1:]
        assert {argument: str(given.type) for argument, given in field.args.items()} == {"input": f"{capital}Input!"}
        assert str(field.type) == f"{capital}Payload!"
        payload = surface.type_map[f"{capital}Payload"]
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["errors"].type) == "[UserError!]!"
        # Everything else is null when it was not done.
        of_what_goes = {"losses", "lossCount", "deletedTags", "hasMoreTags"}
        others = [field for name, field in payload.fields.items() if name not in {"errors", *of_what_goes}]
        assert others
        assert not any(isinstance(other.type, GraphQLNonNull) for other in others)


def test_each_connection_has_the_four_parts_and_a_live_one_says_of_when_it_is(surface: GraphQLSchema) -> None:
    connections = {name: type_ for name, type_ in surface.type_map.items() if name.endswith("Connection")}
    assert len(connections) >= 11
    for name, connection in connections.items():
        assert isinstance(connection, GraphQLObjectType)
        live = {"isStale", "asOf"} if name in ("ArtifactConnection", "TagConnection") else set()
        assert set(connection.fields) == {"edges", "nodes", "pageInfo", "totalCount", *live}
        is_counted = isinstance(connection.fields["totalCount"].type, GraphQLNonNull)
        # What a registry or a search would have to count may be too much.
        assert is_counted == (not live and name != "ImageConnection")


def test_what_registries_are_asked_for_is_nullable(surface: GraphQLSchema) -> None:
    """One that doesn't answer must null its own field alone."""
    fields = {
        f"{type_.name}.{name}": field
        for type_ in surface.type_map.values()
        # Root fields wait for none of the others either, whatever they ask.
        if isinstance(type_, GraphQLObjectType) and type_ is not surface.query_type
        for name, field in type_.fields.items()
        if isinstance(field.extensions.get(EXTENSION), Level) and field.extensions[EXTENSION].runs_beside
    }
    assert set(fields) == {"Repository.artifacts", "Repository.tags"}
    assert not any(isinstance(field.type, GraphQLNonNull) for field in fields.values())


def test_root_fields_of_queries_are_answered_without_a_resolver(surface: GraphQLSchema) -> None:
    assert surface.query_type is not None
    hints = {name: field.extensions.get(EXTENSION) for name, field in surface.query_type.fields.items()}
    assert [name for name, hint in hints.items() if not isinstance(hint, Level)] == []


def _implementations(surface: GraphQLSchema, name: str) -> set[str]:
    interface = surface.type_map[name]
    assert isinstance(interface, GraphQLInterfaceType)
    return {type_.name for type_ in surface.get_implementations(interface).objects}


def _parts(surface: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Yield the name and the description of everything that a reader of GraphiQL meets."""
    for type_ in surface.type_map.values():
        if not (is_introspection_type(type_) or is_specified_scalar_type(type_)):
            yield type_.name, type_.description
            yield from _members(type_)


def _members(type_: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    if isinstance(type_, GraphQLEnumType):
        for value_name, value in type_.values.items():
            yield f"{type_.name}.{value_name}", value.description
    if isinstance(type_, GraphQLInputObjectType):
        for field_name, input_field in type_.fields.items():
            yield f"{type_.name}.{field_name}", input_field.description
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for field_name, field in type_.fields.items():
            yield f"{type_.name}.{field_name}", field.description
            for argument_name, argument in field.args.items():
                yield f"{type_.name}.{field_name}({argument_name})", argument.description
