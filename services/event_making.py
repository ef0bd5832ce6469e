"""Events in the making: each with the names as they were, and with whose it is, so that nobody else sees it."""

from __future__ import annotations

from datetime import datetime

from models.database import NewEvent
from models.enums import EventType
from models.integration import Integration


def integration_event(type_: EventType, occurred_at: datetime, integration: Integration, **data: object) -> NewEvent:
    """Return an event of an integration; of one that a workspace brought, it is the workspace's."""
    return NewEvent(
        type_,
        occurred_at,
        integration.id,
        {"integration_name": integration.name, **data},
        workspace_id=integration.workspace_id,
    )


def space_event(
    type_: EventType, occurred_at: datetime, integration: Integration, space_id: int, **data: object
) -> NewEvent:
    """Return an event of a space of an integration."""
    return NewEvent(
        type_,
        occurred_at,
        integration.id,
        {"integration_name": integration.name, **data},
        workspace_id=integration.workspace_id,
        space_id=space_id,
    )


def workspace_event(
    type_: EventType, occurred_at: datetime, workspace_id: int, workspace_name: str, by: str, **data: object
) -> NewEvent:
    """Return an event of a workspace, or of what belongs to it."""
    return NewEvent(
        type_, occurred_at, None, {"workspace_name": workspace_name, "by": by, **data}, workspace_id=workspace_id
    )
