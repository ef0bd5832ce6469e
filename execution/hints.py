"""How a schema says that a field needs no resolver of its own, and what makes its types quicker to tell and to write.

A hint lies in the `extensions` of a graphql-core field or type, beside the resolver, or what else it stands for, which
other executors go on using: both must answer the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLField, GraphQLObjectType, GraphQLScalarType

EXTENSION = "execution"
"""Under which name a hint lies in `extensions`."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The field is an attribute of its object, of that name: a plain value, which is neither called nor awaited."""

    name: str


@dataclass(frozen=True, slots=True)
class Computed:
    """The field is what a quick function makes of its object, without context or arguments."""

    function: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The field is fetched by a key, an attribute of its object; None where the key is None.

    `load` is called with the operation's context and all keys of a level, each once. What it leaves out is null; an
    exception as a value is the error of the fields with that key. Fields with the same `loader` are fetched together.
    `made_by`, a quick function, makes the field of the object and what was fetched, where that is neither null nor an
    error.
    """

    key: str
    loader: Hashable
    load: Callable[[Any, Sequence[Any]], Awaitable[Mapping[Any, Any]]]
    made_by: Callable[[Any, Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """The field is resolved for all objects of a level at once.

    `resolve` is called with the operation's context, the objects, and the field's arguments as graphql-core coerced
    them. It returns a value for each object, in their order; an exception as a value is the error of that one.
    With `runs_beside` it does so beside the other fields of the operation: only what is behind it waits for it.
    """

    resolve: Callable[[Any, Sequence[Any], Mapping[str, Any]], Awaitable[Sequence[Any]]]
    runs_beside: bool = False


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """Of an object type: its values are instances of exactly these classes, so that `is_type_of` need not be asked."""

    classes: frozenset[type]


@dataclass(frozen=True, slots=True)
class Written:
    """Of a scalar type: how many values at once are serialized that are instances of exactly these classes, or null.

    `write` returns for each what the type's own serialization does, and null for null. When it raises, they are
    serialized one by one. Where it is None, they stand in the answer as they are.
    """

    classes: frozenset[type]
    write: Callable[[Sequence[Any]], Sequence[Any]] | None = None


FieldHint: TypeAlias = Attribute | Computed | Loaded | Level


def give_hint(to: GraphQLField | GraphQLObjectType | GraphQLScalarType, hint: FieldHint | InstanceOf | Written) -> None:
    """Put a hint where the executor finds it."""
    to.extensions[EXTENSION] = hint
