"""A schema of the tests' own: each field shows one thing that transports must handle."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema

SDL = """
type Query {
  hello(name: String = "world"): String!
  again: Query
  viewer: String!
  contextNumber: Int!
  requestId: String!
  slow: String
  stuck: String
  fails: String
  failsAlike: [Broken!]!
  failsPublicly: String
  failsWithCode: String
  surrogate: String
  tooLarge: Int
  required(n: Int!): Int
  login(input: Login!): String
  items(first: Int, last: Int, after: String): [Item!]!
  pages(first: Int = 5): [Item!]!
  things(ids: [ID!]!): [Item]!
}
type Broken { value: String }
type Item { id: ID! items(first: Int): [Item!]! }
input Login { user: String! password: String! attempts: Int }
type Mutation { add(n: Int!): Int! slowAdd: Int! }
type Event { cursor: String! text: String! }
type Subscription {
  count(to: Int!): Int!
  contextNumbers: Int!
  events: Event!
  endless: Int!
  waits: Int!
  large: String!
  breaks: Int!
  refuses: Int!
  stuck: Int!
}
"""


class NotFound(Exception):
    """An error that the client is meant to see, as resolvers define theirs."""

    is_public = True
    code = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("No such thing")
        self.extensions = {"kind": "thing"}


class Happenings:
    """What resolvers did, for tests to wait on."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.released = asyncio.Event()
        self._changed = asyncio.Condition()

    async def note(self, what: str) -> None:
        self.noted.append(what)
        async with self._changed:
            self._changed.notify_all()

    async def wait_for(self, what: str, times: int = 1) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: self.noted.count(what) >= times)


class Context:
    """What resolvers see."""

    def __init__(self, viewer: str, number: int, request_id: str, happenings: Happenings) -> None:
        self.viewer = viewer
        self.number = number
        self.request_id = request_id
        self.happenings = happenings
        self.is_personal = False
        self.is_of_its_moment = True
        self.sources: frozenset[str] = frozenset()


async def _until_released(info: GraphQLResolveInfo[Any], what: str) -> None:
    happenings = info.context.happenings
    await happenings.note(f"{what} begun")
    try:
        await happenings.released.wait()
    except asyncio.CancelledError:
        happenings.noted.append(f"{what} cancelled")
        raise
    finally:
        # A clean-up that needs the loop: leaks show here.
        await happenings.note(f"{what} ended")


def _raise(error: Exception) -> Any:
    raise error


class Resolvers:
    """The resolvers, by type and field."""

    async def slow(self, _root: Any, info: GraphQLResolveInfo[Any]) -> str:
        await _until_released(info, "slow")
        return "done"

    async def slow_add(self, _root: Any, info: GraphQLResolveInfo[Any]) -> int:
        await _until_released(info, "slowAdd")
        return 1

    async def count(self, _root: Any, info: GraphQLResolveInfo[Any], to: int) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number

    async def context_numbers(self, _root: Any, info: GraphQLResolveInfo[Any]) -> AsyncIterator[int]:
        yield 1
        yield 2

    async def events(self, _root: Any, info: GraphQLResolveInfo[Any]) -> AsyncIterator[dict[str, str]]:
        yield {"cursor": "c1", "text": "first\nline"}
        yield {"cursor": "forged\ndata: x", "text": "second"}

    async def endless(self, _root: Any, info: GraphQLResolveInfo[Any]) -> AsyncIterator[int]:
        await info.context.happenings.note("endless begun")
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            await info.context.happenings.note("endless closed")

    async def waits(self, _root: Any, info: GraphQLResolveInfo[Any]) -> AsyncIterator[int]:
        await info.context.happenings.note("waits begun")
        try:
            yield 0
            await info.context.happenings.released.wait()
        finally:
            await info.context.happenings.note("waits closed")

    async def large(self, _root: Any, info: GraphQLResolveInfo[Any]) -> AsyncIterator[str]:
        try:
            for _ in range(10_000):
                await info.context.happenings.note("large made")
                yield "x" * 100_000
        finally:
            await info.context.happenings.note("large closed")

    async def breaks(self, _root: Any, info: GraphQLResolveInfo[Any]) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("a secret of the source")

    async def stuck(self, _root: Any, info: GraphQLResolveInfo[Any]) -> AsyncIterator[int]:
        await _until_released(info, "stuck start")
        raise AssertionError


def sample_schema() -> GraphQLSchema:
    """Return the schema, its resolvers attached."""
    schema = build_schema(SDL)
    resolvers = Resolvers()
    items = [{"id": str(number), "items": []} for number in range(3)]

    def attach(type_name: str, **by_field: Any) -> None:
        fields = schema.type_map[type_name].fields  # type: ignore[attr-defined]
        for name, resolve in by_field.items():
            fields[name].resolve = resolve

    def attach_sources(**by_field: Any) -> None:
        assert schema.subscription_type is not None
        for name, subscribe in by_field.items():
            schema.subscription_type.fields[name].subscribe = subscribe
            schema.subscription_type.fields[name].resolve = lambda event, _info, **_arguments: event

    attach(
        "Query",
        hello=lambda _root, _info, name: f"Hello, {name}!",
        again=lambda _root, _info: {},
        viewer=lambda _root, info: info.context.viewer,
        contextNumber=lambda _root, info: info.context.number,
        requestId=lambda _root, info: info.context.request_id,
        slow=resolvers.slow,
        stuck=resolvers.slow,
        fails=lambda _root, _info: _raise(RuntimeError("a secret of the resolver")),
        failsAlike=lambda _root, _info: [{}, {}, {}],
        failsPublicly=lambda _root, _info: _raise(NotFound()),
        failsWithCode=lambda _root, _info: _raise(GraphQLError("Conflict", extensions={"code": "CONFLICT"})),
        surrogate=lambda _root, _info: "\ud800",
        tooLarge=lambda _root, _info: 2**40,
        required=lambda _root, _info, n: n,
        login=lambda _root, _info, **arguments: arguments["input"]["user"],
        items=lambda _root, _info, **_page: items,
        pages=lambda _root, _info, **_page: items,
        things=lambda _root, _info, ids: items,
    )
    attach("Broken", value=lambda _root, _info: _raise(RuntimeError("alike")))
    attach("Mutation", add=lambda _root, _info, n: n + 1, slowAdd=resolvers.slow_add)
    attach_sources(
        count=resolvers.count,
        contextNumbers=resolvers.context_numbers,
        events=resolvers.events,
        endless=resolvers.endless,
        waits=resolvers.waits,
        large=resolvers.large,
        breaks=resolvers.breaks,
        refuses=lambda _root, _info: _raise(NotFound()),
        stuck=resolvers.stuck,
    )
    assert schema.subscription_type is not None
    schema.subscription_type.fields["contextNumbers"].resolve = lambda _event, info: info.context.number
    return schema
