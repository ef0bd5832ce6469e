"""Looking after what notifications named: repositories that the mirror doesn't have, and tags that didn't come.

A registry may tell of a push a moment before the tag stands, and of a repository before it can be asked for. So what
was told is held against what was seen a little later, and looked at again while the two are not the same. All of it is
in this process's memory: what is lost with it is found by the next look at everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from models.database import Database, Transaction
from models.enums import SpaceState
from models.integration import Integration
from models.reading import Statement
from registry_clients.discretion import discreet
from registry_clients.errors import RegistryError
from registry_clients.protocol import FindsRepositories
from registry_clients.records import NotifiedChange, RegistryContents
from services.background import end_tasks
from services.clock import Clock
from services.integration_locks import lock_integration
from services.mirror import write_found_repositories
from services.observation import UNOBSERVED, Observer
from services.registry_connections import RegistryConnections, RegistryTarget
from services.usage_hints import Hint, note_hints, tag_hint

log = structlog.get_logger("notifications")

PAUSES_SECONDS = (0.5, 2.0, 5.0, 15.0)
"""Before a repository is looked at again; after the last time, nothing more is expected of it."""

LOOK_TIMEOUT_SECONDS = 15.0
LANE_WIDTH = 16

MOST_WAITING = 1_000
MOST_LOOKED_AT = 100
MOST_TAGS = 100
"""Of one registry, of one look, of one repository. What is beyond is left to the next look at everything."""


@dataclass(slots=True)
class _Expected:
    """What a repository is to hold, as far as it was told; `due_at` in the loop's time."""

    due_at: float
    pause: int = 0
    """Which of the pauses comes next."""

    tags: dict[str, str] = field(default_factory=dict)
    """The digests that tags are to name."""

    def take_in(self, tag: str, digest: str) -> None:
        """Expect of a tag what was told last; of too many, the oldest is forgotten."""
        self.tags.pop(tag, None)
        self.tags[tag] = digest
        if len(self.tags) > MOST_TAGS:
            del self.tags[next(iter(self.tags))]


_ByName = dict[str, _Expected]


@dataclass(slots=True)
class _Seen:
    """A repository as the mirror has it."""

    space_id: int
    tags: dict[str, str] = field(default_factory=dict)


