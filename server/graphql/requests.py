"""The parameters of a GraphQL request, parsed at the edge.

Source: GraphQL over HTTP, "Request Parameters"; the payload of graphql-transport-ws `subscribe` is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


class InvalidRequest(Exception):
    """What came is no GraphQL request: not JSON, or JSON of another shape. The message says why."""

    code = "BAD_REQUEST"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One request of a client, of the right shape but not yet parsed or validated.

    Variables may carry secrets: they stay out of the repr.
    """

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extensions: Mapping[str, Any] = field(default_factory=dict, repr=False)


def parse_body(body: bytes) -> GraphQLRequest:
    """Return the request in an HTTP body. Raises InvalidRequest."""
    return parse_parameters(parse_json(body))


def parse_json(text: bytes | str) -> object:
    """Return the JSON value in `text`. Raises InvalidRequest.

    orjson refuses NaN, lone surrogates, text that isn't UTF-8, and more than 1,024 levels of nesting.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # The parser's own message quotes nothing of the text; its position helps to find the mistake.
        raise InvalidRequest(f"The request is not JSON: {error.msg} (position {error.pos}).") from None


def parse_parameters(parameters: object) -> GraphQLRequest:
    """Return the request that decoded JSON stands for. Raises InvalidRequest."""
    if isinstance(parameters, list):
        raise InvalidRequest("Batches are not supported: send each operation in a request of its own.")
    if not isinstance(parameters, dict):
        raise InvalidRequest("The request must be a JSON object.")
    query = parameters.get("query")
    if query is None:
        raise InvalidRequest("The request has no 'query'.")
    if not isinstance(query, str):
        raise InvalidRequest("'query' must be a string.")
    operation_name = parameters.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise InvalidRequest("'operationName' must be a string or null.")
    return GraphQLRequest(
        query=query,
        operation_name=operation_name,
        variables=_optional_object(parameters, "variables"),
        extensions=_optional_object(parameters, "extensions"),
    )


def _optional_object(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    value = parameters.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest(f"'{name}' must be an object or null.")
    return value
