"""Random documents for a schema: valid ones, with all that changes what is asked."""

from __future__ import annotations

from random import Random
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_union_type,
)
from graphql.type import is_required_argument

VARIABLES = "$yes: Boolean = true, $no: Boolean = false"
CONDITIONS = (
    "",
    "",
    "",
    "",
    "@include(if: true)",
    "@skip(if: true)",
    "@include(if: $yes)",
    "@skip(if: $no)",
    "@skip(if: $yes)",
)


class DocumentWriter:
    """Writes a document for the fields of a schema that need no arguments."""

    def __init__(self, random: Random, schema: GraphQLSchema, depth: int = 3, width: int = 3) -> None:
        self._random = random
        self._schema = schema
        self._depth = depth
        self._width = width
        self._fragments: list[str] = []

    def document(self, operation: str, root: GraphQLObjectType) -> str:
        """Return a document with one operation."""
        selections = self._selections(root, self._depth)
        used = f"used: __typename @include(if: $yes) @skip(if: $no) {'...Rest' if self._rest(root) else ''}"
        written = "\n".join([f"{{ {selections} {used} }}", *self._fragments])
        # Every variable has to be used, or the document is not valid.
        number = ", $n: Int = 2" if "(n: $n)" in written else ""
        return f"{operation} ({VARIABLES}{number}) {written}"

    def _rest(self, root: GraphQLObjectType) -> bool:
        for name, field in root.fields.items():
            if "n" in field.args and is_leaf_type(get_named_type(field.type)):
                self._fragments.append(f"fragment Rest on {root.name} {{ rest: {name}(n: $n) }}")
                return True
        return False

    def _selections(self, type_: Any, depth: int) -> str:
        random = self._random
        parts = [self._selection(type_, depth) for _ in range(random.randint(1, self._width))]
        return " ".join(part for part in parts if part) or "__typename"

    def _selection(self, type_: Any, depth: int) -> str:
        random = self._random
        condition = random.choice(CONDITIONS)
        if is_abstract_type(type_) and random.random() < 0.6:
            type_ = random.choice(self._schema.get_possible_types(type_))
            return f"... on {type_.name} {condition} {{ {self._selections(type_, depth)} }}"
        if random.random() < 0.1:
            return f"... {condition} {{ {self._selections(type_, depth)} }}"
        if random.random() < 0.1 and not is_union_type(type_):
            name = f"F{len(self._fragments)}"
            self._fragments.append("")
            place = len(self._fragments) - 1
            self._fragments[place] = f"fragment {name} on {type_.name} {{ {self._selections(type_, depth)} }}"
            return f"...{name} {condition}"
        if is_union_type(type_) or random.random() < 0.1:
            return f"__typename {condition}"
        name, field = random.choice(sorted(type_.fields.items()))
        if any(is_required_argument(argument) for argument in field.args.values()):
            return ""
        named = get_named_type(field.type)
        if is_leaf_type(named):
            selections = ""
        elif depth <= 0:
            return "__typename"
        else:
            selections = f"{{ {self._selections(named, depth - 1)} }}"
        given = ""
        if "n" in field.args:
            given = random.choice(("", "(n: 1)", "(n: 2)", "(n: $n)"))
        # The same field with the same arguments always has the same alias: merged, as often as it stands there.
        alias = f"{name}_{given.strip('()').replace(': ', '').replace('$', 'v') or 'd'}_{type_.name}"
        return f"{alias}: {name}{given} {condition} {selections}"
