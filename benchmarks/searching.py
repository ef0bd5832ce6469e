"""Searching the names of a million repositories, against the first page of a list of as many spaces as they lie in."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson

from benchmarks.application import OpenApplication, open_application, post
from benchmarks.databases import DatabaseKind, both_kinds
from benchmarks.report import Finding, spread
from benchmarks.timing import paired_seconds
from models.database import Database, Transaction
from models.dialects import postgresql_image_names, sqlite_image_names
from models.enums import HealthStatus, Role
from tests.seeding import seed_integrations, seed_spaces
from tests.tenant_seeding import seed_bindings, seed_workspaces, space_ids

INTEGRATIONS = 50
SPACES = 100_000
REPOSITORIES_EACH = 10
SPACES_BOUND = 50
PAGE = 100
PAGES = 1_000
ROUNDS_OF_PAGES, ROUNDS = 60, 15

WORDS = (
    *("alpha", "api", "auth", "billing", "cache", "cart", "catalog", "chat", "checkout", "client", "cloud", "config"),
    *("console", "core", "crawler", "data", "demo", "deploy", "docs", "edge", "email", "engine", "event", "export"),
    *("file", "frontend", "gateway", "geo", "grafana", "graph", "http", "identity", "image", "import", "index"),
    *("inventory", "invoice", "job", "kafka", "kernel", "ledger", "loader", "log", "mail", "media", "metrics"),
    *("mobile", "monitor", "nginx", "notify", "order", "payment", "pipeline", "platform", "portal", "postgres"),
    *("price", "profile", "proxy", "queue", "redis", "render", "router", "scheduler", "search", "session", "shop"),
    *("sink", "socket", "storage", "stream", "sync", "task", "telemetry", "token", "tool", "tracker", "upload"),
    *("user", "vault", "video", "web", "webhook", "worker", "workflow", "zookeeper"),
)
COMMON = "service"
"""A word of one in four names."""

RARE = "quokka"
"""A word of twenty names."""

SEARCHES = {
    "a common word": COMMON,
    "a rare word": RARE,
    "no hit": "wombat",
    "one letter": "s",
    "a common inner part": "ervic",
    "a rare inner part": "uokk",
    "two words that rarely meet": "zookeeper-grafana",
    "a name that was pasted": "registry-00007.example/nothing/service:1.0@sha256:" + "0f" * 32,
}

LIST = """
query ($after: Cursor) {
  spaces(first: 100, after: $after) { nodes { id name } pageInfo { endCursor hasNextPage } }
}"""
SEARCH = """
query ($text: String!, $namespace: NamespaceRef, $after: Cursor) {
  images(query: $text, namespace: $namespace, first: 100, after: $after) {
    nodes { image repository { id } } pageInfo { endCursor hasNextPage }
  }
}"""


async def run() -> list[Finding]:
    """Return what pages and searches cost on each kind of database."""
    with both_kinds() as kinds:
        return [finding for kind in kinds for finding in await _measured(kind)]


async def _measured(kind: DatabaseKind) -> list[Finding]:
    async with open_application(kind=kind) as application:
        member = await _seed(application)

        async def spaces(after: str | None = None) -> Any:
            answer = await post(application.app, application.token, LIST, {"after": after})
            return orjson.loads(answer)["data"]["spaces"]

        async def images(
            text: str, after: str | None = None, *, token: str = application.token, **given: object
        ) -> Any:
            answer = await post(application.app, token, SEARCH, {"text": text, "after": after, **given})
            return orjson.loads(answer)["data"]["images"]

        found = await images(RARE)
        assert len(found["nodes"]) == 20
        assert not (await images(SEARCHES["no hit"]))["nodes"]
        findings = []
        common = partial(images, COMMON)
        for what, page in (("spaces", spaces), (f"all images with “{COMMON}”", common)):
            behind = partial(page, await _cursor_of_last(page))
            assert len((await behind())["nodes"]) == PAGE
            last, first = await paired_seconds([behind, page], ROUNDS_OF_PAGES)
            findings.append(spread(f"{kind.name}: page {PAGES:,} of {what}", last, "page 1", first))
        namespace = {"name": "workspace-00000-0"}
        viewers: Mapping[str, Callable[[str], Awaitable[Any]]] = {
            "administrator": images,
            "member": partial(images, token=member),
            "for a namespace": partial(images, namespace=namespace),
        }
        for viewer, search in viewers.items():
            ways = [partial(search, text) for text in SEARCHES.values()]
            first, *times = await paired_seconds([spaces, *ways], ROUNDS)
            findings += [
                spread(f"{kind.name}: search, {what} ({viewer})", taken, "page 1 of spaces", first)
                for what, taken in zip(SEARCHES, times, strict=True)
            ]
        return findings


async def _cursor_of_last(page: Callable[[str | None], Awaitable[Any]]) -> str:
    """Return the cursor behind which page 1,000 begins, having read those before it."""
    cursor: str | None = None
    for _ in range(PAGES - 1):
        found = await page(cursor)
        assert found["pageInfo"]["hasNextPage"]
        cursor = found["pageInfo"]["endCursor"]
    assert cursor is not None
    return cursor


async def _seed(application: OpenApplication) -> str:
    """Fill a database; return the token of a member of a workspace that has fifty spaces of its own.

    Every third space is public.
    """
    database = application.services.database
    urls = [f"http://127.0.0.1:1/r{number}" for number in range(INTEGRATIONS)]
    ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=timedelta(minutes=50))
    chance = random.Random(1)
    each = SPACES // INTEGRATIONS
    names: dict[int, Sequence[str]] = {
        id_: [f"{chance.choice(WORDS)}-{number:05}" for number in range(each)] for id_ in ids
    }
    await seed_spaces(database, names)
    every_space = await space_ids(database)
    await database.transact(_open_some)
    await _seed_repositories(database, chance)
    [workspace, *_] = await seed_workspaces(database, 10, namespaces_each=1)
    private = [space for space in every_space if space % 3]
    await seed_bindings(database, [(space, workspace) for space in private[:: len(private) // SPACES_BOUND]])
    if database.dialect.name == "postgres":
        await database.transact(lambda transaction: transaction.execute("ANALYZE"))
    expires_at = datetime.now(UTC) + timedelta(days=1)
    tokens = application.services.access_tokens
    return (await tokens.create("a member", Role.WORKSPACE_MEMBER, expires_at, "the benchmark", workspace))[1]


async def _open_some(transaction: Transaction) -> None:
    await transaction.execute("""UPDATE "space" SET "visibility" = 'PUBLIC' WHERE "id" % 3 = 0""")


async def _seed_repositories(database: Database, chance: random.Random) -> None:
    """Write ten repositories of each space, twenty of all with the rare word."""
    spaces = [(row["id"], row["name"]) for row in await database.fetch('SELECT "id", "name" FROM "space"')]
    rows = [(id_, f"{name}/{last}") for id_, name in spaces for last in _names(chance)]
    for row in range(0, len(rows), len(rows) // 20):
        rows[row] = (rows[row][0], f"{rows[row][1]}-{RARE}")
    await database.transact(partial(_store_on_postgresql if database.dialect.name == "postgres" else _store, rows))


async def _store(rows: Sequence[tuple[int, str]], transaction: Transaction) -> None:
    """Store repositories, and what they are searched by, as a migration does it: all at once."""
    [trigger] = await transaction.fetch("SELECT sql FROM sqlite_master WHERE name = 'image_name_of_repository'")
    await transaction.execute('DROP TRIGGER "image_name_of_repository"')
    now = datetime.now(UTC)
    await transaction.execute_many(
        'INSERT INTO "repository" ("space_id", "name", "created_at") VALUES (?1, ?2, ?3)',
        [(*row, now) for row in rows],
    )
    for statement in (*sqlite_image_names.FILL_IMAGE_NAMES, trigger["sql"]):
        await transaction.execute(statement)


async def _store_on_postgresql(rows: Sequence[tuple[int, str]], transaction: Transaction) -> None:
    await transaction.execute('ALTER TABLE "repository" DISABLE TRIGGER USER')
    await transaction.execute('DROP INDEX "image_name_by_part"')
    await transaction.execute(
        'INSERT INTO "repository" ("space_id", "name", "created_at")'
        " SELECT space_id, name, now() FROM unnest($1::bigint[], $2::text[]) AS found (space_id, name)",
        *map(list, zip(*rows, strict=True)),
    )
    for statement in postgresql_image_names.FILL_IMAGE_NAMES:
        await transaction.execute(statement)
    await transaction.execute('ALTER TABLE "repository" ENABLE TRIGGER USER')


def _names(chance: random.Random) -> Iterator[str]:
    """Yield the last segments of a space's repositories."""
    found: set[str] = set()
    while len(found) < REPOSITORIES_EACH:
        words = [COMMON if chance.random() < 0.15 else chance.choice(WORDS) for _ in range(chance.choice((1, 2, 2)))]
        found.add(chance.choice("-_.").join(words) + chance.choice(("", "", "", str(chance.randrange(100)))))
    yield from sorted(found)
