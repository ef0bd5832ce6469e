"""When so much is missing at once that a look is doubted, and what is written then instead."""

from __future__ import annotations

from datetime import datetime

from models.database import Transaction
from models.enums import EventType, StaleReason
from models.integration import Integration
from services.event_making import integration_event

DOUBT_FROM_SPACES = 5
"""From this many spaces on, losing more than half of them at once is doubted; losing all of any number is."""

STALE_MESSAGE = (
    "{gone} of {standing} spaces were not there at the last look. "
    "The list is from before, until they are seen again or the loss is accepted."
)


async def doubt(
    transaction: Transaction, integration: Integration, looked_at: datetime, gone_count: int, standing_count: int
) -> None:
    """Write that a look was doubted, and tell of it, unless an earlier one is doubted still."""
    if integration.stale_since is not None:
        return
    message = STALE_MESSAGE.format(gone=gone_count, standing=standing_count)
    await Integration.filter(id=integration.id).update(
        stale_since=looked_at, stale_reason=StaleReason.MOST_SPACES_GONE, stale_message=message
    )
    transaction.events.append(integration_event(EventType.INTEGRATION_DOUBTED, looked_at, integration, message=message))


def is_doubtful(gone_count: int, standing_count: int) -> bool:
    """Return whether so many of those that stood are more than go at once."""
    if gone_count == 0:
        return False
    if gone_count == standing_count:
        return True
    return standing_count >= DOUBT_FROM_SPACES and gone_count * 2 > standing_count
