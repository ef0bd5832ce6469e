"""A request as the routes see it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy

from tests.doubles.harbor.answers import unprocessable
from tests.doubles.harbor.callers import Caller


@dataclass(frozen=True)
class HarborRequest:
    """One call: the path as it came over the wire, and who made it."""

    method: str
    raw_path: str
    raw_query: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def query(self) -> MultiDictProxy[str]:
        """The query's parameters, decoded."""
        return MultiDictProxy(MultiDict(parse_qsl(self.raw_query, keep_blank_values=True)))


@dataclass(frozen=True)
class Call:
    """A request that found its route: with the path's parameters, and the caller."""

    request: HarborRequest
    template: str
    parameters: Mapping[str, str]
    caller: Caller

    @property
    def query(self) -> MultiDictProxy[str]:
        """The query's parameters, decoded."""
        return self.request.query

    def path_id(self, name: str) -> int:
        """Return a number out of the path. 422 when it is none."""
        text = self.parameters[name]
        try:
            return int(text)
        except ValueError:
            raise unprocessable(f'{name} in path must be of type int64: "{text}"') from None

    def repository_name(self) -> str:
        """Return a repository's name: encoded twice in the path, though once is taken too."""
        return unquote(self.parameters["repository"])

    def json_object(self, name: str, go_type: str) -> dict[str, Any]:
        """Return the body. 422 when there is none, or it is not JSON, or no object, each in Harbor's words."""
        content_type = self.request.headers.get("Content-Type", "application/octet-stream")
        if not self.request.body:
            raise unprocessable(f"{name} in body is required")
        if content_type.partition(";")[0] != "application/json":
            raise unprocessable(f'unsupported media type "{content_type}", only [application/json] are allowed')
        failed = f'parsing {name} body from "" failed, because '
        try:
            value = json.loads(self.request.body)
        except ValueError:
            raise unprocessable(f"{failed}unexpected EOF") from None
        if not isinstance(value, dict):
            raise unprocessable(
                f"{failed}json: cannot unmarshal {_go_kind(value)} into Go value of type models.{go_type}"
            )
        return value

    def wrong_field(self, name: str, go_type: str, field: str, value: Any, wanted: str) -> Exception:
        """Return the 422 for a field of another type than Harbor reads it into."""
        # A number is named when it is one too many, not when there should be none.
        what = f"number {value}" if wanted == "int64" else _go_kind(value)
        return unprocessable(
            f'parsing {name} body from "" failed, because json: cannot unmarshal {what} '
            f"into Go struct field {go_type}.{field} of type {wanted}"
        )


def headers_of(*items: tuple[str, str]) -> CIMultiDictProxy[str]:
    """Return headers that don't mind capitals."""
    return CIMultiDictProxy(CIMultiDict(items))


def _go_kind(value: Any) -> str:
    kinds: dict[type, str] = {
        bool: "bool",
        int: "number",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    return kinds.get(type(value), "null")
