"""Operations made from the schema: of each root field, with a good value for everything that it requires."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from tests.api.surface import tomorrow
from tests.serving import shared_schema

Known = dict[str, str]
"""A global id of each type of node, and the address of a registry as `URL`."""

SCALARS = {
    "String": "x",
    "DateTime": tomorrow(),
    "Boolean": False,
    "Int": 1,
    "ByteSize": 1,
}
NAMES = {"kind": "DOCKER_REGISTRY", "image": "registry.example/team/app"}
"""What a field of that name needs to be good."""


def root_fields() -> list[tuple[str, str]]:
    """Return type and name of every root field."""
    roots = (shared_schema()._schema.type_map[name] for name in ("Query", "Mutation", "Subscription"))
    return [(root.name, name) for root in roots for name in sorted(_object(root).fields)]


def operation_of(root: str, name: str, known: Known, given: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """Return an operation of one root field and its variables: with what it requires, and what is given besides.

    Where nothing is required and an id can be given, it is: such fields want one of several arguments.
    """
    field = _object(shared_schema()._schema.type_map[root]).fields[name]
    values = {
        argument: value_of(described.type, argument, name, known)
        for argument, described in field.args.items()
        if is_required_argument(described) or argument == "id"
    } | (given or {})
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in values)
    arguments = ", ".join(f"{argument}: ${argument}" for argument in values)
    selection = selection_of(field)
    declarations, inside = (f" ({declared})", f"({arguments})") if values else ("", "")
    return f"{root.lower()}{declarations} {{ {name}{inside} {selection} }}", values


def value_of(type_: GraphQLInputType, field_name: str, root_field: str, known: Known) -> Any:
    """Return a good value of a type for a field of that name, for an operation of a root field."""
    if isinstance(type_, GraphQLNonNull):
        return value_of(type_.of_type, field_name, root_field, known)
    if isinstance(type_, GraphQLList):
        return [value_of(type_.of_type, field_name, root_field, known)]
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: value_of(field.type, name, root_field, known)
            for name, field in type_.fields.items()
            if is_required_input_field(field) or (_is_whose(name) and root_field != "createAccessToken")
        }
    if field_name in NAMES:
        return NAMES[field_name]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if type_.name == "ID":
        return known[type_of_id(field_name, root_field)]
    return known[type_.name] if type_.name in known else SCALARS[type_.name]


def type_of_id(field_name: str, root_field: str) -> str:
    """Return of which type of node a field wants an id: by its own name, else by that of the root field."""
    types = ["AccessToken", "Integration", "Workspace", "Namespace", "Binding", "Space", "Artifact", "Repository"]
    for text in (field_name, root_field):
        for type_name in types:
            if type_name.lower() in text.lower():
                return type_name
    return "Integration"


def selection_of(field: GraphQLField) -> str:
    """Return a selection of everything that a field returns, one step deep; of errors their codes."""
    type_ = get_named_type(field.type)
    if is_leaf_type(type_):
        return ""
    if not isinstance(type_, GraphQLObjectType):
        return "{ __typename }"
    parts = ["__typename"]
    for name, part in type_.fields.items():
        if name == "errors":
            parts.append("errors { code path }")
        elif not any(map(is_required_argument, part.args.values())):
            parts.append(name if is_leaf_type(get_named_type(part.type)) else f"{name} {{ __typename }}")
    return f"{{ {' '.join(parts)} }}"


def _is_whose(name: str) -> bool:
    # Whose something is to be may be left out, which stands for the platform.
    return name == "workspaceId"


def _object(type_: GraphQLNamedType) -> GraphQLObjectType:
    assert isinstance(type_, GraphQLObjectType)
    return type_
