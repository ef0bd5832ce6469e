"""Which rules a document is validated by: those that can find something in it.

Every rule is asked about every node of a document, and two thirds of them are about variables, fragments,
directives and other things that a document may not have. Of what a text has no sign for, it has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

from graphql import (
    ASTValidationRule,
    DeferStreamDirectiveLabel,
    DeferStreamDirectiveOnRootField,
    DeferStreamDirectiveOnValidOperationsRule,
    DocumentNode,
    FragmentDefinitionNode,
    FragmentsOnCompositeTypesRule,
    KnownDirectivesRule,
    KnownFragmentNamesRule,
    MaxIntrospectionDepthRule,
    NoFragmentCyclesRule,
    NoSchemaIntrospectionCustomRule,
    NoUndefinedVariablesRule,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    PossibleFragmentSpreadsRule,
    SingleFieldSubscriptionsRule,
    StreamDirectiveOnListField,
    UniqueDirectivesPerLocationRule,
    UniqueFragmentNamesRule,
    UniqueVariableNamesRule,
    VariablesAreInputTypesRule,
    VariablesInAllowedPositionRule,
    specified_rules,
)

Rules = Sequence[type[ASTValidationRule]]

RULES_BY_SIGNS: Final[dict[tuple[str, ...], frozenset[type[ASTValidationRule]]]] = {
    ("$",): frozenset(
        {
            NoUndefinedVariablesRule,
            NoUnusedVariablesRule,
            UniqueVariableNamesRule,
            VariablesAreInputTypesRule,
            VariablesInAllowedPositionRule,
        }
    ),
    # Which may be defined and spread nowhere.
    ("...", "fragment"): frozenset(
        {
            FragmentsOnCompositeTypesRule,
            KnownFragmentNamesRule,
            NoFragmentCyclesRule,
            NoUnusedFragmentsRule,
            PossibleFragmentSpreadsRule,
            UniqueFragmentNamesRule,
        }
    ),
    ("@",): frozenset({KnownDirectivesRule, UniqueDirectivesPerLocationRule}),
    ("defer", "stream"): frozenset(
        {
            DeferStreamDirectiveLabel,
            DeferStreamDirectiveOnRootField,
            DeferStreamDirectiveOnValidOperationsRule,
            StreamDirectiveOnListField,
        }
    ),
    ("subscription",): frozenset({SingleFieldSubscriptionsRule}),
    ("__",): frozenset({MaxIntrospectionDepthRule, NoSchemaIntrospectionCustomRule}),
}
"""The rules that find nothing in a document of operations and fragments whose text has none of some signs."""


class ValidationRules:
    """The rules of a schema."""

    def __init__(self, *, allow_introspection: bool) -> None:
        self._all: Rules = specified_rules
        if not allow_introspection:
            self._all = (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._by_signs = {there: self._with(there) for there in product((False, True), repeat=len(RULES_BY_SIGNS))}

    def of(self, text: str, document: DocumentNode) -> Rules:
        """Return the rules for a document, parsed from a text; they find the same as all of them, in that order."""
        if not all(isinstance(part, OperationDefinitionNode | FragmentDefinitionNode) for part in document.definitions):
            return self._all
        return self._by_signs[tuple(any(sign in text for sign in signs) for signs in RULES_BY_SIGNS)]

    def _with(self, there: tuple[bool, ...]) -> Rules:
        needless: set[type[ASTValidationRule]] = set()
        for is_there, rules in zip(there, RULES_BY_SIGNS.values(), strict=True):
            if not is_there:
                needless |= rules
        return tuple(rule for rule in self._all if rule not in needless)
