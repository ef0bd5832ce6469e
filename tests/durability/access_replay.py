"""What is true, as the events tell it from the first one on, and as the tables hold it: the two must be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.database import Database
from models.enums import EventType, SpaceState, Visibility
from models.queries.events import events_behind
from models.records import EventRecord

Fact = tuple[Any, ...]
"""What is told of: a kind of thing, and which."""

EVENTS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class IntegrationFacts:
    """A registry, and the workspace that brought it; None for the platform's."""

    name: str
    workspace_id: int | None


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """A space."""

    integration_id: int
    name: str
    visibility: Visibility
    state: SpaceState


@dataclass(frozen=True, slots=True)
class BindingFacts:
    """A binding that was not taken away."""

    space_id: int
    workspace_id: int
    is_suspended: bool = False


@dataclass(slots=True)
class AccessState:
    """Everything that decides who may pull what, by id; namespaces by cluster and name, with whose they are."""

    integrations: dict[int, IntegrationFacts] = field(default_factory=dict)
    spaces: dict[int, SpaceFacts] = field(default_factory=dict)
    workspaces: dict[int, str] = field(default_factory=dict)
    namespaces: dict[tuple[str, str], int] = field(default_factory=dict)
    bindings: dict[int, BindingFacts] = field(default_factory=dict)
    tokens: set[int] = field(default_factory=set)


def replay(events: Iterable[EventRecord]) -> AccessState:
    """Return what the events make true, one after the other. Fails where one can't follow those before it."""
    state = AccessState()
    for event in events:
        try:
            _take_in(state, event)
        except (AssertionError, KeyError) as error:
            raise AssertionError(f"{event} does not follow what was told before") from error
    return state


def _take_in(state: AccessState, event: EventRecord) -> None:
    family = event.type.value.partition("_")[0]
    match family:
        case "INTEGRATION":
            _take_in_integration(state, event)
        case "SPACE":
            _take_in_space(state, event)
        case "WORKSPACE":
            _take_in_workspace(state, event)
        case "NAMESPACE":
            _take_in_namespace(state, event)
        case "BINDING":
            _take_in_binding(state, event)
        case "ACCESS":
            if event.type is EventType.ACCESS_TOKEN_CREATED:
                state.tokens.add(event.data["access_token_id"])
            else:
                state.tokens.remove(event.data["access_token_id"])


def _take_in_integration(state: AccessState, event: EventRecord) -> None:
    id_ = _of(event.integration_id)
    if event.type is EventType.INTEGRATION_REMOVED:
        del state.integrations[id_]
        state.spaces = {key: space for key, space in state.spaces.items() if space.integration_id != id_}
        assert all(binding.space_id in state.spaces for binding in state.bindings.values()), "bindings to nothing"
        return
    assert (id_ in state.integrations) == (event.type is not EventType.INTEGRATION_ADDED), "made twice, or never"
    state.integrations[id_] = IntegrationFacts(event.data["integration_name"], event.workspace_id)


def _take_in_space(state: AccessState, event: EventRecord) -> None:
    id_ = _of(event.space_id)
    known = state.spaces.get(id_)
    if event.type is EventType.SPACE_DELETED:
        # One that was only declared is forgotten.
        assert all(binding.space_id != id_ for binding in state.bindings.values()), "bindings to nothing"
        assert known is not None, "never there"
        assert known.state is SpaceState.DECLARED, "it had images"
        del state.spaces[id_]
        return
    visibility = Visibility(event.data["visibility"])
    match event.type:
        case EventType.SPACE_ADDED:
            assert known is None or known.state is not SpaceState.PRESENT, "was there"
            new_state = SpaceState.PRESENT
        case EventType.SPACE_DECLARED:
            assert known is None or known.state is SpaceState.VANISHED, "was there"
            new_state = SpaceState.DECLARED
        case EventType.SPACE_VANISHED:
            assert known is not None, "never there"
            assert known.state is SpaceState.PRESENT, "wasn't there"
            new_state = SpaceState.VANISHED
        case _:
            assert known is not None, "never there"
            assert known.visibility is not visibility, "nothing changed"
            new_state = known.state
    integration_id = _of(event.integration_id)
    assert integration_id in state.integrations, "a space of nothing"
    state.spaces[id_] = SpaceFacts(integration_id, event.data["space_name"], visibility, new_state)


def _take_in_workspace(state: AccessState, event: EventRecord) -> None:
    id_ = _of(event.workspace_id)
    if event.type is EventType.WORKSPACE_DELETED:
        del state.workspaces[id_]
        assert id_ not in state.namespaces.values(), "namespaces of nothing"
        assert all(binding.workspace_id != id_ for binding in state.bindings.values()), "bindings to nothing"
        return
    # One that was being deleted stands again with an update.
    assert event.type is EventType.WORKSPACE_UPDATED or id_ not in state.workspaces, "made twice"
    state.workspaces[id_] = event.data["workspace_name"]


