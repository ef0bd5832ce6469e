"""How large a GraphQL document is, found in one pass that is linear in its text.

Runs before validation: some validation rules are quadratic, and a chain of fragments that each spread the
next twice stands for 2^n fields. So each definition is looked at once, with a stack of our own (a document
may nest deeper than Python's recursion limit), and what a fragment holds is summed up once and multiplied.
Sums stop at `SATURATED`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

SATURATED = 1_000_000_000
"""Where counting ends: past every limit, and small enough to stay cheap."""

DEFAULT_PAGE_SIZE = 20
"""Items of a connection that is asked for without `first` or `last`, and whose schema gives no default."""


_PAGE_ARGUMENTS = frozenset({"first", "last"})


class VariableSize(NamedTuple):
    """A list size that variables give: the largest number, or length of a list, among them.

    `fallback` counts when none of them has one, and beside them when the document wrote it (`is_written`).
    """

    names: tuple[str, ...]
    is_written: bool
    fallback: int


class ListTerm(NamedTuple):
    """Lists on one way down: their sizes multiplied, by the cost of a fragment where one is spread there."""

    size: int
    variables: tuple[VariableSize, ...]
    fragment: str | None


@dataclass(slots=True)
class _Spread:
    name: str
    depth: int
    is_at_root: bool


@dataclass(slots=True)
class _Definition:
    """One operation or fragment; after `_sum_up` with all that its spreads bring."""

    depth: int = 0
    selections: int = 0
    root_fields: int = 0
    aliases: int = 0
    spreads: list[_Spread] = field(default_factory=list)
    list_terms: list[ListTerm] = field(default_factory=list)


class _Place(NamedTuple):
    """A selection set that is still to be looked at, and where it stands."""

    selection_set: SelectionSetNode
    parent: GraphQLCompositeType | None
    depth: int
    size: int
    variables: tuple[VariableSize, ...]


@dataclass(frozen=True, slots=True)
class DocumentShape:
    """The counts of a document: of its largest operation, fragments counted wherever they are spread.

    `directives` and `same_name_pairs` are of the text as written.
    """

    depth: int
    selections: int
    root_fields: int
    aliases: int
    directives: int
    same_name_pairs: int
    _operations: Mapping[str | None, OperationDefinitionNode] = field(repr=False)
    _terms: Mapping[str | None, tuple[ListTerm, ...]] = field(repr=False)
    _fragment_terms: Mapping[str, tuple[ListTerm, ...]] = field(repr=False)

    def list_cost(self, operation_name: str | None, variables: Mapping[str, Any]) -> int:
        """Return how many items the lists of an operation could hold, all together; at most SATURATED.

        Each field with a `first` or `last` counts with that number (20 when neither is given and the schema
        names no default), a list without pages with the length of its longest argument that is a list, each
        times what the fields around it count. `operation_name` is None for an anonymous operation. An
        operation that doesn't exist costs nothing.
        """
        terms = self._terms.get(operation_name, ())
        if not terms:
            return 0
        values = _variable_values(self._operations[operation_name], variables)
        costs: dict[str, int] = {}
        # Fragments come in an order in which what one spreads stands before it.
        for name, fragment_terms in self._fragment_terms.items():
            costs[name] = _cost(fragment_terms, values, costs)
        return _cost(terms, values, costs)


def measure(document: DocumentNode, schema: GraphQLSchema) -> DocumentShape:
    """Return the shape of a parsed document, valid or not. Cyclic fragments count once."""
    pass_ = _Pass(schema)
    operations: dict[str | None, OperationDefinitionNode] = {}
    operation_shapes: list[tuple[str | None, _Definition]] = []
    fragments: dict[str, _Definition] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            name = node.name.value if node.name else None
            operations[name] = node
            pass_.directives += sum(len(definition.directives or ()) for definition in node.variable_definitions or ())
            root = schema.get_root_type(node.operation)
            operation_shapes.append((name, pass_.look_at(node, root)))
        elif isinstance(node, FragmentDefinitionNode):
            fragments[node.name.value] = pass_.look_at(node, pass_.composite(node.type_condition))
    ordered = _in_order(fragments)
    summed: dict[str, _Definition] = {}
    for name_ in ordered:
        _sum_up(fragments[name_], summed)
        summed[name_] = fragments[name_]
    for _, shape in operation_shapes:
        _sum_up(shape, summed)
    shapes = [shape for _, shape in operation_shapes]
    return DocumentShape(
        depth=max((shape.depth for shape in shapes), default=0),
        selections=max((shape.selections for shape in shapes), default=0),
        root_fields=max((shape.root_fields for shape in shapes), default=0),
        aliases=max((shape.aliases for shape in shapes), default=0),
        directives=pass_.directives,
        same_name_pairs=sum(count * count for count in pass_.names.values()),
        _operations=operations,
        _terms={name: tuple(shape.list_terms) for name, shape in operation_shapes},
        _fragment_terms={name: tuple(fragments[name].list_terms) for name in ordered},
    )


class _Pass:
    """The pass over one document."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.directives = 0
        self.names: Counter[str] = Counter()

    def composite(self, condition: NamedTypeNode) -> GraphQLCompositeType | None:
        named = self.schema.get_type(condition.name.value)
        return named if is_composite_type(named) else None

    def look_at(
        self, node: OperationDefinitionNode | FragmentDefinitionNode, parent: GraphQLCompositeType | None
    ) -> _Definition:
        self.directives += len(node.directives or ())
        found = _Definition()
        places = [_Place(node.selection_set, parent, 1, 1, ())]
        while places:
            place = places.pop()
            for selection in place.selection_set.selections:
                self.directives += len(selection.directives or ())
                if isinstance(selection, FieldNode):
                    self._field(selection, place, found, places)
                elif isinstance(selection, FragmentSpreadNode):
                    found.selections += 1
                    name = selection.name.value
                    found.spreads.append(_Spread(name, place.depth, place.depth == 1))
                    found.list_terms.append(ListTerm(place.size, place.variables, name))
                elif isinstance(selection, InlineFragmentNode):
                    condition = selection.type_condition
                    inner = place.parent if condition is None else self.composite(condition)
                    places.append(place._replace(selection_set=selection.selection_set, parent=inner))
        return found

    def _field(self, node: FieldNode, place: _Place, found: _Definition, places: list[_Place]) -> None:
        found.selections += 1
        found.depth = max(found.depth, place.depth)
        found.root_fields += place.depth == 1
        found.aliases += node.alias is not None
        self.names[node.alias.value if node.alias else node.name.value] += 1
        definition = self.schema.get_field(place.parent, node.name.value) if place.parent else None
        size, variables = place.size, place.variables
        own = _list_size(node, definition)
        if own is not None:
            if isinstance(own, VariableSize):
                variables = (*variables, own)
            else:
                size = min(size * own, SATURATED)
            found.list_terms.append(ListTerm(size, variables, None))
        if node.selection_set is not None:
            inner: GraphQLNamedType | None = get_named_type(definition.type) if definition else None
            parent = inner if is_composite_type(inner) else None
            places.append(_Place(node.selection_set, parent, place.depth + 1, size, variables))


