"""GraphQL over HTTP, asked with a plain HTTP client."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from server.graphql.limits import Limits
from tests.graphql.serving import Served, serve_and_run

GRAPHQL_RESPONSE = {"Accept": "application/graphql-response+json"}


def test_answers_a_query_with_its_headers() -> None:
    async def body(served: Served) -> None:
        async with served.http.post(served.url, json={"query": "{ hello requestId }"}) as response:
            request_id = response.headers["X-Request-Id"]
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"
            assert response.headers["Cache-Control"] == "no-store"
            assert await response.json() == {"data": {"hello": "Hello, world!", "requestId": request_id}}

    serve_and_run(body)


def test_a_mutation_runs() -> None:
    async def body(served: Served) -> None:
        answer = await served.post("mutation ($n: Int!) { add(n: $n) }", variables={"n": 1})
        assert answer == (200, {"data": {"add": 2}})

    serve_and_run(body)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_only_post_is_taken(method: str) -> None:
    async def body(served: Served) -> None:
        async with served.http.request(method, served.url, params={"query": "{ hello }"}) as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")

    serve_and_run(body)


@pytest.mark.parametrize("authorization", ["", "Basic cmlnaHQ6", "Bearer", "Bearer wrong", "right"])
def test_without_a_right_credential_nothing_is_read(authorization: str) -> None:
    async def body(served: Served) -> None:
        headers = {"Authorization": authorization, "Content-Type": "text/plain"}
        async with served.http.post(served.url, data=b"not JSON", headers=headers) as response:
            assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")
            (error,) = (await response.json())["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED"}
        assert served.unauthenticated == [None]

    serve_and_run(body)


def test_a_fault_of_the_authenticator_is_masked() -> None:
    async def body(served: Served) -> None:
        status, answer = await served.post("{ hello }", headers={"Authorization": "Bearer broken"})
        assert status == 500
        assert answer["errors"][0]["message"] == "Internal error"
        assert "secret" not in str(answer)

    serve_and_run(body)


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("application/graphql-response+json", 200, "application/graphql-response+json; charset=utf-8"),
        (
            "application/graphql-response+json, application/json;q=0.9",
            200,
            "application/graphql-response+json; charset=utf-8",
        ),
        ("application/graphql-response+json;q=0.1, application/json", 200, "application/json; charset=utf-8"),
        ("*/*", 200, "application/json; charset=utf-8"),
        ("text/html, application/json;q=0", 406, "application/json; charset=utf-8"),
        ("image/png", 406, "application/json; charset=utf-8"),
    ],
)
def test_the_media_type_is_negotiated(accept: str, status: int, media_type: str) -> None:
    async def body(served: Served) -> None:
        query, headers = {"query": "{ hello }"}, {"Accept": accept}
        async with served.http.post(served.url, json=query, headers=headers) as response:
            assert (response.status, response.headers["Content-Type"]) == (status, media_type)

    serve_and_run(body)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
    ],
)
def test_only_json_is_taken(content_type: str) -> None:
    async def body(served: Served) -> None:
        status, answer = await served.post(data=b'{"query": "{ hello }"}', headers={"Content-Type": content_type})
        assert (status, answer["errors"][0]["extensions"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")

    serve_and_run(body)


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ again { } }", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("type T { a: Int }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { required(n: $n) }", {"n": "x"}, "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", {}, "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { endless }", {}, "SUBSCRIPTION_NEEDS_STREAM"),
        ("{ items(first: 500) { items(first: 500) { id } } }", {}, "LIMIT_EXCEEDED"),
    ],
)
def test_request_errors_have_a_code_and_the_media_types_status(
    query: str, variables: dict[str, object], code: str
) -> None:
    async def body(served: Served) -> None:
        expected = await served.post(query, variables=variables)
        assert expected[0] == 200
        (error,) = expected[1]["errors"]
        assert error["extensions"]["code"] == code
        assert expected[1].keys() == {"errors"}
        assert await served.post(query, variables=variables, headers=GRAPHQL_RESPONSE) == (400, expected[1])
        assert served.logged == []

    serve_and_run(body)


def test_field_errors_leave_the_status_alone() -> None:
    async def body(served: Served) -> None:
        status, answer = await served.post("{ hello failsPublicly }", headers=GRAPHQL_RESPONSE)
        assert status == 200
        assert answer == {
            "errors": [
                {
                    "message": "No such thing",
                    "locations": [{"line": 1, "column": 9}],
                    "path": ["failsPublicly"],
                    "extensions": {"kind": "thing", "code": "NOT_FOUND"},
                }
            ],
            "data": {"hello": "Hello, world!", "failsPublicly": None},
        }

    serve_and_run(body)


def test_an_operation_that_takes_too_long_is_cancelled() -> None:
    async def body(served: Served) -> None:
        answer = await served.post("{ slow }")
        assert answer == (
            200,
            {
                "errors": [
                    {
                        "message": "The operation took more than 0.05 seconds.",
                        "extensions": {"code": "OPERATION_TIMED_OUT"},
                    }
                ],
                "data": None,
            },
        )
        assert served.happenings.noted == ["slow begun", "slow cancelled", "slow ended"]

    serve_and_run(body, Limits(operation_timeout_seconds=0.05))


def test_a_query_ends_when_its_client_leaves() -> None:
    async def body(served: Served) -> None:
        asking = asyncio.create_task(served.post("{ slow stuck }"))
        await served.happenings.wait_for("slow begun", times=2)
        asking.cancel()
        await served.happenings.wait_for("slow ended", times=2)
        assert served.happenings.noted.count("slow cancelled") == 2

    serve_and_run(body)


def test_a_mutation_runs_to_its_end_when_its_client_leaves() -> None:
    async def body(served: Served) -> None:
        asking = asyncio.create_task(served.post("mutation { slowAdd }"))
        await served.happenings.wait_for("slowAdd begun")
        asking.cancel()
        await asyncio.wait((asking,))
        assert await served.post("{ hello }") == (200, {"data": {"hello": "Hello, world!"}})
        served.happenings.released.set()
        await served.happenings.wait_for("slowAdd ended")
        assert "slowAdd cancelled" not in served.happenings.noted

    serve_and_run(body)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The request is not JSON"),
        (b"{", "The request is not JSON"),
        (b'{"query": "{ hello }", "variables": {"a": NaN}}', "The request is not JSON"),
        (b'{"query": "{ hello }", "variables": {"a": "\\ud800"}}', "The request is not JSON"),
        (b'{"query": "\xff"}', "The request is not JSON"),
        (b"[" * 100_000, "The request is not JSON"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "The request is not JSON"),
        (b"null", "The request must be a JSON object."),
        (b'"{ hello }"', "The request must be a JSON object."),
        (b"[]", "Batches are not supported: send each operation in a request of its own."),
        (b"{}", "The request has no 'query'."),
        (b'{"query": 1}', "'query' must be a string."),
        (b'{"query": "{ hello }", "operationName": 1}', "'operationName' must be a string or null."),
        (b'{"query": "{ hello }", "variables": []}', "'variables' must be an object or null."),
        (b'{"query": "{ hello }", "extensions": "x"}', "'extensions' must be an object or null."),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, message: str) -> None:
    async def body(served: Served) -> None:
        status, answer = await served.post(data=data)
        (error,) = answer["errors"]
        assert (status, error["extensions"]) == (400, {"code": "BAD_REQUEST"})
        assert error["message"].startswith(message)
        assert served.logged == []

    serve_and_run(body)


def test_variables_nested_as_deep_as_json_allows_are_only_wrong() -> None:
    async def body(served: Served) -> None:
        deep = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
        query = orjson.dumps("query ($input: Login!) { login(input: $input) }")
        data = b'{"query": ' + query + b', "variables": {"input": ' + deep + b"}}"
        status, answer = await served.post(data=data)
        assert (status, answer["errors"][0]["extensions"]["code"]) == (200, "BAD_USER_INPUT")
        assert served.logged == []

    serve_and_run(body)


def test_a_body_too_large_is_refused_whatever_it_declares() -> None:
    async def body(served: Served) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b" " * 50_000

        declared = await served.post(data=b" " * 500_000)
        assert declared[0] == 413
        assert declared[1]["errors"][0]["extensions"] == {
            "code": "LIMIT_EXCEEDED",
            "limit": "bodyBytes",
            "allowed": 100_000,
        }
        undeclared = await served.post(data=chunks())
        assert undeclared == declared

    serve_and_run(body, Limits(max_body_bytes=100_000))
