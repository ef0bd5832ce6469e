"""Telling the executor which fields need no resolver: read off how the types are declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import strawberry
from graphql import GraphQLObjectType
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from execution import Attribute, Computed, InstanceOf, Level, Loaded, give_hint
from execution.hints import FieldHint
from resolvers.global_ids import global_id
from resolvers.live_paging import LivePage
from resolvers.loading import LOADED_METADATA, LoadedField
from schema.connection import NESTED_METADATA, ListPage, NestedList
from schema.live_connection import LIVE_METADATA, HeldList, LiveList
from schema.node import MOST_ITEMS, RecordBacked, node_id

DEFINITION = "strawberry-definition"
"""Under which name strawberry keeps its own word for a type or field of graphql-core."""


def give_hints(schema: strawberry.Schema) -> None:
    """Give every field and type of a schema the hint that follows from its declaration, where one does."""
    for type_ in schema._schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType):
            continue
        definition = type_.extensions.get(DEFINITION)
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        if issubclass(definition.origin, RecordBacked):
            record = definition.origin.record
            give_hint(type_, InstanceOf(frozenset((record, *record.__subclasses__()))))
        for field in type_.fields.values():
            declared = field.extensions.get(DEFINITION)
            hint = _hint_of(schema, declared, type_) if isinstance(declared, StrawberryField) else None
            if hint is not None:
                give_hint(field, hint)
            if isinstance(declared, StrawberryField) and MOST_ITEMS in declared.metadata:
                field.extensions[MOST_ITEMS] = declared.metadata[MOST_ITEMS]


def _hint_of(schema: strawberry.Schema, field: StrawberryField, type_: GraphQLObjectType) -> FieldHint | None:
    resolver = field.base_resolver
    if field.is_subscription:
        return None
    if resolver is None:
        return Attribute(field.python_name)
    if LOADED_METADATA in field.metadata:
        loaded: LoadedField = field.metadata[LOADED_METADATA]
        return Loaded(loaded.key, (loaded.loader_class, loaded.required), loaded.load_keys, loaded.made_by)
    if NESTED_METADATA in field.metadata:
        return Level(partial(_pages, schema, field, field.metadata[NESTED_METADATA]))
    if LIVE_METADATA in field.metadata:
        live: LiveList | HeldList = field.metadata[LIVE_METADATA]
        return Level(partial(_live_pages, schema, field, live), is_slow=live.is_slow)
    if resolver.wrapped_func is node_id:
        return Computed(_id_of(type_.name))
    takes_parent_alone = resolver.parent_parameter is not None and resolver.info_parameter is None
    if takes_parent_alone and not resolver.arguments and not resolver.is_async and callable(resolver.wrapped_func):
        return Computed(resolver.wrapped_func)
    return None


def _id_of(type_name: str) -> Callable[[Any], str]:
    return lambda record: global_id(type_name, record.id)


async def _pages(
    schema: strawberry.Schema, field: StrawberryField, nested: NestedList, context: Any, sources: Any, arguments: Any
) -> list[ListPage]:
    return await nested.pages(context, [source.id for source in sources], _converted(schema, field, arguments))


async def _live_pages(
    schema: strawberry.Schema,
    field: StrawberryField,
    live: LiveList | HeldList,
    context: Any,
    sources: Any,
    arguments: Any,
) -> Sequence[LivePage | Exception]:
    return await live.pages(context, sources, **_converted(schema, field, arguments))


def _converted(schema: strawberry.Schema, field: StrawberryField, arguments: Any) -> dict[str, Any]:
    """Return arguments as strawberry gives them to resolvers."""
    return convert_arguments(
        arguments,
        field.arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
    )
