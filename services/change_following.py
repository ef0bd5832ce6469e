"""Following the logs of changes that registries keep: a cheap call tells where to look.

What a log says is never taken as truth: each space that it names is looked at, and what is seen goes into the
mirror, in one transaction with how far the log was read: killed in between, it is read again from there. A log that
was lost (purged, switched off, restored from a backup) starts a look at everything, and sweeps serve until it is
found again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol, runtime_checkable

import structlog

from models.database import Database, NewEvent, Transaction
from models.enums import EventType
from models.integration import Integration
from registry_clients.discretion import discreet
from registry_clients.errors import CredentialRejected, RegistryError
from registry_clients.protocol import HasChangeFeed, ListsSpaces, LooksAtSpaces
from registry_clients.records import Change, ChangeKind
from registry_clients.refusals import FeedLost
from services.background import end_tasks, start_in_turn
from services.clock import Clock
from services.event_making import space_event
from services.feed_claims import (
    AGAIN_AFTER_FAILURE,
    LOST_INTERVAL,
    DueFeed,
    FeedClaims,
    is_held,
    look_at_everything_soon,
    lost_feed,
    write_reached,
)
from services.integration_locks import lock_integration
from services.mirror import SpaceLook, space_ids, write_space_looks
from services.observation import UNOBSERVED, Observer
from services.registry_connections import RegistryConnections, RegistryTarget
from services.told_deletions import told_from_here

log = structlog.get_logger("changes")

TICK_SECONDS = 0.25
LANE_WIDTH = 64

READING_TIMEOUT_SECONDS = 10.0
LOOKING_TIMEOUT_SECONDS = 15.0
"""Together less than a lease. What takes longer is left to one look at everything, which may take its time."""

MOST_PAGES_READ = 20
MOST_SPACES_LOOKED_AT = 50
"""When more than this changed at once, one look at everything costs less."""

_IMAGE_EVENTS = {
    ChangeKind.ARTIFACT_PUSHED: EventType.IMAGE_PUSHED,
    ChangeKind.ARTIFACT_DELETED: EventType.IMAGE_DELETED,
    ChangeKind.TAG_CHANGED: EventType.TAG_CHANGED,
    ChangeKind.TAG_DELETED: EventType.TAG_CHANGED,
}
_DELETIONS = frozenset({ChangeKind.ARTIFACT_DELETED, ChangeKind.TAG_DELETED})


@runtime_checkable
class _Followable(HasChangeFeed, LooksAtSpaces, ListsSpaces, Protocol):
    """What a client must be able to do."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a log. It is not complete when there is more than can be looked at one by one."""

    position: int
    told: tuple[Change, ...]
    is_complete: bool

    @property
    def space_names(self) -> list[str]:
        return sorted({change.space_name for change in self.told if change.space_name is not None})

    @property
    def deleted_names(self) -> list[str]:
        """Return the names of the spaces that were deleted, by the log's own word."""
        kind = ChangeKind.SPACE_DELETED
        return sorted({change.space_name for change in self.told if change.kind is kind and change.space_name})


