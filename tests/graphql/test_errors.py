"""What clients see of errors: no secrets of ours, none of theirs, and each fault logged once."""

from typing import Any

import pytest

from tests.graphql.serving import Served, serve_and_run

LOGIN = "query ($input: Login!) { login(input: $input) }"


def test_the_unforeseen_is_masked_and_logged_once_with_its_cause() -> None:
    async def body(served: Served) -> None:
        _, answer = await served.post("{ requestId fails }")
        request_id = answer["data"]["requestId"]
        assert answer["errors"] == [
            {
                "message": "Internal error",
                "locations": [{"line": 1, "column": 13}],
                "path": ["fails"],
                "extensions": {"code": "INTERNAL", "requestId": request_id},
            }
        ]
        (call,) = served.logged
        assert isinstance(call.kwargs.pop("exc_info"), RuntimeError)
        assert call.kwargs == {
            "event": "graphql_field_failed",
            "request_id": request_id,
            "path": ["fails"],
            "occurrences": 1,
        }

    serve_and_run(body)


def test_a_fault_of_all_items_is_logged_once() -> None:
    async def body(served: Served) -> None:
        _, answer = await served.post("{ failsAlike { value } }")
        assert [error["path"] for error in answer["errors"]] == [["failsAlike", n, "value"] for n in range(3)]
        (call,) = served.logged
        assert call.kwargs["occurrences"] == 3

    serve_and_run(body)


@pytest.mark.parametrize("query", ["{ tooLarge }", "{ surrogate }"])
def test_a_value_that_cannot_be_sent_is_our_fault(query: str) -> None:
    async def body(served: Served) -> None:
        status, answer = await served.post(query)
        assert (status, answer["errors"][0]["extensions"]["code"]) == (200, "INTERNAL")
        assert len(served.logged) == 1

    serve_and_run(body)


@pytest.mark.parametrize(
    ("query", "variables", "code", "message"),
    [
        ("{ failsWithCode }", {}, "CONFLICT", "Conflict"),
        (
            "query ($n: Int = 1) { required(n: $n) }",
            {"n": None},
            "BAD_USER_INPUT",
            "Argument 'n' has invalid value: Expected variable '$n' provided to non-null type 'Int!' not to be None.",
        ),
        (
            LOGIN,
            {"input": {"password": "s3cret"}},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value: Expected value of type 'Login' to include required field 'user'.",
        ),
        (
            LOGIN,
            {"input": {"user": "u", "password": ["s3cret"]}},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value at .password: String cannot represent a non string value.",
        ),
        (
            LOGIN,
            {"input": "s3cret, found: it"},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value: Expected value of type 'Login' to be an object.",
        ),
        (
            LOGIN,
            {"input": {"user": "u", "password": "s3cret", "pasword": "s3cret"}},
            "BAD_USER_INPUT",
            "Variable '$input' has invalid value: Expected value of type 'Login' not to include unknown field"
            " 'pasword'. Did you mean 'password'?",
        ),
        (
            '{ login(input: { password: "s3cret" }) }',
            {},
            "GRAPHQL_VALIDATION_FAILED",
            "Expected value of type 'Login' to include required field 'user'.",
        ),
        (
            "query ($unused: Int, $n: Int!) { required(n: $n) }",
            {"n": 1},
            "GRAPHQL_VALIDATION_FAILED",
            "Variable '$unused' is never used.",
        ),
        (
            "{ required(n: $missing) }",
            {},
            "GRAPHQL_VALIDATION_FAILED",
            "Variable '$missing' is not defined.",
        ),
    ],
)
def test_a_mistake_of_the_client_is_told_without_its_values(
    query: str, variables: dict[str, Any], code: str, message: str
) -> None:
    async def body(served: Served) -> None:
        _, answer = await served.post(query, variables=variables)
        assert [(error["message"], error["extensions"]["code"]) for error in answer["errors"]] == [(message, code)]
        assert "s3cret" not in str(answer)
        assert served.logged == []

    serve_and_run(body)


def test_unknown_variables_are_ignored_and_locations_are_few() -> None:
    async def body(served: Served) -> None:
        assert await served.post("{ hello }", variables={"unknown": 1}) == (
            200,
            {"data": {"hello": "Hello, world!"}},
        )
        _, answer = await served.post("{ items(" + "first: 1 " * 300 + ") { id } }")
        assert len(answer["errors"][0]["locations"]) == 10

    serve_and_run(body)
