"""The limits on a document, and that hostile ones are refused in time linear in their text."""

from typing import Any

import pytest
from graphql import get_introspection_query, parse

from server.graphql.document_shape import SATURATED, measure
from server.graphql.engine import GraphQLEngine, RequestRefused
from server.graphql.limits import Limits
from server.graphql.requests import GraphQLRequest
from tests.graphql.sample_schema import sample_schema

SCHEMA = sample_schema()


def refusal(query: str, variables: dict[str, Any] | None = None, limits: Limits | None = None) -> Any:
    """Return the extensions of the one error, None for a document that passes."""
    engine = GraphQLEngine(SCHEMA, limits or Limits(), log=None)  # type: ignore[arg-type]
    try:
        engine.prepare(GraphQLRequest(query, variables=variables or {}))
    except RequestRefused as refused:
        (error,) = refused.answer.errors
        return error["extensions"]
    return None


def doubling(links: int, last: str) -> str:
    """Return a chain of fragments, each spreading the next twice: 2^links of the last."""
    chain = "".join(
        f"fragment F{n} on Query {{ again {{ ...F{n + 1} }} again {{ ...F{n + 1} }} }} " for n in range(links)
    )
    return f"{{ ...F0 }} {chain} fragment F{links} on Query {{ {last} }}"


def test_the_introspection_query_passes() -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    )
    assert refusal(query) is None


@pytest.mark.parametrize(
    ("query", "limit", "allowed", "found"),
    [
        ("{ again " * 40 + "{ hello }" + "}" * 40, "depth", 20, 41),
        ("{ " + "".join(f"a{n}: hello " for n in range(51)) + "}", "rootFields", 50, 51),
        ("{ again { " + "".join(f"a{n}: hello " for n in range(101)) + "} }", "aliases", 100, 101),
        ("{ again { hello " + "@skip(if: false) " * 101 + "} }", "directives", 100, 101),
        ("{ again { " + "hello " * 201 + "} }", "sameNamePairs", 40_000, 201 * 201 + 1),
        ("{ items(first: 100_000) { id } }".replace("_", ""), None, None, None),
        ("{ items(first: 100001) { id } }", "listCost", 100_000, 100_001),
    ],
)
def test_a_passed_limit_is_named_with_its_number(
    query: str, limit: str | None, allowed: int | None, found: int | None
) -> None:
    expected = None if limit is None else {"code": "LIMIT_EXCEEDED", "limit": limit, "allowed": allowed, "found": found}
    assert refusal(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "".join(f"a{n}: hello " for n in range(1_000)) + "}",
        "{ hello " + "@skip(if: false) " * 3_000 + "}",
        "{ hello }" + " " * 10 + "# a comment\n" * 201,
        "{ " + "hello " * 300_000 + "}",
    ],
    ids=["aliases", "directives", "comments", "2 MB"],
)
def test_more_tokens_than_allowed_are_not_even_parsed(query: str) -> None:
    extensions = refusal(query)
    assert extensions["code"] == "LIMIT_EXCEEDED"
    assert extensions["limit"] in ("tokens", "comments")


@pytest.mark.parametrize("last", ["hello", "...Unknown", "__typename @skip(if: true)"])
def test_doubling_fragments_are_counted_and_not_followed(last: str) -> None:
    # A walk that followed each spread would not come back.
    shape = measure(parse(doubling(60, last)), SCHEMA)
    assert shape.selections == SATURATED
    engine = GraphQLEngine(SCHEMA, Limits(), log=None)  # type: ignore[arg-type]
    with pytest.raises(RequestRefused) as refused:
        engine.prepare(GraphQLRequest(doubling(30, last)))
    passed = [error["extensions"]["limit"] for error in refused.value.answer.errors]
    assert passed[:2] == ["depth", "selections"]


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { again { ...A ...B } } fragment B on Query { again { ...A } hello }",
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }",
    ],
)
def test_cyclic_fragments_end_in_validation(query: str) -> None:
    engine = GraphQLEngine(SCHEMA, Limits(), log=None)  # type: ignore[arg-type]
    with pytest.raises(RequestRefused) as refused:
        engine.prepare(GraphQLRequest(query))
    messages = [error["message"] for error in refused.value.answer.errors]
    assert any(message.startswith("Cannot spread fragment 'A' within itself") for message in messages)


def test_introspection_in_circles_is_refused() -> None:
    query = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    assert refusal(query)["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ hello }", {}, 0),
        ("{ items { id } }", {}, 20),
        ("{ pages { id } }", {}, 5),
        ("{ items(first: 3) { items(first: 4) { id } } }", {}, 3 + 12),
        ("{ items(first: 3, last: 7) { id } }", {}, 7),
        ("{ items(first: -3) { items { id } } }", {}, 0),
        ("query ($n: Int) { items(first: $n) { items { id } } }", {"n": 2}, 2 + 40),
        ("query ($n: Int = 4) { items(first: $n) { id } }", {}, 4),
        ("query ($n: Int) { items(first: $n) { id } }", {"n": None}, 20),
        ("query ($n: Int) { items(first: $n) { id } }", {"n": "many"}, 20),
        ("query ($a: Int, $b: Int) { items(first: $a, last: $b) { id } }", {"a": None, "b": 9}, 9),
        ("query ($n: Int) { items(first: 3, last: $n) { id } }", {"n": 2}, 3),
        ("query ($ids: [ID!]!) { things(ids: $ids) { items(first: 5) { id } } }", {"ids": ["a"] * 6}, 6 + 30),
        ('{ things(ids: ["a", "b"]) { id } }', {}, 2),
        ("{ items(first: 2) { ...I } again { ...Q } } fragment I on Item { items(first: 3) { id } }"
         " fragment Q on Query { items(first: 4) { ...I } }", {}, 2 + 6 + 4 + 12),
        ("query ($n: Int) { a: items(first: $n) { ...I } } fragment I on Item { items(first: $n) { id } }",
         {"n": 3}, 3 + 9),
        ("{ items(first: 99999) { items(first: 99999999999) { id } } }", {}, SATURATED),
    ],
)  # fmt: skip
def test_list_cost(query: str, variables: dict[str, Any], cost: int) -> None:
    assert measure(parse(query), SCHEMA).list_cost(None, variables) == cost


def test_list_cost_is_of_the_named_operation() -> None:
    shape = measure(parse("query A { items(first: 1) { id } } query B { items(first: 2) { id } }"), SCHEMA)
    assert [shape.list_cost(name, {}) for name in ("A", "B", "C", None)] == [1, 2, 0, 0]


def test_deeper_than_the_interpreter_allows_is_a_syntax_error() -> None:
    assert refusal("{ ...{" * 600 + "hello" + "}}" * 600)["code"] in (
        "GRAPHQL_PARSE_FAILED",
        "LIMIT_EXCEEDED",
    )
    assert refusal("{ things(ids: " + "[" * 900 + "]" * 900 + ") { id } }")["code"] == "GRAPHQL_PARSE_FAILED"
