"""What registries and spaces hold, and held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import strawberry

from models.queries.usage import Span
from models.records import IntegrationRecord, UsagePointRecord
from resolvers.context import Info
from resolvers.loading import Loader
from resolvers.public_errors import bad_input
from resolvers.usage_loaders import HistoryWanted
from schema.enums import UsageMethod, UsageResolution
from schema.node import MOST_ITEMS
from schema.scalars import ByteSize, Count

MOST_STEPS = 400

STEPS = {
    UsageResolution.FIVE_MINUTES: timedelta(minutes=5),
    UsageResolution.HOUR: timedelta(hours=1),
    UsageResolution.DAY: timedelta(days=1),
}
SPANS = {
    UsageResolution.FIVE_MINUTES: timedelta(days=1),
    UsageResolution.HOUR: timedelta(days=7),
    UsageResolution.DAY: timedelta(days=30),
}
"""How far back a history begins where that is left out."""


@strawberry.type(
    description="What something holds, as it was measured. Figures of different methods can't be compared."
)
class Usage:
    """The usage of an integration or a space."""

    space_count: Count = strawberry.field(description="How many spaces.")
    repository_count: Count | None = strawberry.field(description="How many repositories.")
    artifact_count: Count | None = strawberry.field(description="How many artifacts, where that is known.")
    storage_bytes: ByteSize | None = strawberry.field(
        description="How much is stored, measured by `method`; null where that isn't known."
    )
    quota_used_bytes: ByteSize | None = strawberry.field(
        description="How much counts against the quota; of a registry, against those of all its spaces."
    )
    quota_limit_bytes: ByteSize | None = strawberry.field(description="The quota; null where there is no limit.")
    method: UsageMethod = strawberry.field(description="How it was measured what is stored.")
    growth_bytes_per_week: ByteSize | None = strawberry.field(
        description="By how much more was stored than a week before, negative for less; null in the first week."
    )
    measured_at: datetime = strawberry.field(description="When the measuring began that found what is stored.")
    is_stale: bool = strawberry.field(description="Whether the registry could not be measured when it was due since.")


@strawberry.type(description="What something held from a moment on, until the next point.")
class UsagePoint:
    """A point of a history."""

    measured_at: datetime = strawberry.field(description="From when on.")
    repository_count: Count | None = strawberry.field(description="How many repositories.")
    artifact_count: Count | None = strawberry.field(description="How many artifacts, where that is known.")
    storage_bytes: ByteSize | None = strawberry.field(description="How much was stored.")
    quota_used_bytes: ByteSize | None = strawberry.field(description="How much counted against the quota.")


def usage_history(loader_class: type[Loader[HistoryWanted, Any]], *, description: str) -> Any:
    """Declare a field: what an integration or a space held; null to those who may not know."""

    async def resolve(
        root: Any,
        info: Info,
        from_: Annotated[
            datetime | None,
            strawberry.argument(
                name="from",
                description="From when on: by default a day, a week or 30 days before `to`, by the resolution. "
                "The first point may be from before: it tells what was held then.",
            ),
        ] = None,
        to: Annotated[datetime | None, strawberry.argument(description="Until when; by default now.")] = None,
        resolution: Annotated[
            UsageResolution, strawberry.argument(description="In what steps, 400 of them at most.")
        ] = UsageResolution.DAY,
    ) -> list[UsagePointRecord] | None:
        if isinstance(root, IntegrationRecord) and not info.context.scope.administers(root.workspace_id):
            return None
        step = STEPS[resolution]
        # To the end of the step that goes on now: the answer is then the same for that long.
        end = _end_of_step(info.context.services.clock(), step) if to is None else to
        start = _before(end, SPANS[resolution]) if from_ is None else from_
        if start >= end:
            raise bad_input("`from` must be before `to`.")
        if end - start > MOST_STEPS * step:
            raise bad_input(f"A history has {MOST_STEPS} steps at most: ask for a shorter time, or in larger steps.")
        wanted = HistoryWanted(root.id, Span(start, end, step))
        found: list[UsagePointRecord] = await info.context.loader(loader_class).load(wanted)
        return found

    return strawberry.field(resolver=resolve, description=description, metadata={MOST_ITEMS: MOST_STEPS})


_BEGINNING = datetime.min.replace(tzinfo=UTC)


def _before(moment: datetime, by: timedelta) -> datetime:
    return moment - by if moment - _BEGINNING > by else _BEGINNING


def _end_of_step(now: datetime, step: timedelta) -> datetime:
    return _BEGINNING + ((now - _BEGINNING) // step + 1) * step
