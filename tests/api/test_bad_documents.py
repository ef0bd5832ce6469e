"""Documents that cost more than they should: refused at once, by the limit that they pass."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.surface import QUICK_SECONDS, Surface
from tests.serving import HttpAnswer


def nested(levels: int) -> str:
    inner = "integration { spaces(first: 1) { nodes { " * (levels // 3)
    return "{ spaces(first: 1) { nodes { " + inner + "id" + " } } }" * (levels // 3) + " } } }"


def aliases(field: str, count: int) -> str:
    return " ".join(f"a{number}: {field}" for number in range(count))


def doubling(links: int) -> str:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(links))
    return f"{{ ...F0 }} {chain} fragment F{links} on Query {{ __typename }}"


DOCUMENTS: dict[str, tuple[str, str, str | None]] = {
    "40 levels": (nested(39), "LIMIT_EXCEEDED", "depth"),
    "1,000 aliases": (f"{{ {aliases('__typename', 1000)} }}", "LIMIT_EXCEEDED", "tokens"),
    "101 aliases": (f"{{ viewer {{ {aliases('name', 101)} }} }}", "LIMIT_EXCEEDED", "aliases"),
    "a chain that doubles thirty times": (doubling(30), "LIMIT_EXCEEDED", "selections"),
    "a ring": ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "GRAPHQL_VALIDATION_FAILED", None),
    "3,000 directives": (f"{{ viewer {{ name {'@skip(if: false) ' * 3000} }} }}", "LIMIT_EXCEEDED", "tokens"),
    "lists in lists": (
        "{ integrations(first: 100) { nodes { spaces(first: 100) { nodes { integration {"
        " spaces(first: 100) { nodes { id } } } } } } } }",
        "LIMIT_EXCEEDED",
        "listCost",
    ),
    "nothing": ("", "GRAPHQL_PARSE_FAILED", None),
    "no operation": ("fragment F on Query { viewer { name } }", "GRAPHQL_VALIDATION_FAILED", None),
    "an unknown field": ("{ secrets }", "GRAPHQL_VALIDATION_FAILED", None),
    "a field that never comes out": ("{ integrations { nodes { password } } }", "GRAPHQL_VALIDATION_FAILED", None),
    "a null": ("{ viewer { name } } \x00", "GRAPHQL_PARSE_FAILED", None),
}


def post(surface: Surface, body: bytes, further: Mapping[str, str] | None = None) -> HttpAnswer:
    """Send a body and see that it is answered at once, and that nothing was changed."""
    stored, audited, began_at = surface.stored(), surface.audit(), time.monotonic()
    headers = {"Authorization": f"Bearer {surface.server.admin_token}", "Content-Type": "application/json"}
    answer = surface.server.request("POST", "/graphql", body, {**headers, **(further or {})})
    assert time.monotonic() - began_at < QUICK_SECONDS
    assert (surface.stored(), surface.audit()) == (stored, audited)
    return answer


@pytest.mark.parametrize(("document", "code", "limit"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_is_refused(surface: Surface, document: str, code: str, limit: str | None) -> None:
    began_at = time.monotonic()
    result: dict[str, Any] = surface.server.post(document)
    assert time.monotonic() - began_at < QUICK_SECONDS
    assert "data" not in result
    assert {error["extensions"]["code"] for error in result["errors"]} == {code}
    if limit is not None:
        assert limit in {error["extensions"]["limit"] for error in result["errors"]}


BODIES = {
    "none": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "no query": b"{}",
    "a number for a query": b'{"query": 1}',
    "variables that are none": b'{"query": "{ __typename }", "variables": "x"}',
    "no UTF-8": b'{"query": "\xff"}',
    "deep": b'{"query": "{ __typename }", "variables": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "not a number": b'{"query": "{ __typename }", "variables": {"x": NaN}}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_request(surface: Surface, body: bytes) -> None:
    answer = post(surface, body)
    assert answer.status == 400
    (error,) = answer.json["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_two_megabytes_are_refused_before_they_come(surface: Surface) -> None:
    # They aren't sent: whoever still writes when the answer comes may not get to read it.
    answer = post(surface, b"{", {"Content-Length": "2000000"})
    assert answer.status == 413
    (error,) = answer.json["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "bodyBytes")


def test_a_megabyte_of_document_is_counted_to_its_limit(surface: Surface) -> None:
    answer = post(surface, b'{"query": "{ ' + b"a " * 500_000 + b'}"}')
    (error,) = answer.json["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "tokens")
