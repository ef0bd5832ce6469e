"""The rules that are left out for want of a sign would have found nothing: random documents, most of them invalid."""

from __future__ import annotations

from random import Random

import pytest
from graphql import (
    GraphQLSyntaxError,
    Lexer,
    NoSchemaIntrospectionCustomRule,
    Source,
    TokenKind,
    parse,
    specified_rules,
    validate,
)

from server.graphql.validation_rules import RULES_BY_SIGNS, ValidationRules
from tests.graphql.sample_schema import sample_schema

SCHEMA = sample_schema()
DOCUMENTS = (
    "{ hello again { hello again { hello } } }",
    "query A { hello } query B { other: hello }",
    "query A($n: Int = 2, $m: Int) { items(first: $n) { id } again { items(first: $m) { id } } }",
    "query { again @include(if: true) { ...F } } fragment F on Query { hello @skip(if: false) }",
    "{ again { ... on Query { hello } ... @include(if: true) { hello } } }",
    "query A($yes: Boolean!) { hello @skip(if: $yes) ...F } fragment F on Query { again { hello @include(if: $yes) } }",
    'query { items(first: 2) { id } text: hello @skip(if: false) # "$" and ...\n}',
    "fragment F on Query { hello } query { again { hello } }",
    "type T { a: Int } query { hello }",
    "directive @d on FIELD query { hello @d }",
    "subscription { one: hello two: hello __typename } query Q { __schema { types { name fields { name } } } }",
    "{ hello ... @defer(label: 1) { hello } items @stream(initialCount: -1) { id } }",
)
SPARE = (
    *("$", "@", "...", "{", "}", "__schema", "__typename", "subscription", "fragment", "on"),
    *("hello", "nothing", "Query", "Int", "$n", "@skip", "1", '"..."'),
)
CHANGES = 40
"""Of each document; a third or so can be parsed."""


def tokens(text: str) -> list[str]:
    """Return the tokens of a text."""
    lexer, found = Lexer(Source(text)), []
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        found.append(text[token.start : token.end])
    return found


def changed(random: Random, text: str) -> str:
    """Return a document with some of its tokens taken out, doubled, or others in their place."""
    parts = tokens(text)
    for _ in range(random.randint(0, 2)):
        place = random.randrange(len(parts))
        parts[place : place + 1] = random.choice(([], [parts[place]] * 2, [random.choice(SPARE)]))
    return " ".join(parts)


@pytest.mark.parametrize("text", DOCUMENTS)
@pytest.mark.parametrize("allow_introspection", [True, False])
def test_the_same_is_found_as_by_all_rules(text: str, allow_introspection: bool) -> None:
    random = Random(text)
    rules = ValidationRules(allow_introspection=allow_introspection)
    compared = 0
    for _ in range(CHANGES):
        written = changed(random, text)
        try:
            document = parse(written)
        except GraphQLSyntaxError:
            continue
        compared += 1
        found = validate(SCHEMA, document, rules.of(written, document))
        assert found == validate(SCHEMA, document, rules._all), written
    assert compared > CHANGES / 10


def test_only_what_finds_nothing_is_left_out() -> None:
    every = set(specified_rules) | {NoSchemaIntrospectionCustomRule}
    rules = ValidationRules(allow_introspection=False)

    def of(text: str) -> set[object]:
        return set(rules.of(text, parse(text)))

    always = every.difference(*RULES_BY_SIGNS.values())
    assert of("{ hello }") == always
    for text, *signs in (
        ("query ($a: Int) { hello }", ("$",)),
        ("{ ... { hello } }", ("...", "fragment")),
        ("{ hello @skip }", ("@",)),
        ("{ hello @stream }", ("@",), ("defer", "stream")),
        ("{ ... @defer { hello } }", ("@",), ("defer", "stream"), ("...", "fragment")),
        ("subscription { hello }", ("subscription",)),
        ("{ __typename }", ("__",)),
    ):
        assert of(text) == always.union(*(RULES_BY_SIGNS[each] for each in signs))
    assert of("fragment F on Query { hello }") == always | RULES_BY_SIGNS["...", "fragment"]
    assert of("type T { a: Int } query { hello }") == every
