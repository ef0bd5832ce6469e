"""What a viewer may see of each kind of thing: one filter each."""

from __future__ import annotations

from models.enums import ADMINISTRATORS_EVENT_TYPES, EventType
from models.queries.events import EventConditions
from services.viewer import Viewer


def visible_events(
    viewer: Viewer, types: tuple[EventType, ...] | None, integration_ids: tuple[int, ...] | None
) -> EventConditions:
    """Return the conditions of events that a viewer asks for and may see."""
    hidden = () if viewer.is_platform_admin else tuple(sorted(ADMINISTRATORS_EVENT_TYPES))
    return EventConditions(types=types, hidden_types=hidden, integration_ids=integration_ids)