MOST_ITEMS = "most_items"
"""Under which name a field says in its `extensions` how many items it holds at most, where it takes no number."""


def _list_size(node: FieldNode, definition: GraphQLField | None) -> int | VariableSize | None:
    """Return how many items a field may hold, or None for a field that takes no such number."""
    declared = definition.args if definition else {}
    fallback: int | None = None
    counts = _PAGE_ARGUMENTS
    if "first" in declared:
        fallback = _default_page_size(declared["first"])
    elif definition and is_list_type(get_nullable_type(definition.type)):
        # A list without pages holds as much as it was given, as `nodes(ids:)`, or as it is said to hold at most.
        fallback = definition.extensions.get(MOST_ITEMS)
        counts = frozenset(
            name for name, argument in declared.items() if is_list_type(get_nullable_type(argument.type))
        )
    names: list[str] = []
    literals: list[int] = []
    for argument in node.arguments or ():
        if argument.name.value not in counts:
            continue
        value = argument.value
        if isinstance(value, VariableNode):
            names.append(value.name.value)
        elif isinstance(value, IntValueNode):
            # Past nine digits int() gets slow, and every limit is passed.
            literals.append(int(value.value) if len(value.value) < 10 else SATURATED)
        elif isinstance(value, ListValueNode):
            literals.append(len(value.values))
    if literals:
        fallback = max(0, *literals)
    if names:
        return VariableSize(tuple(names), bool(literals), DEFAULT_PAGE_SIZE if fallback is None else fallback)
    return fallback


def _default_page_size(argument: GraphQLArgument) -> int:
    default = argument.default_value
    if argument.default is not None:
        # A default that the SDL wrote is a literal, one that Python code gave a value.
        literal = argument.default.literal
        default = int(literal.value) if isinstance(literal, IntValueNode) else argument.default.value
    return default if isinstance(default, int) else DEFAULT_PAGE_SIZE


def _in_order(fragments: Mapping[str, _Definition]) -> list[str]:
    """Return the names of the fragments, each after those that it spreads; a cycle is cut where it closes."""
    ordered: list[str] = []
    begun: set[str] = set()
    for start in fragments:
        if start in begun:
            continue
        begun.add(start)
        path = [(start, iter(fragments[start].spreads))]
        while path:
            name, rest = path[-1]
            spread = next((s for s in rest if s.name in fragments and s.name not in begun), None)
            if spread is None:
                ordered.append(name)
                path.pop()
            else:
                begun.add(spread.name)
                path.append((spread.name, iter(fragments[spread.name].spreads)))
    return ordered


def _sum_up(definition: _Definition, summed: Mapping[str, _Definition]) -> None:
    """Add to a definition what its spreads bring, once for each spread."""
    for spread in definition.spreads:
        fragment = summed.get(spread.name)
        if fragment is None:
            continue
        definition.depth = max(definition.depth, spread.depth - 1 + fragment.depth)
        definition.selections = min(definition.selections + fragment.selections, SATURATED)
        definition.aliases = min(definition.aliases + fragment.aliases, SATURATED)
        if spread.is_at_root:
            definition.root_fields = min(definition.root_fields + fragment.root_fields, SATURATED)


def _variable_values(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables' values as given, or else as the operation's defaults have them."""
    values: dict[str, Any] = {}
    for definition in operation.variable_definitions or ():
        default = definition.default_value
        if isinstance(default, IntValueNode):
            values[definition.variable.name.value] = int(default.value[:10])
        elif isinstance(default, ListValueNode):
            values[definition.variable.name.value] = default.values
    values.update(given)
    return values


def _cost(terms: Iterable[ListTerm], values: Mapping[str, Any], costs: Mapping[str, int]) -> int:
    total = 0
    for term in terms:
        cost = term.size if term.fragment is None else term.size * costs.get(term.fragment, 0)
        for variable in term.variables:
            cost = min(cost * _size(variable, values), SATURATED)
        total = min(total + cost, SATURATED)
    return total


def _size(variable: VariableSize, values: Mapping[str, Any]) -> int:
    sizes = [variable.fallback] if variable.is_written else []
    for name in variable.names:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            sizes.append(max(0, value))
        elif isinstance(value, list | tuple):
            sizes.append(len(value))
    return max(sizes, default=variable.fallback)
