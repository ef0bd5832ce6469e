"""Telling the executor which fields need no resolver: read off how the types are declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import strawberry
from graphql import GraphQLObjectType, GraphQLScalarType
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField

from execution import Attribute, Computed, InstanceOf, Level, Loaded, give_hint
from execution.hints import FieldHint
from resolvers.global_ids import global_id
from resolvers.live_paging import LivePage
from resolvers.loading import LOADED_METADATA, LoadedField
from schema.connection import NESTED_METADATA, ListPage, NestedList
from schema.declaring import ANSWER_METADATA
from schema.live_connection import LIVE_METADATA, HeldList, LiveList
from schema.node import MOST_ITEMS, RecordBacked, node_id
from schema.scalars import SCALARS, WRITTEN_SCALARS

Converter: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]

DEFINITION = "strawberry-definition"
"""Under which name strawberry keeps its own word for a type or field of graphql-core."""

_SCALARS = frozenset((str, int, float, bool, strawberry.ID, *SCALARS))


def give_hints(schema: strawberry.Schema) -> None:
    """Give every field and type of a schema the hint that follows from its declaration, where one does."""
    types = schema._schema.type_map
    for scalar, written in WRITTEN_SCALARS.items():
        found = types.get(SCALARS[scalar].name)
        if isinstance(found, GraphQLScalarType):
            give_hint(found, written)
    for type_ in types.values():
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
        return Level(partial(_pages, _converter(schema, field), field.metadata[NESTED_METADATA]))
    if LIVE_METADATA in field.metadata:
        live: LiveList | HeldList = field.metadata[LIVE_METADATA]
        return Level(partial(_live_pages, _converter(schema, field), live), runs_beside=live.is_slow)
    if ANSWER_METADATA in field.metadata:
        # Root fields don't wait for each other.
        return Level(partial(_answers, _converter(schema, field), field.metadata[ANSWER_METADATA]), runs_beside=True)
    if resolver.wrapped_func is node_id:
        return Computed(_id_of(type_.name))
    takes_parent_alone = resolver.parent_parameter is not None and resolver.info_parameter is None
    if takes_parent_alone and not resolver.arguments and not resolver.is_async and callable(resolver.wrapped_func):
        return Computed(resolver.wrapped_func)
    return None


def _id_of(type_name: str) -> Callable[[Any], str]:
    return lambda record: global_id(type_name, record.id)


async def _pages(
    converted: Converter, nested: NestedList, context: Any, sources: Any, arguments: Any
) -> list[ListPage]:
    return await nested.pages(context, [source.id for source in sources], converted(arguments))


async def _live_pages(
    converted: Converter, live: LiveList | HeldList, context: Any, sources: Any, arguments: Any
) -> Sequence[LivePage | Exception]:
    return await live.pages(context, sources, **converted(arguments))


async def _answers(
    converted: Converter,
    answer: Callable[[Any, Mapping[str, Any]], Awaitable[Any]],
    context: Any,
    sources: Sequence[Any],
    arguments: Any,
) -> list[Any]:
    # The root is one.
    return [await answer(context, converted(arguments)) for _ in sources]


def _converter(schema: strawberry.Schema, field: StrawberryField) -> Converter:
    """Return what makes of a field's arguments what strawberry gives to resolvers."""
    config, scalars = schema.config, schema.schema_converter.scalar_registry
    known = [
        (config.name_converter.from_argument(argument), argument.python_name, argument.type, _is_scalar(argument.type))
        for argument in field.arguments
    ]

    def converted(arguments: Mapping[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, python_name, type_, is_scalar in known:
            if name in arguments:
                value = arguments[name]
                # A scalar is what graphql-core has made of it, and null is null, but for a Maybe.
                if not is_scalar and not (value is None and type(type_) is StrawberryOptional):
                    value = convert_argument(value, type_, scalars, config)
                given[python_name] = value
        return given

    return converted


def _is_scalar(type_: object) -> bool:
    # A Maybe is one as well, by its class: that one is told from null.
    if type(type_) is StrawberryOptional:
        type_ = type_.of_type
    return type_ in _SCALARS