def _take_in_namespace(state: AccessState, event: EventRecord) -> None:
    id_, name = _of(event.workspace_id), (event.data["cluster"], event.data["namespace_name"])
    assert id_ in state.workspaces, "a namespace of nothing"
    if event.type is EventType.NAMESPACE_ADDED:
        assert name not in state.namespaces, "given twice"
        state.namespaces[name] = id_
    else:
        assert state.namespaces.pop(name) == id_, "taken from another"


def _take_in_binding(state: AccessState, event: EventRecord) -> None:
    id_, space_id, workspace_id = event.data["binding_id"], _of(event.space_id), _of(event.workspace_id)
    assert workspace_id in state.workspaces, "bound to nothing"
    space = state.spaces[space_id]
    if event.type is EventType.BINDING_CREATED:
        pairs = {(binding.space_id, binding.workspace_id) for binding in state.bindings.values()}
        assert id_ not in state.bindings, "bound twice"
        assert (space_id, workspace_id) not in pairs, "bound twice"
        assert space.state is not SpaceState.VANISHED, "bound to what is gone"
        state.bindings[id_] = BindingFacts(space_id, workspace_id)
        return
    known = state.bindings.pop(id_)
    assert (known.space_id, known.workspace_id) == (space_id, workspace_id), "another binding"
    if event.type is EventType.BINDING_REVOKED:
        return
    is_suspended = event.type is EventType.BINDING_SUSPENDED
    assert known.is_suspended != is_suspended, "nothing changed"
    assert is_suspended == (space.state is SpaceState.VANISHED), "not as its space"
    state.bindings[id_] = BindingFacts(space_id, workspace_id, is_suspended)


def _of(id_: int | None) -> int:
    assert id_ is not None, "the event tells of nothing"
    return id_


def told_of(event: EventRecord) -> tuple[Fact, Any] | None:
    """Return what an event of somebody's doing says is so from then on; None where it says no such thing."""
    data, is_gone = event.data, event.type.value.endswith(("_DELETED", "_REMOVED", "_REVOKED"))
    match event.type.value.partition("_")[0]:
        case "INTEGRATION":
            return ("integration", event.integration_id), None if is_gone else data["integration_name"]
        case "SPACE" if event.type is not EventType.SPACE_VANISHED:
            return ("space", event.space_id), None if is_gone else data["visibility"]
        case "WORKSPACE":
            return ("workspace", event.workspace_id), None if is_gone else data["workspace_name"]
        case "NAMESPACE":
            return ("namespace", data["cluster"], data["namespace_name"]), None if is_gone else event.workspace_id
        case "BINDING" if event.type in (EventType.BINDING_CREATED, EventType.BINDING_REVOKED):
            return ("binding", data["binding_id"]), not is_gone or None
        case "ACCESS":
            return ("token", data["access_token_id"]), not is_gone or None
    return None


def histories(events: Iterable[EventRecord]) -> Mapping[Fact, list[tuple[datetime, Any]]]:
    """Return since when each fact was as it was, in order; before the first it was not."""
    found: dict[Fact, list[tuple[datetime, Any]]] = {}
    for event in events:
        told = told_of(event)
        if told is None:
            continue
        history = found.setdefault(told[0], [])
        if not history or history[-1][1] != told[1]:
            history.append((event.occurred_at, told[1]))
    return found


async def all_events(database: Database) -> list[EventRecord]:
    """Return every event there is, in order."""
    events: list[EventRecord] = []
    while batch := await events_behind(database, events[-1].position if events else 0, EVENTS_AT_ONCE):
        events += batch
    return events


async def stored_state(database: Database) -> AccessState:
    """Return what the tables hold. A workspace that is being deleted counts as gone, as its event says."""
    integrations = await database.fetch('SELECT "id", "name", "workspace_id" FROM "integration"')
    spaces = await database.fetch('SELECT "id", "integration_id", "name", "visibility", "state" FROM "space"')
    workspaces = await database.fetch('SELECT "id", "name" FROM "workspace" WHERE "deleted_at" IS NULL')
    namespaces = await database.fetch('SELECT "cluster", "name", "workspace_id" FROM "namespace"')
    bindings = await database.fetch(
        'SELECT b."id", b."space_id", b."workspace_id", s."state" FROM "binding" b'
        ' JOIN "space" s ON s."id" = b."space_id" WHERE b."revoked_at" IS NULL'
    )
    tokens = await database.fetch('SELECT "id" FROM "access_token" WHERE "revoked_at" IS NULL')
    return AccessState(
        integrations={row["id"]: IntegrationFacts(row["name"], row["workspace_id"]) for row in integrations},
        spaces={
            row["id"]: SpaceFacts(
                row["integration_id"], row["name"], Visibility(row["visibility"]), SpaceState(row["state"])
            )
            for row in spaces
        },
        workspaces={row["id"]: row["name"] for row in workspaces},
        namespaces={(row["cluster"], row["name"]): row["workspace_id"] for row in namespaces},
        bindings={
            row["id"]: BindingFacts(row["space_id"], row["workspace_id"], row["state"] == SpaceState.VANISHED)
            for row in bindings
        },
        tokens={row["id"] for row in tokens},
    )
