"""Registries as those ask them who wait: each holds its answers back until the test lets it go."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from yarl import URL

from models.database import Database
from models.enums import HealthReason, HealthStatus, RegistryKind
from registry_clients.endpoint import RegistryEndpoint
from registry_clients.records import ArtifactPage, FoundArtifact, FoundTag
from server.settings import DATABASE_FILE, read_settings
from services.live_answers import ArtifactsWanted
from services.live_contents import LiveContents
from services.registry_connections import RegistryConnections, RegistryTarget
from tests.seeding import seed_integrations
from tests.templates import copy_migrated_sqlite

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LONG_SECONDS = 3600.0
"""A deadline that no test waits for: who is made to wait for it fails."""
MOST_SECONDS = 20.0


def digest_of(number: int) -> str:
    """Return a digest."""
    return f"sha256:{number:064x}"


def artifact(number: int = 1, *tags: str) -> FoundArtifact:
    """Return an artifact."""
    found = tuple(FoundTag(tag, pushed_at=None, pulled_at=None, is_immutable=None) for tag in tags)
    media_type = "application/vnd.oci.image.manifest.v1+json"
    return FoundArtifact(digest_of(number), media_type, None, 1000, found, (), pushed_at=None, pulled_at=None)


def page(*artifacts: FoundArtifact) -> ArtifactPage:
    """Return a page that holds these and is the last."""
    return ArtifactPage(artifacts, len(artifacts), is_last=True)


def wanted(integration_id: int, repository_name: str = "team/app", number: int = 1) -> ArtifactsWanted:
    """Return what is wanted of a registry: a page of ten."""
    return ArtifactsWanted(integration_id, repository_name, number, 10)


@dataclass
class AskedRegistry:
    """What one registry says, and what it was asked."""

    says: ArtifactPage | None = field(default_factory=lambda: page(artifact(1, "1.0")))
    fails: Exception | None = None
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often for each page of each repository."""

    under_way: int = 0
    most_at_once: int = 0
    cancelled: int = 0

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def list_artifacts(self, repository_name: str, *, page: int = 1, page_size: int = 100) -> ArtifactPage | None:
        """Answer as told, when it may. What it says is what was so when it was asked."""
        said, fails = self.says, self.fails
        self.asked[repository_name, page] += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1
        if fails is not None:
            raise fails
        return said

    async def look_at_artifact(self, repository_name: str, reference: str) -> FoundArtifact | None:
        """Answer the same for one artifact."""
        said = await self.list_artifacts(repository_name)
        return next((one for one in said.artifacts if one.digest == reference), None) if said is not None else None


class Connections:
    """As far as it is asked where registries are, and for their clients."""

    def __init__(self, registries: dict[int, AskedRegistry]) -> None:
        self.registries = registries
        self.changed: dict[int, RegistryTarget] = {}
        self.statements = 0

    def target(self, integration_id: int) -> RegistryTarget:
        """Return where one is."""
        return self.changed.get(integration_id) or RegistryTarget(
            integration_id=integration_id,
            workspace_id=None,
            kind=RegistryKind.DOCKER_REGISTRY,
            endpoint=RegistryEndpoint(URL(f"http://r{integration_id}.example")),
            credential=None,
            reader=None,
            is_administrator_refused=False,
            updated_at=NOW,
        )

    def change(self, integration_id: int, **what: Any) -> None:
        """Have something be otherwise."""
        self.changed[integration_id] = replace(self.target(integration_id), **what)

    async def targets(self, ids: Sequence[int]) -> dict[int, RegistryTarget]:
        """Return where those are that exist."""
        self.statements += 1
        return {id_: self.target(id_) for id_ in ids if id_ in self.registries}

    async def client(self, target: RegistryTarget) -> AskedRegistry:
        """Return the client."""
        return self.registries[target.integration_id]


@dataclass
class World:
    """Some registries, and what asks them."""

    contents: LiveContents
    connections: Connections
    database: Database
    seconds: float = 0.0

    @property
    def ids(self) -> list[int]:
        """The integrations' ids."""
        return list(self.connections.registries)

    def registry(self, number: int = 0) -> AskedRegistry:
        """Return one of the registries."""
        return list(self.connections.registries.values())[number]

    async def make_unhealthy(self, integration_id: int, reason: HealthReason) -> None:
        """Have a registry be known as not well."""
        mark = self.database.dialect.placeholder
        sql = (
            f'UPDATE "integration_health" SET "status" = {mark(1)}, "reason" = {mark(2)}, "message" = {mark(3)}'
            f' WHERE "integration_id" = {mark(4)}'
        )
        values = (HealthStatus.UNHEALTHY.value, reason.value, "It was seen to be ill.", integration_id)
        await self.database.transact(lambda work: work.execute(sql, *values))


def in_world(
    folder: Path,
    scenario: Callable[[World], Coroutine[Any, Any, None]],
    count: int = 1,
    *,
    deadline_seconds: float = LONG_SECONDS,
) -> None:
    """Run something among so many registries that answer at once, asked by a clock that stands still."""
    copy_migrated_sqlite(folder / DATABASE_FILE)

    async def run() -> None:
        database = await Database.open(read_settings({}, data=folder).tortoise_url)
        try:
            urls = [f"http://r{number}.example" for number in range(count)]
            later = timedelta(hours=1)
            ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=later)
            connections = Connections({id_: AskedRegistry() for id_ in ids})
            contents = LiveContents(
                database,
                cast(RegistryConnections, connections),
                lambda: NOW + timedelta(seconds=world.seconds),
                deadline_seconds,
                monotonic=lambda: world.seconds,
            )
            world = World(contents, connections, database)
            async with asyncio.timeout(MOST_SECONDS):
                await scenario(world)
            await contents.end()
        finally:
            await database.close()

    asyncio.run(run())
