"""What a field is given: worked out with the plan as far as nothing of a run has a part in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import (
    ArgumentNode,
    GraphQLArgument,
    GraphQLField,
    VariableNode,
    get_nullable_type,
    is_required_argument,
    specified_scalar_types,
)
from graphql.execution.values import coerce_argument

if TYPE_CHECKING:
    from graphql.execution.collect_fields import FieldDetails

    from execution.executor import LevelExecutor

_Values: TypeAlias = dict[str, Any]

_BUILT_IN = frozenset(specified_scalar_types.values())


class Arguments:
    """The arguments of one field of a document.

    Literals of GraphQL's own scalars are the same for every run, and nobody can change them; defaults are handed out
    as the same object by graphql-core too. All else is coerced anew for whoever asks.
    """

    __slots__ = ("_arguments", "_details", "_settled")

    def __init__(self, definition: GraphQLField, details: FieldDetails) -> None:
        self._details = details
        nodes = {argument.name.value: argument for argument in details.node.arguments or ()}
        self._arguments = [
            (name, argument, nodes.get(name), _settled(name, argument, nodes.get(name), details))
            for name, argument in definition.args.items()
        ]
        self._settled: _Values | None = {}
        for *_, settled in self._arguments:
            self._settled = None if settled is None or self._settled is None else self._settled | settled

    def coerced(self, executor: LevelExecutor) -> _Values:
        """Return them by name, in a dict that is the caller's own. Raises GraphQLError for one that doesn't fit."""
        if self._settled is not None:
            return self._settled.copy()
        values: _Values = {}
        details = self._details
        for name, argument, node, settled in self._arguments:
            if settled is not None:
                values.update(settled)
                continue
            coerce_argument(
                values,
                details.node,
                name,
                argument,
                node,
                executor.variable_values,
                details.fragment_variable_values,
                executor.hide_suggestions,
            )
        return values


def _settled(name: str, argument: GraphQLArgument, node: ArgumentNode | None, details: FieldDetails) -> _Values | None:
    """Return what an argument comes to in every run, empty where it has no value; None where that isn't known yet."""
    if node is None:
        if is_required_argument(argument):
            return None
    elif isinstance(node.value, VariableNode) or get_nullable_type(argument.type) not in _BUILT_IN:
        return None
    settled: _Values = {}
    try:
        coerce_argument(settled, details.node, name, argument, node, None, None)
    except Exception:
        # Whoever asks for it is told why.
        return None
    return settled