class NotifiedRepositories:
    """Looks after repositories that notifications named, each registry by itself."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        clock: Clock,
        observer: Observer = UNOBSERVED,
        *,
        is_measured: bool,
    ) -> None:
        """`is_measured`: whether anybody looks at what tags name; else nothing is expected of them."""
        self._database = database
        self._connections = connections
        self._clock = clock
        self._observer = observer
        self._is_measured = is_measured
        self._expected: dict[int, _ByName] = {}
        self._looks: dict[int, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def expect(self, integration_id: int, changes: Sequence[NotifiedChange], known_names: Collection[str]) -> None:
        """Look for those of the repositories that aren't known, and see to it that tags come to name what was told."""
        now = asyncio.get_running_loop().time()
        expected = self._expected.setdefault(integration_id, {})
        for change in changes:
            is_known = change.repository_name in known_names
            if change.tag is None or change.digest is None or (is_known and not self._is_measured):
                # Of what was deleted there is nothing to come.
                continue
            repository = expected.get(change.repository_name)
            if repository is not None:
                # Told again: soon, but not as often as it may be told.
                repository.due_at, repository.pause = min(repository.due_at, now + PAUSES_SECONDS[0]), 1
            elif len(expected) < MOST_WAITING:
                repository = _Expected(now + PAUSES_SECONDS[0], 1) if is_known else _Expected(now)
                expected[change.repository_name] = repository
            if repository is not None:
                repository.take_in(change.tag, change.digest)
        self._woken.set()

    async def run(self) -> None:
        """Look for as long as the server runs; cancelled, it ends what it began."""
        try:
            while True:
                self._woken.clear()
                next_at = self._start_due()
                try:
                    async with asyncio.timeout_at(next_at):
                        await self._woken.wait()
                except TimeoutError:
                    continue
        finally:
            await end_tasks(self._looks.values())

    def _start_due(self) -> float | None:
        """Begin what is due; return when the next is, None while there is nothing to wait for."""
        now = asyncio.get_running_loop().time()
        following: list[float] = []
        for integration_id, expected in list(self._expected.items()):
            if integration_id in self._looks:
                continue  # its end wakes us
            due = [name for name, repository in expected.items() if repository.due_at <= now][:MOST_LOOKED_AT]
            if due and len(self._looks) < LANE_WIDTH:
                taken = {name: expected.pop(name) for name in due}
                task = asyncio.create_task(self._look_after(integration_id, taken), name="notified repositories")
                self._looks[integration_id] = task
                task.add_done_callback(partial(self._ended, integration_id))
            elif expected:
                following.append(min(repository.due_at for repository in expected.values()))
            else:
                del self._expected[integration_id]
        # With all lanes taken, the end of one wakes us.
        return min(following) if following and len(self._looks) < LANE_WIDTH else None

    def _ended(self, integration_id: int, _: asyncio.Task[None]) -> None:
        del self._looks[integration_id]
        self._woken.set()

    async def _look_after(self, integration_id: int, taken: _ByName) -> None:
        remaining = taken
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_SECONDS):
                remaining = await self._look(integration_id, taken)
        except (RegistryError, TimeoutError) as error:
            reason = error.reason.value if isinstance(error, RegistryError) else "TIMED_OUT"
            log.info("repositories could not be looked for", integration_id=integration_id, reason=reason)
        except Exception:
            self._observer.work_failed("notifications")
            log.exception("repositories could not be looked for, unforeseen", integration_id=integration_id)
        self._put_back(integration_id, remaining)

    def _put_back(self, integration_id: int, remaining: _ByName) -> None:
        now = asyncio.get_running_loop().time()
        expected = self._expected.setdefault(integration_id, {})
        for name, repository in remaining.items():
            told_meanwhile = expected.get(name)
            if told_meanwhile is not None:
                soon = now + PAUSES_SECONDS[0]
                expected[name] = _Expected(soon, 1, {**repository.tags, **told_meanwhile.tags})
            elif repository.pause < len(PAUSES_SECONDS):
                due_at = now + PAUSES_SECONDS[repository.pause]
                expected[name] = _Expected(due_at, repository.pause + 1, repository.tags)

    async def _look(self, integration_id: int, taken: _ByName) -> _ByName:
        """Look at repositories once; return those of which something is still to come."""
        seen = await self._seen(integration_id, taken)
        remaining: _ByName = {}
        hints: set[Hint] = set()
        for name, mirrored in seen.items():
            expected = taken[name]
            expected.tags = {tag: digest for tag, digest in expected.tags.items() if mirrored.tags.get(tag) != digest}
            if expected.tags and self._is_measured:
                remaining[name] = expected
                hints |= {tag_hint(mirrored.space_id, name, tag) for tag in expected.tags}
        if hints:
            await self._database.transact(partial(self._hint, integration_id=integration_id, hints=hints))
        missing = {name: expected for name, expected in taken.items() if name not in seen}
        if missing and await self._find(integration_id, missing):
            remaining |= missing
        return remaining

    async def _seen(self, integration_id: int, taken: Mapping[str, _Expected]) -> dict[str, _Seen]:
        """Return those of the repositories that the mirror has, with what it knows of the tags in question."""
        statement = Statement(self._database.dialect)
        owner, present = statement.bind(integration_id), statement.bind(SpaceState.PRESENT)
        named = statement.is_one_of('r."name"', sorted(taken))
        tags = {tag for expected in taken.values() for tag in expected.tags}
        in_question = statement.is_one_of('t."name"', sorted(tags))
        rows = await self._database.fetch(
            'SELECT r."name", r."space_id", t."name" AS tag, t."digest" FROM "repository" r'
            ' JOIN "space" s ON s."id" = r."space_id"'
            f' LEFT JOIN "measured_tag" t ON t."repository_id" = r."id" AND {in_question}'
            f' WHERE s."integration_id" = {owner} AND s."state" = {present} AND {named}',
            *statement.values,
        )
        seen: dict[str, _Seen] = {}
        for row in rows:
            repository = seen.setdefault(row["name"], _Seen(row["space_id"]))
            if row["tag"] is not None:
                repository.tags[row["tag"]] = row["digest"]
        return seen

    async def _hint(self, transaction: Transaction, *, integration_id: int, hints: set[Hint]) -> None:
        await lock_integration(transaction, integration_id)
        if await Integration.exists(id=integration_id):
            await note_hints(transaction, integration_id, hints, self._clock())

    async def _find(self, integration_id: int, names: Collection[str]) -> bool:
        """Look for repositories at their registry, and write those that are there. False when it is gone itself."""
        target = (await self._connections.targets([integration_id])).get(integration_id)
        if target is None:
            return False
        looked_at = self._clock()
        client = await self._connections.client(target)
        if not isinstance(client, FindsRepositories):
            return False
        with discreet(target.credential):
            found = await client.find_repositories(names)
        if found.repositories:
            await self._database.transact(partial(_write, target=target, found=found, looked_at=looked_at))
        return True


async def _write(
    transaction: Transaction, *, target: RegistryTarget, found: RegistryContents, looked_at: datetime
) -> None:
    await lock_integration(transaction, target.integration_id)
    integration = await Integration.get_or_none(id=target.integration_id)
    # Moved elsewhere meanwhile, it may not have them there.
    if integration is not None and integration.updated_at == target.updated_at:
        await write_found_repositories(transaction, integration, found, looked_at)
