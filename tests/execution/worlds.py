"""Random schemas, documents and resolvers, told by one source of randomness.

What a field holds follows from the object, the field and its arguments alone, so that two executors, which ask in
different orders and by different ways, are told the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    is_list_type,
    is_non_null_type,
)

from execution import Attribute, Computed, Level, Loaded, Written, give_hint

COLOUR = GraphQLEnumType("Colour", {"RED": 1, "GREEN": 2, "BLUE": "blue"})


def _serialize_odd(value: object) -> object:
    if value == 13:
        raise ValueError("unlucky")
    return None if value == 14 else value


ODD = GraphQLScalarType("Odd", serialize=_serialize_odd)


def _serialize_stamp(value: object) -> str:
    if value == 13:
        raise ValueError("unlucky")
    return f"#{value!r}"


def _write_stamps(values: Sequence[int | None]) -> list[str | None]:
    return [None if value is None else _serialize_stamp(value) for value in values]


STAMP = GraphQLScalarType("Stamp", serialize=_serialize_stamp)
WORD = GraphQLScalarType("Word", serialize=str)
give_hint(STAMP, Written(frozenset((int,)), _write_stamps))
give_hint(WORD, Written(frozenset((str,))))
LEAVES = (GraphQLString, GraphQLInt, GraphQLFloat, GraphQLBoolean, GraphQLID, COLOUR, ODD, STAMP, WORD)
LEAF_VALUES: dict[str, Sequence[Any]] = {
    "String": ("a", "b", "", 3, True, 1.5, object),
    "Int": (1, 0, -7, 2**31, True, 3.0, "7", 2.5, [1]),
    "Float": (1.5, 2, float("nan"), float("inf"), "x", True),
    "Boolean": (True, False, 1, 0.0, "yes"),
    "ID": ("id", 7, True, 1.0),
    "Colour": (1, 2, "blue", "RED", 9, True),
    "Odd": (1, "x", 13, 14, [1, 2], {"k": 1}),
    "Stamp": (1, 2, 13, True, "x"),
    "Word": ("a", "b", 3, True),
}


class Thing:
    """An object: a name that everything about it follows from. Its attributes are made when they are asked for."""

    def __init__(self, world: World, type_name: str, name: str) -> None:
        self.world = world
        self.type_name = type_name
        self.name_of_thing = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        if attribute.startswith("key_"):
            return self.world.key(self, attribute)
        value = self.world.value(self, attribute, {})
        if isinstance(value, AskedForTrouble):
            raise value
        return value


class AskedForTrouble(Exception):
    """What resolvers raise."""


class World:
    """A schema, and what its fields hold."""

    def __init__(self, random: Random, *, awaits: bool) -> None:
        self.seed = random.getrandbits(64)
        self.awaits = awaits
        self.trouble = random.choice((0.0, 0.05, 0.2))
        """How often something is not as it should be."""
        self.fields: dict[tuple[str, str], GraphQLOutputType] = {}
        self.schema = self._schema(random)

    # The schema

    def _schema(self, random: Random) -> GraphQLSchema:
        node = GraphQLInterfaceType("Node", lambda: {"id": GraphQLField(GraphQLID), "next": GraphQLField(node)})
        names = ["A", "B", "C"][: random.randint(2, 3)]
        types: dict[str, GraphQLObjectType] = {}
        union = GraphQLUnionType("Any", lambda: [types[name] for name in names])
        wanted = {
            name: [(f"f{number}", random.random(), random.getrandbits(32)) for number in range(random.randint(2, 5))]
            for name in [*names, "Query", "Mutation"]
        }

        def fields_of(name: str) -> dict[str, GraphQLField]:
            fields: dict[str, tuple[GraphQLOutputType, int]] = {}
            if name in names:
                fields = {"id": (GraphQLID, 1), "next": (node, 2)}
            made = {
                field: self._field(
                    name, field, self._type(Random(bits), [*types.values()], [node, union]), Random(bits)
                )
                for field, _, bits in wanted[name]
            }
            return {
                **{field: self._field(name, field, type_, Random(number)) for field, (type_, number) in fields.items()},
                **made,
            }

        for name in [*names, "Query", "Mutation"]:
            is_inner = name in names
            types[name] = GraphQLObjectType(
                name,
                lambda name=name: fields_of(name),  # type: ignore[misc]
                interfaces=[node] if is_inner else [],
                is_type_of=self._is_type_of(name) if is_inner and random.random() < 0.8 else None,
            )
        outer = {name: types.pop(name) for name in ("Query", "Mutation")}
        if random.random() < 0.6:
            node.resolve_type = union.resolve_type = self._resolve_type
        return GraphQLSchema(outer["Query"], outer["Mutation"], types=[*types.values()])

    def _type(self, random: Random, objects: Sequence[GraphQLObjectType], abstract: Sequence[Any]) -> GraphQLOutputType:
        kind = random.random()
        type_: Any
        if kind < 0.4:
            type_ = random.choice(LEAVES)
        elif kind < 0.75:
            type_ = random.choice(objects)
        else:
            type_ = random.choice(abstract)
        for _ in range(random.choice((0, 0, 1, 1, 2))):
            type_ = GraphQLList(GraphQLNonNull(type_) if random.random() < 0.4 else type_)
        return GraphQLNonNull(type_) if random.random() < 0.35 else type_

    def _field(self, parent: str, name: str, type_: GraphQLOutputType, random: Random) -> GraphQLField:
        self.fields[parent, name] = type_
        way = random.random()
        arguments = {"n": GraphQLArgument(GraphQLInt, default_value=random.choice((1, 2)))} if way < 0.3 else {}
        if way < 0.5 or parent in ("Query", "Mutation"):
            return GraphQLField(type_, arguments, resolve=self._resolve)
        if way < 0.65:
            field = GraphQLField(type_, resolve=lambda source, _: getattr(source, name))
            give_hint(field, Attribute(name))
        elif way < 0.75:
            field = GraphQLField(type_, resolve=lambda source, _: getattr(source, name))
            give_hint(field, Computed(lambda source: getattr(source, name)))
        elif way < 0.88:
            field = GraphQLField(type_, resolve=self._resolve_by_key(parent, name))
            give_hint(field, Loaded(f"key_{name}", (parent, name), self._load(parent, name)))
        else:
            field = GraphQLField(type_, arguments, resolve=self._resolve_plainly)
            give_hint(field, Level(self._level(name), runs_beside=self.random(parent, name, "slow").random() < 0.5))
        return field

    # What fields hold

    def random(self, *what: object) -> Random:
        """Return the randomness that belongs to something."""
        return Random(f"{self.seed} {what!r}")

    def value(self, source: object, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return what a field holds: plain, an exception where it fails."""
        thing = source.name_of_thing if isinstance(source, Thing) else "root"
        parent = source.type_name if isinstance(source, Thing) else self._root_of(name)
        random = self.random(thing, name, sorted(arguments.items()))
        if random.random() < self.trouble / 2 or (parent, name) not in self.fields:
            return AskedForTrouble(f"{thing}.{name}")
        return self._made(self.fields[parent, name], random, f"{thing}.{name}", is_plain=True)

    def key(self, thing: Thing, attribute: str) -> Any:
        """Return the key that a field of a thing is fetched by."""
        return self.random(thing.name_of_thing, attribute).choice((None, 1, 2, 3, 4))

    def by_key(self, parent: str, name: str, key: Any) -> Any:
        """Return what is found for a key."""
        random = self.random(parent, name, key)
        if random.random() < self.trouble:
            return AskedForTrouble(f"{parent}.{name} by {key}")
        return self._made(self.fields[parent, name], random, f"{parent}.{name}:{key}", is_plain=True)

    def _root_of(self, name: str) -> str:
        return "Query" if ("Query", name) in self.fields else "Mutation"

    def _made(self, type_: Any, random: Random, name: str, *, is_plain: bool) -> Any:
        is_bad = random.random() < self.trouble
        if is_non_null_type(type_):
            return None if is_bad else self._made(type_.of_type, random, name, is_plain=is_plain)
        if random.random() < 0.05:
            return None
        if is_bad and random.random() < 0.4:
            return AskedForTrouble(f"value of {name}")
        if is_list_type(type_):
            if is_bad:
                return random.choice((5, "text", {"a": 1}))
            items = [
                self._made(type_.of_type, random, f"{name}[{index}]", is_plain=is_plain)
                for index in range(random.randint(0, 3))
            ]
            return items if is_plain else self._oddly(items, random)
        if type_.name in LEAF_VALUES:
            values = LEAF_VALUES[type_.name]
            return random.choice(values if is_bad else values[:2])
        types = [type_.name] if isinstance(type_, GraphQLObjectType) else [*self._inner()]
        if is_bad:
            types = ["A", "B", "Nothing"]
        return Thing(self, random.choice(types), name)

    def _inner(self) -> list[str]:
        return sorted({parent for parent, _ in self.fields} - {"Query", "Mutation"})

    def _oddly(self, items: list[Any], random: Random) -> Any:
        way = random.random()
        if way < 0.7:
            return items
        if way < 0.8:
            return tuple(items)
        if way < 0.9 or not self.awaits:
            return (item for item in items)
        if way < 0.95:
            return [yielded(item) if random.random() < 0.5 else item for item in items]
        return yielded_one_by_one(items)

    # Resolvers

    def _resolve(self, source: object, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        thing = source.name_of_thing if isinstance(source, Thing) else "root"
        random = self.random("resolve", thing, info.field_name, sorted(arguments.items()))
        if random.random() < self.trouble / 2:
            raise AskedForTrouble(f"{thing}.{info.field_name}")
        value = self._made(info.return_type, random, f"{thing}.{info.field_name}", is_plain=False)
        if self.awaits and random.random() < 0.4:
            return yielded(value if random.random() >= self.trouble else AskedForTrouble("awaited"))
        return value

    def _resolve_plainly(self, source: object, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        value = self.value(source, info.field_name, arguments)
        return yielded(value) if self.awaits else value

    def _resolve_by_key(self, parent: str, name: str) -> Callable[..., Any]:
        def resolve(source: Any, _: GraphQLResolveInfo[Any]) -> Any:
            key = getattr(source, f"key_{name}")
            value = None if key is None else self.by_key(parent, name, key)
            return yielded(value) if self.awaits else value

        return resolve

    def _load(self, parent: str, name: str) -> Callable[..., Any]:
        async def load(_: object, keys: Sequence[Any]) -> dict[Any, Any]:
            assert keys
            assert None not in keys
            assert len(set(keys)) == len(keys)
            await asyncio.sleep(0)
            found = {key: self.by_key(parent, name, key) for key in keys}
            return {key: value for key, value in found.items() if value is not None}

        return load

    def _level(self, name: str) -> Callable[..., Any]:
        async def resolve(_: object, sources: Sequence[Any], arguments: Mapping[str, Any]) -> list[Any]:
            assert sources
            await asyncio.sleep(0)
            return [self.value(source, name, arguments) for source in sources]

        return resolve

    def _is_type_of(self, name: str) -> Callable[..., Any]:
        def is_type_of(value: Any, _: GraphQLResolveInfo[Any]) -> Any:
            answer = value.type_name == name
            is_late = self.awaits and self.random("is_type_of", value.name_of_thing).random() < 0.2
            return yielded(answer) if is_late else answer

        return is_type_of

    def _resolve_type(self, value: Any, *_: object) -> Any:
        random = self.random("resolve_type", value.name_of_thing)
        if random.random() < self.trouble:
            return random.choice((None, 5, "Node", "Nothing"))
        return yielded(value.type_name) if self.awaits and random.random() < 0.2 else value.type_name


async def yielded(value: Any) -> Any:
    """Return a value, or raise it, a moment later."""
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


async def yielded_one_by_one(items: Sequence[Any]) -> Any:
    """Yield items, each a moment later."""
    for item in items:
        await asyncio.sleep(0)
        yield item
