"""What an operation asks of each type of object: worked out once, and kept with its document.

A plan depends on the variables only as far as `@skip` and `@include` do, so there is one for each combination of these
that came up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveNode,
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    InlineFragmentNode,
    SelectionSetNode,
    TypeNameMetaFieldDef,
    VariableNode,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from execution.arguments import Arguments
from execution.columns import LeafColumn, leaf_column
from execution.hints import EXTENSION, Attribute, Computed, InstanceOf, Level, Loaded

if TYPE_CHECKING:
    from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

    from execution.executor import LevelExecutor

MOST_PLANS = 16
"""Kept for one document: combinations of what `@skip` and `@include` are told."""


class Kind(Enum):
    """What a layer of a type is."""

    LEAF = "leaf"
    LIST = "list"
    OBJECT = "object"
    ABSTRACT = "abstract"


class Layer:
    """One layer of a field's type: a list, or what is at its bottom; non-null belongs to the layer beneath it."""

    __slots__ = ("column", "inner", "is_non_null", "kind", "type")

    def __init__(self, type_: GraphQLOutputType) -> None:
        self.is_non_null = is_non_null_type(type_)
        self.type: Any = type_.of_type if is_non_null_type(type_) else type_
        self.inner: Layer | None = None
        self.column: LeafColumn | None = None
        if is_list_type(self.type):
            self.kind = Kind.LIST
            self.inner = Layer(self.type.of_type)
        elif is_leaf_type(self.type):
            self.kind = Kind.LEAF
            self.column = leaf_column(self.type)
        else:
            self.kind = Kind.OBJECT if is_object_type(self.type) else Kind.ABSTRACT


class FieldPlan:
    """One field of a selection, under the name that it has in the answer."""

    __slots__ = (
        "arguments",
        "definition",
        "details",
        "getter",
        "hint",
        "is_typename",
        "layers",
        "name",
        "order",
        "parent_type",
        "selections",
    )

    def __init__(
        self,
        name: str,
        order: int,
        parent_type: GraphQLObjectType,
        definition: GraphQLField,
        details: FieldDetailsList,
    ) -> None:
        self.name = name
        self.order = order
        self.parent_type = parent_type
        self.definition = definition
        self.details = details
        self.arguments = Arguments(definition, details[0])
        self.is_typename = definition is TypeNameMetaFieldDef
        self.hint = _hint(definition)
        self.getter: Callable[[Any], Any] | None = None
        if isinstance(self.hint, Attribute):
            self.getter = attrgetter(self.hint.name)
        elif isinstance(self.hint, Loaded):
            self.getter = attrgetter(self.hint.key)
        elif isinstance(self.hint, Computed):
            self.getter = self.hint.function
        self.layers = _layers(definition.type)
        self.selections: dict[GraphQLObjectType, SelectionPlan] = {}

    @property
    def nodes(self) -> list[FieldNode]:
        """Where the field stands in the document."""
        return [details.node for details in self.details]


class SelectionPlan:
    """What is asked of one type of object."""

    __slots__ = ("fields", "names", "type")

    def __init__(self, type_: GraphQLObjectType, fields: Sequence[FieldPlan]) -> None:
        self.type = type_
        self.fields = tuple(fields)
        self.names = tuple(field.name for field in fields)


def selection_plan(
    executor: LevelExecutor, type_: GraphQLObjectType, grouped_field_set: GroupedFieldSet
) -> SelectionPlan:
    """Return what a set of fields asks of a type; unknown fields are passed over, as graphql-core does."""
    fields: list[FieldPlan] = []
    for name, details in grouped_field_set.items():
        definition = executor.schema.get_field(type_, details[0].node.name.value)
        if definition is not None:
            fields.append(FieldPlan(name, len(fields), type_, definition, details))
    return SelectionPlan(type_, fields)


def sub_selection_plan(executor: LevelExecutor, field: FieldPlan, type_: GraphQLObjectType) -> SelectionPlan:
    """Return what a field's selection asks of a type that the field has returned."""
    plan = field.selections.get(type_)
    if plan is None:
        grouped_field_set = executor.collect_subfields(type_, field.details).grouped_field_set
        plan = field.selections[type_] = selection_plan(executor, type_, grouped_field_set)
    return plan


def instances_of(type_: GraphQLObjectType) -> frozenset[type] | None:
    """Return the classes of which a type's values are said to be."""
    hint = type_.extensions.get(EXTENSION)
    return hint.classes if isinstance(hint, InstanceOf) else None


class PlanCache:
    """The plans of the operations of one document. Kept with the document, it goes when that goes."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[object, ...], SelectionPlan] = OrderedDict()
        self._conditions: dict[str | None, _Conditions] = {}

    def conditions(self, executor: LevelExecutor) -> _Conditions:
        """Return on what the plan of an operation depends."""
        name = executor.operation.name.value if executor.operation.name else None
        conditions = self._conditions.get(name)
        if conditions is None:
            conditions = self._conditions[name] = _Conditions(executor)
        return conditions

    def get(self, key: tuple[object, ...]) -> SelectionPlan | None:
        """Return a plan that is kept."""
        plan = self._plans.get(key)
        if plan is not None:
            self._plans.move_to_end(key)
        return plan

    def put(self, key: tuple[object, ...], plan: SelectionPlan) -> None:
        """Keep a plan, and forget the one that was used longest ago when there are too many."""
        self._plans[key] = plan
        if len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)


class _Conditions:
    """What in an operation changes its plan, and what makes it none for us."""

    def __init__(self, executor: LevelExecutor) -> None:
        variables: set[str] = set()
        self.is_incremental = False
        for part in (executor.operation, *(fragment.definition for fragment in executor.fragments.values())):
            for directive in _directives(part.selection_set):
                self.is_incremental |= directive.name.value in ("defer", "stream")
                if directive.name.value in ("skip", "include"):
                    variables |= {
                        argument.value.name.value
                        for argument in directive.arguments or ()
                        if isinstance(argument.value, VariableNode)
                    }
        self.name = executor.operation.name.value if executor.operation.name else None
        self.variables = tuple(sorted(variables))
        self.has_fragment_variables = any(fragment.variable_signatures for fragment in executor.fragments.values())

    def key(self, executor: LevelExecutor) -> tuple[object, ...]:
        """Return what tells this plan from others of the document."""
        coerced = executor.variable_values.coerced
        return (self.name, *(coerced.get(variable) for variable in self.variables))


def _directives(selection_set: SelectionSetNode) -> Iterator[DirectiveNode]:
    """Yield the directives of everything that is selected, however deep; not those of other fragments."""
    waiting = [selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            yield from selection.directives or ()
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                waiting.append(selection.selection_set)


def _hint(definition: GraphQLField) -> Attribute | Computed | Loaded | Level | None:
    hint = (definition.extensions or {}).get(EXTENSION)
    return hint if isinstance(hint, Attribute | Computed | Loaded | Level) else None


def _layers(type_: GraphQLOutputType) -> tuple[Layer, ...]:
    """Return the layers of a type from the outside in."""
    layers = [Layer(type_)]
    while layers[-1].inner is not None:
        layers.append(layers[-1].inner)
    return tuple(layers)
