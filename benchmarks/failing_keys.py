"""A level at which one key in fifty can't be loaded, against the same level while all can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import orjson
import strawberry
import structlog
from msgspec import Struct

from benchmarks.application import KEEPING_NOTHING, open_application
from benchmarks.report import Finding, spread
from benchmarks.stock_view import VIEWER
from benchmarks.timing import paired_seconds
from resolvers.loading import Loader, loaded
from schema.execution_hints import give_hints
from schema.node import RecordBacked
from server import garbage_collection
from server.authentication import ViewerSession
from server.graphql.engine import Answer, GraphQLEngine
from server.graphql.requests import GraphQLRequest
from services.services import Services

PARENTS = 1_000
ONE_IN = 50
ROUNDS = 150


class OwnerRecord(Struct, frozen=True, gc=False):
    """Something that is loaded."""

    id: int
    name: str


class ThingRecord(Struct, frozen=True, gc=False):
    """Something that names what is to be loaded for it."""

    id: int
    name: str
    owner_id: int


WHOLE = [ThingRecord(number, f"thing {number}", number) for number in range(PARENTS)]
HOLED = [ThingRecord(number, f"thing {number}", PARENTS + number) for number in range(PARENTS)]
OWNERS = {
    thing.owner_id: OwnerRecord(thing.owner_id, f"owner {thing.id}")
    for thing in [*WHOLE, *HOLED]
    if thing.owner_id < PARENTS or thing.id % ONE_IN
}


class OwnerByIdLoader(Loader[int, OwnerRecord | None]):
    """Owners, without a database."""

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, OwnerRecord | None]:
        """Return the owners that there are."""
        return {key: OWNERS[key] for key in keys if key in OWNERS}


@strawberry.type
class Owner(RecordBacked):
    """What is loaded."""

    record = OwnerRecord

    id: int
    name: str


@strawberry.type
class Thing(RecordBacked):
    """What it is loaded for, as a field that can be null, and as one whose error makes the whole thing null."""

    record = ThingRecord

    id: int
    name: str
    owner: Owner | None = loaded(OwnerByIdLoader, key="owner_id", required="owner", description="Null when it fails.")
    holder: Owner = loaded(OwnerByIdLoader, key="owner_id", required="owner", description="Never null.")


@strawberry.type
class Query:
    """Things whose owners are all there, and things of which one in fifty has lost its."""

    @strawberry.field
    def whole(self) -> list[Thing | None]:
        """Return those whose owners are all there."""
        return cast("list[Thing | None]", WHOLE)

    @strawberry.field
    def holed(self) -> list[Thing | None]:
        """Return the others."""
        return cast("list[Thing | None]", HOLED)


async def run() -> list[Finding]:
    """Return what the errors cost where they leave a null in their place, and where they null what is around it."""
    schema = strawberry.Schema(query=Query)
    give_hints(schema)
    engine = GraphQLEngine(schema._schema, KEEPING_NOTHING, structlog.get_logger("benchmark"))
    findings = []
    async with open_application() as application:
        # As `serve` has it.
        garbage_collection.settle()
        for field, is_whole_thing_null in (("owner", False), ("holder", True)):
            whole, holed = [partial(_answer, engine, application.services, root, field) for root in ("whole", "holed")]
            _require_exact(await whole(), await holed(), field, is_whole_thing_null=is_whole_thing_null)
            fine, failing = await paired_seconds([whole, holed], ROUNDS)
            nulled = "the object nulled" if is_whole_thing_null else "the field nulled"
            what = f"{PARENTS:,} objects with a loaded one each, one key in {ONE_IN} failing, {nulled}"
            findings.append(spread(what, failing, "none failing", fine))
    return findings


async def _answer(engine: GraphQLEngine, services: Services, root: str, field: str) -> Answer:
    """Return an answer as JSON, from the text of the query on."""
    session = ViewerSession(VIEWER, services, {})
    operation = engine.prepare(GraphQLRequest(f"{{ {root} {{ id name {field} {{ id name }} }} }}"))
    return await engine.execute(operation, session, "benchmark", session.first_versions)


def _require_exact(whole: Answer, holed: Answer, field: str, *, is_whole_thing_null: bool) -> None:
    """Fail unless both answers are what they must be: each failed key an error at its place, all else as it is."""
    assert orjson.loads(whole.body) == {"data": {"whole": [_shown(thing, field) for thing in WHOLE]}}
    expected: list[Any] = [_shown(thing, field) for thing in HOLED]
    failed = range(0, PARENTS, ONE_IN)
    for number in failed:
        expected[number] = None if is_whole_thing_null else {**expected[number], field: None}
    answer = orjson.loads(holed.body)
    assert answer["data"] == {"holed": expected}
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["holed", number, field], "GONE") for number in failed
    ]


def _shown(thing: ThingRecord, field: str) -> dict[str, Any]:
    owner = {"id": thing.owner_id, "name": f"owner {thing.id}"}
    return {"id": thing.id, "name": thing.name, field: owner}
