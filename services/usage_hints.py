"""What was said to hold something else now: noted with whatever said it, so that it is measured again soon."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import Transaction
from models.reading import Readable

Hint = tuple[int, str]
"""A space's id, and the name of one of its repositories; empty: any of them. See `tag_hint`."""


@dataclass(frozen=True, slots=True)
class NotedHint:
    """A hint, and when it was last given."""

    space_id: int
    repository_name: str
    noted_at: datetime


def tag_hint(space_id: int, repository_name: str, tag: str) -> Hint:
    """Return the hint that one tag of a repository names something else now, and no other that was known."""
    return space_id, f"{repository_name}:{tag}"


def hinted_tag(hint: NotedHint) -> tuple[str, str | None]:
    """Return the repository that a hint names, and the tag where it is about that alone."""
    # No repository's name has a colon.
    name, colon, tag = hint.repository_name.partition(":")
    return name, tag if colon else None


async def note_hints(transaction: Transaction, integration_id: int, hints: Collection[Hint], now: datetime) -> None:
    """Have spaces of an integration measured again soon."""
    if not hints:
        return
    place = transaction.dialect.placeholder
    # First, as whoever measures does: the other way round each would wait for the other.
    await transaction.execute(
        f'UPDATE "usage_measurement" SET "hinted_at" = {place(1)} WHERE "integration_id" = {place(2)}',
        now,
        integration_id,
    )
    await transaction.execute_many(
        'INSERT INTO "usage_hint" ("space_id", "repository_name", "noted_at")'
        f" VALUES ({place(1)}, {place(2)}, {place(3)})"
        ' ON CONFLICT ("space_id", "repository_name") DO UPDATE SET "noted_at" = EXCLUDED."noted_at"',
        [(space_id, name, now) for space_id, name in sorted(hints)],
    )


async def noted_hints(readable: Readable, integration_id: int) -> list[NotedHint]:
    """Return what is noted of an integration."""
    rows = await readable.fetch(
        'SELECT h."space_id", h."repository_name", h."noted_at" FROM "usage_hint" h'
        ' JOIN "space" s ON s."id" = h."space_id"'
        f' WHERE s."integration_id" = {readable.dialect.placeholder(1)}',
        integration_id,
    )
    read_time = readable.dialect.datetime
    return [NotedHint(row["space_id"], row["repository_name"], read_time(row["noted_at"])) for row in rows]


async def settle_hints(transaction: Transaction, hints: Sequence[NotedHint]) -> None:
    """Forget what was followed, unless it was said again since."""
    place = transaction.dialect.placeholder
    await transaction.execute_many(
        f'DELETE FROM "usage_hint" WHERE "space_id" = {place(1)} AND "repository_name" = {place(2)}'
        f' AND "noted_at" = {place(3)}',
        [(hint.space_id, hint.repository_name, hint.noted_at) for hint in hints],
    )


async def has_hints(transaction: Transaction, integration_id: int) -> bool:
    """Return whether anything is noted of an integration."""
    rows = await transaction.fetch(
        'SELECT 1 FROM "usage_hint" h JOIN "space" s ON s."id" = h."space_id"'
        f' WHERE s."integration_id" = {transaction.dialect.placeholder(1)} LIMIT 1',
        integration_id,
    )
    return bool(rows)
