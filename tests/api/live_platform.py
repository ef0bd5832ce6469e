"""Many registries with something in each, straight into the database: only what is live is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from models.database import Transaction
from models.enums import HealthStatus
from models.space import Repository, Space
from resolvers.global_ids import global_id
from services.services import Services
from tests.seeding import LONG, seed_integrations, seed_spaces
from tests.servers.fake_registries import FakeRegistries
from tests.serving import RunningServer
from tests.tenant_seeding import seed_bindings, seed_workspaces, space_ids

SPACES_EACH = 20
BINDINGS_EACH = 2
TAGS = ["1.0", "1.1", "2.0"]
REPOSITORY = "space-000/app"

DASHBOARD = """
query ($first: Int!, $ids: [ID!]!) {
  integrations(first: $first) { nodes {
    name labels health { status reason }
    spaces(first: 20) { nodes { name visibility bindings(first: 2) { nodes { state workspace { name } } } } }
  } }
  nodes(ids: $ids) { ... on Repository {
    name
    artifacts(first: 20) { isStale nodes { digest sizeBytes tags { nodes { name } } } }
    tags(first: 20) { isStale nodes { name digest } }
  } }
}
"""


@dataclass(frozen=True, slots=True)
class Platform:
    """What was put into a server's database."""

    server: RunningServer
    integration_ids: list[int]
    repository_ids: list[str]
    """One of each integration, in the same order."""

    def variables(self, count: int | None = None) -> dict[str, Any]:
        """Return what the dashboard is asked for: of so many integrations, or of all."""
        ids = self.repository_ids[:count]
        return {"first": len(ids), "ids": ids}


async def seed(services: Services, urls: Sequence[str]) -> tuple[list[int], list[str]]:
    """Write a Docker Registry at each address, with twenty spaces that are bound twice, and a repository in one.

    Return the integrations' ids, and the global ids of their repositories in the same order.
    """
    database = services.database
    ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=LONG)
    await seed_spaces(database, {id_: [f"space-{number:03}" for number in range(SPACES_EACH)] for id_ in ids})
    workspaces = await seed_workspaces(database, 10)
    pairs = [
        (space_id, workspaces[(BINDINGS_EACH * space_id + number) % len(workspaces)])
        for space_id in await space_ids(database)
        for number in range(BINDINGS_EACH)
    ]
    await seed_bindings(database, pairs)

    async def repositories(_: Transaction) -> dict[int, int]:
        found = {}
        for space in await Space.filter(name="space-000", integration_id__in=ids).select_related("integration"):
            repository = await Repository.create(space=space, name=REPOSITORY, created_at=services.clock())
            found[space.integration.id] = repository.id
        return found

    keys = await database.transact(repositories)
    return ids, [global_id("Repository", keys[id_]) for id_ in ids]


def fill(server: RunningServer, urls: Sequence[str]) -> Platform:
    """Write what `seed` does into a server's database."""
    return Platform(server, *server.run(seed(server.services, urls)))


def tag_all(registries: FakeRegistries, names: Sequence[str]) -> None:
    """Have registries hold what `fill` says that they hold."""
    for name in names:
        registries.tags[name] = {REPOSITORY: TAGS}


def get_old(services: Services, by: timedelta = timedelta(minutes=1)) -> None:
    """Have so much time pass for what registries said."""
    live = services.live_contents
    before = live._monotonic
    live._monotonic = lambda: before() + by.total_seconds()
