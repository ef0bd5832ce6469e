"""The engine over a schema that strawberry has built."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from enum import Enum
from typing import Any, ClassVar

import orjson
import strawberry
import structlog

from server.graphql.engine import GraphQLEngine
from server.graphql.limits import Limits
from server.graphql.requests import GraphQLRequest


class Colour(Enum):
    RED = "red"


strawberry.enum(Colour)


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Registry(Named):
    colour: Colour


@strawberry.input
class Rename:
    name: str
    colour: Colour | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field
    async def first(self, info: strawberry.Info[dict[str, int], None]) -> Named:
        return Registry(name=f"context {info.context['number']}", colour=Colour.RED)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def rename(self, change: Rename) -> Registry:
        assert change.colour is strawberry.UNSET
        return Registry(name=change.name, colour=Colour.RED)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def changes(self, info: strawberry.Info[dict[str, int], None]) -> AsyncGenerator[Registry, None]:
        yield Registry(name="one", colour=Colour.RED)


class Context(dict[str, int]):
    """Of its moment: the number is another each time."""

    is_personal = False
    is_of_its_moment = True
    sources = ()


class Session:
    """Counts its contexts."""

    viewer_key = "viewer"
    scope = None
    first_versions: ClassVar[Mapping[str, int]] = {}

    def __init__(self) -> None:
        self.contexts = 0

    async def versions(self) -> Mapping[str, int]:
        return self.first_versions

    def new_context(self, request_id: str) -> Context:
        self.contexts += 1
        return Context(number=self.contexts)

    def new_shared_context(self, request_id: str) -> object:
        raise NotImplementedError

    def when_over(self, tell: Callable[[str], None]) -> Callable[[], None]:
        raise NotImplementedError


def test_each_type_of_operation_runs() -> None:
    schema = strawberry.Schema(Query, Mutation, Subscription, types=[Registry])
    engine = GraphQLEngine(schema._schema, Limits(), structlog.get_logger())
    session = Session()

    async def execute(query: str) -> Any:
        answer = await engine.execute(engine.prepare(GraphQLRequest(query)), session, "r")
        return orjson.loads(answer.body)

    async def body() -> None:
        assert await execute("{ first { name ... on Registry { colour } } }") == {
            "data": {"first": {"name": "context 1", "colour": "RED"}}
        }
        assert await execute('mutation { rename(change: { name: "new" }) { name } }') == {
            "data": {"rename": {"name": "new"}}
        }
        operation = engine.prepare(GraphQLRequest("subscription { changes { name colour } }"))
        answers = [answer.body async for answer in engine.subscribe(operation, session, "r")]
        assert answers == [b'{"data":{"changes":{"name":"one","colour":"RED"}}}']
        assert session.contexts == 4

    asyncio.run(body())
