"""Events of what two workspaces and the platform have: of each sort, for each of those whom it may be of."""

from __future__ import annotations

from datetime import datetime

from models.database import NewEvent
from models.enums import ADMINISTRATORS_EVENT_TYPES, EventType
from tests.tenants import GONE_ID, SPACES, Tenants, brought_by

Happened = list[tuple[NewEvent, str | None, str | None]]
"""Events, each with the names of the workspace and the space that it is of."""


def happened(tenants: Tenants) -> Happened:
    """Return an event of each sort that there is for each of those whom it may be of."""
    now = tenants.server.services.clock()
    of_spaces: Happened = [
        (tenants.space_event(space, now, type_), brought_by(SPACES[space][0]), space)
        for space in SPACES
        for type_ in (EventType.SPACE_ADDED, EventType.IMAGE_PUSHED, EventType.TAG_CHANGED)
    ]
    data = {"access_token_id": GONE_ID, "name": "a token", "role": "PLATFORM_ADMIN", "by": "the test"}
    of_administrators: Happened = [
        (NewEvent(type_, now, None, data), None, None) for type_ in sorted(ADMINISTRATORS_EVENT_TYPES)
    ]
    return of_spaces + of_administrators + of_integrations(tenants, now) + of_workspaces(tenants, now)


def of_integrations(tenants: Tenants, now: datetime) -> Happened:
    """Return events of integrations, of one that is gone too, and of spaces that are gone."""
    events: Happened = []
    for integration in ("gone", *tenants.integrations):
        workspace = brought_by(integration)
        data = {"integration_name": integration, "by": "the test"}
        key, owner = tenants.integrations.get(integration, GONE_ID), tenants.workspaces.get(workspace or "")
        events += [
            (NewEvent(type_, now, key, data, workspace_id=owner), workspace, None)
            for type_ in (EventType.INTEGRATION_UPDATED, EventType.INTEGRATION_REMOVED)
        ]
        # Of a space that is gone, nothing says any more who might have seen it.
        data = data | {"space_name": "gone", "visibility": "PUBLIC"}
        gone = NewEvent(EventType.SPACE_ADDED, now, key, data, workspace_id=owner, space_id=GONE_ID)
        events.append((gone, workspace, "gone"))
    return events


def of_workspaces(tenants: Tenants, now: datetime) -> Happened:
    """Return events of workspaces and of bindings."""
    events: Happened = []
    for workspace, key in tenants.workspaces.items():
        data = {"workspace_name": workspace, "by": "the test"}
        events.append((NewEvent(EventType.WORKSPACE_UPDATED, now, None, data, workspace_id=key), workspace, None))
    for space, workspace in tenants.bindings:
        integration = SPACES[space][0]
        data = {"integration_name": integration, "space_name": space, "workspace_name": workspace, "by": "the test"}
        bound = NewEvent(
            EventType.BINDING_CREATED,
            now,
            tenants.integrations[integration],
            data,
            workspace_id=tenants.workspaces[workspace],
            space_id=tenants.spaces[space],
        )
        events.append((bound, workspace, None))
    return events
