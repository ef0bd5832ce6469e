"""Whose turn it is: which logs of changes are due to be read, claimed by row and for a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.change_feed import ChangeFeed
from models.database import Database, Transaction
from models.integration import Integration
from models.reading import Statement
from registry_clients.refusals import FeedLoss, FeedLost
from services.clock import Clock
from services.integration_locks import lock_integration

WATCHED_INTERVAL = timedelta(seconds=1)
"""How often a log is read while somebody watches, or something has just changed."""

IDLE_INTERVAL = timedelta(seconds=12)
JUST_CHANGED = timedelta(seconds=30)

LOST_INTERVAL = timedelta(minutes=15)
"""How often a log that isn't kept is looked for again: it takes the administrator's credential."""

AGAIN_AFTER_FAILURE = timedelta(minutes=1)
"""How soon a log is looked for again when its registry didn't answer."""

LEASE = timedelta(seconds=30)
"""After this the log of a process that died is somebody else's to read; longer than any reading may take."""

AT_MOST_APART = timedelta(minutes=1)
"""By how much the clocks of replicas may differ before one takes the other's claims for mistakes."""

LONG_AGO = timedelta(days=1)
"""Read so long ago, a log is due at once, found or lost."""

# What other components are down says nothing of the log.
_NOT_DOWN = (
    '"integration_id" NOT IN (SELECT "integration_id" FROM "integration_health"'
    " WHERE \"status\" = 'UNHEALTHY' AND \"reason\" <> 'COMPONENT_UNHEALTHY')"
)


@dataclass(frozen=True, slots=True)
class DueFeed:
    """A log that is ours to read until the lease ends. `position` is None while it is lost."""

    integration_id: int
    position: int | None
    lease_until: datetime
    """Also tells our claim from everybody else's."""


class FeedClaims:
    """The rows of `change_feed` as a timetable that all replicas share."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take_due(self, limit: int, *, is_watched: bool) -> list[DueFeed]:
        """Claim at most `limit` of those that are due, the longest unread first."""
        now = self._clock()
        interval = WATCHED_INTERVAL if is_watched else IDLE_INTERVAL

        def select(statement: Statement) -> str:
            moment = statement.bind(now)
            quick, usual = statement.bind(now - WATCHED_INTERVAL), statement.bind(now - interval)
            lost, fresh = statement.bind(now - LOST_INTERVAL), statement.bind(now - JUST_CHANGED)
            # Read in the future, or held for longer than anybody may: the clock went back.
            ahead, latest_lease = statement.bind(now + AT_MOST_APART), statement.bind(now + LEASE + AT_MOST_APART)
            return (
                'SELECT "integration_id", "position" FROM "change_feed"'
                f' WHERE ("lease_until" IS NULL OR "lease_until" <= {moment} OR "lease_until" > {latest_lease})'
                f' AND (CASE WHEN "position" IS NULL THEN "read_at" <= {lost}'
                f' WHEN "changed_at" > {fresh} THEN "read_at" <= {quick} ELSE "read_at" <= {usual} END'
                f' OR "read_at" > {ahead}) AND {_NOT_DOWN} ORDER BY "read_at" LIMIT {limit}'
            )

        statement = Statement(self._database.dialect)
        # Most ticks find nothing: a plain read tells, without a transaction.
        if not await self._database.fetch(select(statement), *statement.values):
            return []

        async def work(transaction: Transaction) -> list[DueFeed]:
            statement = Statement(transaction.dialect)
            rows = await transaction.fetch(select(statement) + transaction.dialect.skip_locked, *statement.values)
            until = now + LEASE
            if rows:
                statement = Statement(transaction.dialect)
                lease = statement.bind(until)
                condition = statement.is_one_of('"integration_id"', [row["integration_id"] for row in rows])
                await transaction.execute(
                    f'UPDATE "change_feed" SET "lease_until" = {lease} WHERE {condition}', *statement.values
                )
            return [DueFeed(row["integration_id"], row["position"], until) for row in rows]

        return await self._database.transact(work)

    async def give_back(self, feeds: Sequence[DueFeed]) -> None:
        """End our claims on logs that weren't read: they stay due. What others claimed since is theirs."""
        place = self._database.dialect.placeholder
        await self._database.transact(
            lambda transaction: transaction.execute_many(
                'UPDATE "change_feed" SET "lease_until" = NULL'
                f' WHERE "integration_id" = {place(1)} AND "lease_until" = {place(2)}',
                sorted((feed.integration_id, feed.lease_until) for feed in feeds),
            )
        )

    async def finish(self, feed: DueFeed, reached: Mapping[str, object], *, is_swept: bool = False) -> bool:
        """Write how far a log was read and end the claim; with `is_swept` have everything looked at soon.

        Returns False, and writes nothing, when the claim is ours no longer: where we stood is then of another
        address, or somebody else's to say.
        """

        async def work(transaction: Transaction) -> bool:
            await lock_integration(transaction, feed.integration_id)
            if not await is_held(transaction, feed):
                return False
            await write_reached(transaction, feed, {"read_at": self._clock(), **reached})
            if is_swept:
                await look_at_everything_soon(transaction, feed.integration_id, self._clock())
            return True

        return await self._database.transact(work)

    async def lose(self, integration_id: int, error: FeedLost) -> bool:
        """Have sweeps serve instead of a log that somebody else found to be lost; False when that is known."""

        async def work(transaction: Transaction) -> bool:
            await lock_integration(transaction, integration_id)
            lost = {**lost_feed(error, self._clock()), "lease_until": None}
            feed = ChangeFeed.filter(integration_id=integration_id, position__isnull=False)
            is_news = await feed.update(**lost) > 0
            if is_news:
                await look_at_everything_soon(transaction, integration_id, self._clock())
            return is_news

        return await self._database.transact(work)


def lost_feed(error: FeedLost, now: datetime) -> dict[str, object]:
    """Return what is written of a log that was lost."""
    # One that is kept can be begun anew at once.
    is_kept = error.reason in (FeedLoss.PURGED, FeedLoss.WENT_BACK)
    return {"position": None, "failure": error.message, "read_at": now - LONG_AGO if is_kept else now}


async def is_held(transaction: Transaction, feed: DueFeed) -> bool:
    """Return whether a claim is still ours; it stays so until the transaction ends."""
    place = transaction.dialect.placeholder
    rows = await transaction.fetch(
        f'SELECT 1 FROM "change_feed" WHERE "integration_id" = {place(1)} AND "lease_until" = {place(2)}'
        f"{transaction.dialect.lock_rows}",
        feed.integration_id,
        feed.lease_until,
    )
    return bool(rows)


async def write_reached(transaction: Transaction, feed: DueFeed, reached: Mapping[str, object]) -> None:
    """Write how far a log was read, and end the claim."""
    await ChangeFeed.filter(integration_id=feed.integration_id).update(**{**reached, "lease_until": None})


async def follow_closely(transaction: Transaction, integration_id: int, now: datetime) -> None:
    """Have a log that is followed read often for a while: something was just changed there. Hold the integration."""
    await ChangeFeed.filter(integration_id=integration_id).update(changed_at=now)


async def look_at_everything_soon(transaction: Transaction, integration_id: int, now: datetime) -> None:
    """Have everything of an integration looked at as soon as somebody is free to."""
    await Integration.filter(id=integration_id).update(next_synchronization_at=now)
