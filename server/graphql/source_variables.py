"""Which variables make a difference to what is told to those who follow the same source."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)


def variables_beside_the_source(document: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str]:
    """Return the variables of a subscription that stand anywhere but in the arguments of its root field.

    Those arguments say what is followed and from where on; what is followed, the source itself can say.
    """
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    spread: set[str] = set()

    def below(node: Node) -> Iterator[str]:
        if isinstance(node, VariableNode):
            yield node.name.value
        for key in node.keys:
            value = getattr(node, key, None)
            for child in value if isinstance(value, tuple | list) else (value,):
                if isinstance(child, Node):
                    yield from below(child)
        if isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
            spread.add(node.name.value)
            yield from below(fragments[node.name.value])

    def at_root(selections: SelectionSetNode) -> Iterator[str]:
        for selection in selections.selections:
            for directive in selection.directives or ():
                yield from below(directive)
            if isinstance(selection, FieldNode):
                if selection.selection_set is not None:
                    yield from below(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                yield from at_root(fragments[selection.name.value].selection_set)
            elif isinstance(selection, InlineFragmentNode):
                yield from at_root(selection.selection_set)

    def found() -> Iterator[str]:
        for directive in operation.directives or ():
            yield from below(directive)
        yield from at_root(operation.selection_set)

    return frozenset(found())
