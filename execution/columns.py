"""Many values of a scalar or an enum at once.

Whether a whole column needs no work is seen by the types of its values alone: a column of texts is one already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from math import isfinite
from types import NoneType
from typing import Any, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.execution import Executor
from graphql.type import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

from execution.hints import EXTENSION, Written

Failures: TypeAlias = list[tuple[int, Exception]]
"""Where in a column something failed, and how."""

LeafColumn: TypeAlias = Callable[[Sequence[Any]], tuple[Sequence[Any], Failures]]
"""Takes raw values; returns what the answer has for them, None for what failed, and the failures."""

_NONE: Failures = []


def leaf_column(type_: GraphQLLeafType) -> LeafColumn:
    """Return what completes a column of a type."""

    def one_by_one(values: Sequence[Any]) -> tuple[Sequence[Any], Failures]:
        return _complete(type_, values)

    if isinstance(type_, GraphQLEnumType):
        return _enum_column(type_, one_by_one)
    hint = type_.extensions.get(EXTENSION)
    made = _written(hint) if isinstance(hint, Written) else _SCALAR_COLUMNS.get(type_)
    return one_by_one if made is None else made(one_by_one)


def _complete(type_: GraphQLLeafType, values: Sequence[Any]) -> tuple[list[Any], Failures]:
    complete = Executor.complete_leaf_value
    completed: list[Any] = []
    failures: Failures = []
    for index, value in enumerate(values):
        if value is None or value is Undefined:
            completed.append(None)
            continue
        try:
            if isinstance(value, Exception):
                raise value
            completed.append(complete(type_, value))
        except Exception as error:
            completed.append(None)
            failures.append((index, error))
    return completed, failures


def _enum_column(type_: GraphQLEnumType, one_by_one: LeafColumn) -> LeafColumn:
    # Per class of values: 1 and True are equal, and not the same to an enum.
    known: dict[type, dict[Any, Any]] = {}

    def column(values: Sequence[Any]) -> tuple[Sequence[Any], Failures]:
        kinds = set(map(type, values)) - {NoneType}
        if len(kinds) != 1:
            return one_by_one(values)
        (kind,) = kinds
        if not issubclass(kind, Enum):
            return one_by_one(values)
        names = known.setdefault(kind, {None: None})
        try:
            return [names[value] for value in values], _NONE
        except KeyError:
            completed, failures = one_by_one(values)
            if not failures:
                names.update(zip(values, completed, strict=True))
            return completed, failures

    return column


def _written(hint: Written) -> Callable[[LeafColumn], LeafColumn]:
    plain, write = hint.classes | {NoneType}, hint.write

    def made(one_by_one: LeafColumn) -> LeafColumn:
        def column(values: Sequence[Any]) -> tuple[Sequence[Any], Failures]:
            if not plain.issuperset(map(type, values)):
                return one_by_one(values)
            if write is None:
                return values, _NONE
            try:
                return write(values), _NONE
            except Exception:
                # Which of them it was, and what is told of it, shows one by one.
                return one_by_one(values)

        return column

    return made


def _as_it_is(kind: type) -> Callable[[LeafColumn], LeafColumn]:
    return _written(Written(frozenset((kind,))))


def _int_column(one_by_one: LeafColumn) -> LeafColumn:
    plain = frozenset((int, NoneType))

    def column(values: Sequence[Any]) -> tuple[Sequence[Any], Failures]:
        if plain.issuperset(map(type, values)):
            numbers = values if None not in values else [value for value in values if value is not None]
            if not numbers or (min(numbers) >= GRAPHQL_MIN_INT and max(numbers) <= GRAPHQL_MAX_INT):
                return values, _NONE
        return one_by_one(values)

    return column


def _float_column(one_by_one: LeafColumn) -> LeafColumn:
    plain = frozenset((float, NoneType))

    def column(values: Sequence[Any]) -> tuple[Sequence[Any], Failures]:
        if plain.issuperset(map(type, values)) and all(value is None or isfinite(value) for value in values):
            return values, _NONE
        return one_by_one(values)

    return column


_SCALAR_COLUMNS: dict[GraphQLLeafType, Callable[[LeafColumn], LeafColumn]] = {
    GraphQLString: _as_it_is(str),
    GraphQLID: _as_it_is(str),
    GraphQLBoolean: _as_it_is(bool),
    GraphQLInt: _int_column,
    GraphQLFloat: _float_column,
}