class ChangeFollower:
    """Reads the logs that are due, side by side, and brings the mirror up to date with what they point at."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        clock: Clock,
        is_watched: Callable[[], bool],
        doubt_reader: Callable[[int], Awaitable[None]],
        observer: Observer = UNOBSERVED,
    ) -> None:
        """Take whether somebody watches, and whom to tell that a reader's credential was refused."""
        self._database = database
        self._connections = connections
        self._clock = clock
        self._is_watched = is_watched
        self._doubt_reader = doubt_reader
        self._observer = observer
        self._claims = FeedClaims(database, clock)
        self._running: dict[asyncio.Task[None], DueFeed] = {}

    async def run(self) -> None:
        """Follow for as long as the server runs; cancelled, it ends what it began and gives back its claims."""
        try:
            await start_in_turn("changes", self._start_due, TICK_SECONDS, self._observer)
        finally:
            running = dict(self._running)
            await end_tasks(running)
            if running:
                # Else nobody would read them before the leases run out.
                await self._claims.give_back(list(running.values()))

    async def _start_due(self) -> None:
        free = LANE_WIDTH - len(self._running)
        due = await self._claims.take_due(free, is_watched=self._is_watched()) if free else []
        if not due:
            return
        targets = await self._connections.targets([feed.integration_id for feed in due])
        for feed in due:
            if feed.integration_id in targets:
                task = asyncio.create_task(self._follow(feed, targets[feed.integration_id]), name="change feed")
                self._running[task] = feed
                task.add_done_callback(self._running.pop)

    async def _follow(self, feed: DueFeed, target: RegistryTarget) -> None:
        try:
            await self._advance(feed, target)
        except Exception:
            # Where we stand is written with what was seen: it is read again from there when the lease is over.
            self._observer.work_failed("changes")
            log.exception("log of changes failed unforeseen", integration_id=feed.integration_id)

    async def _advance(self, feed: DueFeed, target: RegistryTarget) -> None:
        try:
            client = await self._connections.client(target)
            if not isinstance(client, _Followable):
                await self._claims.finish(feed, {})
                return
            with discreet(target.reader or target.credential):
                if feed.position is None:
                    await self._begin(feed, client)
                else:
                    await self._catch_up(feed, feed.position, client)
        except FeedLost as error:
            if feed.position is not None:
                log.warning("log of changes lost", integration_id=feed.integration_id, reason=error.reason.value)
            # What was found missing before is known: sweeps serve already.
            await self._claims.finish(feed, lost_feed(error, self._clock()), is_swept=feed.position is not None)
        except CredentialRejected:
            await self._claims.finish(feed, {})
            await self._doubt_reader(feed.integration_id)
        except (RegistryError, TimeoutError):
            # Its health says so; the log is read on from the same place.
            soon = self._clock() - LOST_INTERVAL + AGAIN_AFTER_FAILURE
            await self._claims.finish(feed, {"read_at": soon} if feed.position is None else {})

    async def _begin(self, feed: DueFeed, client: _Followable) -> None:
        """Begin at the log's present end; everything is looked at once, for what came before."""
        async with asyncio.timeout(READING_TIMEOUT_SECONDS):
            # First what the reader can ask: of an older registry the administrator needs to know nothing.
            newest = await client.newest_change()
            await client.check_feed()
        if await self._claims.finish(feed, {"position": newest or 0, "failure": None}, is_swept=True):
            log.info("log of changes is followed", integration_id=feed.integration_id)

    async def _catch_up(self, feed: DueFeed, position: int, client: _Followable) -> None:
        async with asyncio.timeout(READING_TIMEOUT_SECONDS):
            read = await _read_on(client, position)
        if not read.told and read.is_complete:
            await self._claims.finish(feed, {"position": read.position})
            return
        is_swept = not read.is_complete or any(change.space_name is None for change in read.told)
        looked_at = self._clock()
        looks: Sequence[SpaceLook] = ()
        try:
            async with asyncio.timeout(LOOKING_TIMEOUT_SECONDS):
                looks = await (_look_at_each(client, read) if read.is_complete else _look_for_deleted(client, read))
        except TimeoutError:
            is_swept = True
        await self._database.transact(
            partial(self._write, feed=feed, read=read, looks=looks, looked_at=looked_at, is_swept=is_swept)
        )

    async def _write(
        self,
        transaction: Transaction,
        *,
        feed: DueFeed,
        read: _Read,
        looks: Sequence[SpaceLook],
        looked_at: datetime,
        is_swept: bool,
    ) -> None:
        await lock_integration(transaction, feed.integration_id)
        integration = await Integration.get_or_none(id=feed.integration_id)
        if integration is None or not await is_held(transaction, feed):
            # Whoever moves it to another address ends the claim.
            return
        await write_space_looks(transaction, integration, looks, looked_at)
        seen = {look.space.external_id for look in looks if look.space is not None}
        ids = await space_ids(transaction, integration.id, seen)
        happened = _image_events(integration, read, looks, ids, looked_at)
        deletions = [event for kind, event in happened if kind in _DELETIONS]
        told = await told_from_here(transaction, integration.id, deletions)
        known = {id(deletions[place]) for place in told}
        transaction.events += [event for _, event in happened if id(event) not in known]
        reached = {"position": read.position, "read_at": self._clock(), "changed_at": looked_at}
        await write_reached(transaction, feed, reached)
        if is_swept or integration.stale_since is not None:
            # What was doubted may have been explained by now.
            await look_at_everything_soon(transaction, feed.integration_id, self._clock())


async def _read_on(client: HasChangeFeed, position: int) -> _Read:
    told: list[Change] = []
    for _ in range(MOST_PAGES_READ):
        page = await client.changes_after(position)
        told += [change for change in page.changes if change.kind is not ChangeKind.OTHER]
        position = position if page.newest_id is None else page.newest_id
        if page.is_complete:
            read = _Read(position, tuple(told), is_complete=True)
            return read if len(read.space_names) <= MOST_SPACES_LOOKED_AT else replace(read, is_complete=False)
    # So far behind that it costs less to look at everything than to read on.
    newest = await client.newest_change()
    return _Read(max(position, newest or 0), tuple(told), is_complete=False)


async def _look_at_each(client: LooksAtSpaces, read: _Read) -> list[SpaceLook]:
    looks = []
    for name in read.space_names:
        space = await client.look_at_space(name)
        looks.append(SpaceLook(name, space, () if space is None else await client.look_at_repositories(space)))
    return looks


async def _look_for_deleted(client: ListsSpaces, read: _Read) -> list[SpaceLook]:
    """Look whether those are gone that the log names: a sweep alone would doubt that so many are."""
    if not read.deleted_names:
        return []
    present = {space.name for space in await client.list_spaces()}
    return [SpaceLook(name, None) for name in read.deleted_names if name not in present]


def _image_events(
    integration: Integration,
    read: _Read,
    looks: Sequence[SpaceLook],
    ids: Mapping[str, int],
    looked_at: datetime,
) -> list[tuple[ChangeKind, NewEvent]]:
    id_of = {look.name: ids.get(look.space.external_id) for look in looks if look.space is not None}
    there = {repository.name for look in looks for repository in look.repositories}
    events = []
    for change in read.told:
        type_ = _IMAGE_EVENTS.get(change.kind)
        if type_ is None or change.repository_name is None:
            continue
        if type_ is not EventType.IMAGE_DELETED and change.repository_name not in there:
            continue  # the log says that it was pushed, and it isn't there: no longer, or never
        space_id = id_of.get(change.space_name or "")
        if space_id is None:
            continue  # its space is gone, and with it who could be told
        event = space_event(
            type_,
            change.occurred_at or looked_at,
            integration,
            space_id,
            space_name=change.space_name,
            repository_name=change.repository_name,
            reference=change.reference,
        )
        events.append((change.kind, event))
    return events
