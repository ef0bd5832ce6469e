"""Kept answers take no more room than they may; which ones are kept, see tests/api/test_kept_answers.py."""

import asyncio
from collections.abc import Callable

import structlog
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from server.graphql.engine import GraphQLEngine
from server.graphql.kept_answers import ENTRY_BYTES
from server.graphql.limits import Limits
from server.graphql.requests import GraphQLRequest
from server.graphql.sessions import Versions

SCHEMA = GraphQLSchema(
    GraphQLObjectType(
        "Query",
        {
            "text": GraphQLField(
                GraphQLString,
                {"size": GraphQLArgument(GraphQLNonNull(GraphQLInt))},
                resolve=lambda _root, _info, size: "x" * size,
            )
        },
    )
)
SIZE = 1_000


class Context:
    """Of nothing that changes."""

    is_personal = False
    is_of_its_moment = False
    sources = ("table",)


class Session:
    """Counts its contexts: one for each answer that was not there."""

    viewer_key = "viewer"
    scope = None

    def __init__(self) -> None:
        self.first_versions: Versions = {"table": 1}
        self.contexts = 0

    async def versions(self) -> Versions:
        return self.first_versions

    def new_context(self, request_id: str) -> Context:
        self.contexts += 1
        return Context()

    def new_shared_context(self, request_id: str) -> Context:
        raise NotImplementedError

    def when_over(self, tell: Callable[[str], None]) -> Callable[[], None]:
        raise NotImplementedError


def made_for(limits: Limits, sizes: list[int]) -> list[bool]:
    """Return, for texts that are asked for one after the other, whether each was made."""
    engine, session = GraphQLEngine(SCHEMA, limits, structlog.get_logger()), Session()

    async def ask(size: int) -> bool:
        before = session.contexts
        request = GraphQLRequest("query ($size: Int!) { text(size: $size) }", None, {"size": size})
        answer = await engine.execute(engine.prepare(request), session, "r")
        assert len(answer.body) > size
        return session.contexts > before

    async def ask_all() -> list[bool]:
        return [await ask(size) for size in sizes]

    return asyncio.run(ask_all())


def test_what_was_not_asked_for_longest_goes_first() -> None:
    room = 2 * (SIZE + ENTRY_BYTES) + SIZE
    sizes = [SIZE, SIZE + 1, SIZE, SIZE + 2, SIZE, SIZE + 2, SIZE + 1]
    made = made_for(Limits(max_kept_answers_bytes=room), sizes)
    # The third takes the place of the second, since the first was asked for again in between.
    assert made == [True, True, False, True, False, False, True]


def test_a_large_one_is_not_kept_and_takes_no_other_s_place() -> None:
    made = made_for(Limits(max_kept_answer_bytes=SIZE + 2 * ENTRY_BYTES), [SIZE, 3 * SIZE, 3 * SIZE, SIZE])
    assert made == [True, True, True, False]


def test_without_room_none_is_kept() -> None:
    assert made_for(Limits(max_kept_answers_bytes=0), [SIZE, SIZE]) == [True, True]
