"""Queries."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any, TypeVar, cast

import strawberry
from strawberry.tools import create_type

from models.queries.access_tokens import ACCESS_TOKENS, NEWEST_FIRST, every_token
from models.queries.events import AUDIT_EVENTS, EVENTS, NEWEST_AUDIT_FIRST, NEWEST_EVENT_FIRST
from models.queries.integrations import INTEGRATIONS, integration_by_name
from models.queries.spaces import SPACES, space_by_name
from models.queries.workspaces import WORKSPACES, workspace_by_name
from registry_clients.kinds import KIND_DESCRIPTIONS
from resolvers.context import RequestContext
from resolvers.global_ids import InvalidId, key_of, parse_global_id
from resolvers.loaders import (
    AccessTokenByIdLoader,
    AuditEventByIdLoader,
    IntegrationByIdLoader,
    RepositoryByIdLoader,
    SpaceByIdLoader,
)
from resolvers.loading import Loader
from resolvers.paging import page_request
from resolvers.permission import Access
from resolvers.public_errors import bad_input
from resolvers.workspace_loaders import BindingByIdLoader, NamespaceByIdLoader, WorkspaceByIdLoader
from schema.access_token import AccessToken, Viewer
from schema.arguments import MOST_IDS, checked_text
from schema.artifact_nodes import artifact_node
from schema.audit_event import AuditEvent, AuditFilter, audit_conditions
from schema.connection import After, Connection, First, connection
from schema.declaring import query
from schema.event import Event, EventFilter, event_conditions
from schema.image import ImageConnection, found
from schema.integration import (
    Integration,
    IntegrationFilter,
    IntegrationOrder,
    integration_conditions,
    integration_order,
)
from schema.node import Node, backed, backed_if_any
from schema.overview import Overview, OverviewRoot
from schema.pull_access import NamespaceRef, PullAccess, answered
from schema.server_info import RegistryKindInfo, ServerInfo
from schema.space import Space, SpaceFilter, SpaceOrder, space_conditions, space_order
from schema.workspace import (
    Workspace,
    WorkspaceFilter,
    WorkspaceOrder,
    workspace_conditions,
    workspace_order,
)

T = TypeVar("T")

NODE_LOADERS: dict[str, type[Loader[int, Any]]] = {
    "Integration": IntegrationByIdLoader,
    "Space": SpaceByIdLoader,
    "Repository": RepositoryByIdLoader,
    "Workspace": WorkspaceByIdLoader,
    "Namespace": NamespaceByIdLoader,
    "Binding": BindingByIdLoader,
    "AccessToken": AccessTokenByIdLoader,
    "AuditEvent": AuditEventByIdLoader,
}
"""How a stored node of each type is found; artifacts are asked of their registries."""


async def _node(context: RequestContext, node_id: str) -> Node | Exception | None:
    """Return a node; an exception is why a registry could not be asked for it."""
    try:
        type_name, key = parse_global_id(node_id)
    except InvalidId:
        return await artifact_node(context, node_id)
    loader_class = NODE_LOADERS.get(type_name)
    return None if loader_class is None else await _loaded(context, loader_class, Node, key)


async def _loaded(
    context: RequestContext, loader_class: type[Loader[int, Any]], type_: type[T], key: int | None
) -> T | None:
    if key is None:
        return None
    record = await context.loader(loader_class).load(key)
    return backed_if_any(type_, record)


@query(Access.EVERY_VIEWER, "Who you are to this server.")
def viewer(context: RequestContext) -> Viewer:
    """Return the viewer."""
    return backed(Viewer, context.viewer)


@query(Access.EVERY_VIEWER, "The thing with this id; null when there is none that you may see.")
async def node(
    context: RequestContext,
    id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],  # noqa: A002
) -> Node | None:
    """Return one node."""
    found = await _node(context, id)
    if isinstance(found, Exception):
        raise found
    return found


@query(Access.EVERY_VIEWER, "The things with these ids, in their order; null for what isn't there.")
async def nodes(
    context: RequestContext,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids; 100 at most.")],
) -> list[Node | None]:
    """Return several nodes; what a registry could not be asked for is an error in its place."""
    if len(ids) > MOST_IDS:
        raise bad_input(f"At most {MOST_IDS} ids can be given at once; there are {len(ids)}.")
    return cast("list[Node | None]", await asyncio.gather(*(_node(context, node_id) for node_id in ids)))


@query(Access.EVERY_VIEWER, "How much there is of everything, as far as you may see.")
def overview(context: RequestContext) -> Overview:
    """Return the overview."""
    return backed(Overview, OverviewRoot())


@query(Access.EVERY_VIEWER, "One integration, by its id or its name; null when there is none.")
async def integration(
    context: RequestContext,
    id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,  # noqa: A002
    name: Annotated[str | None, strawberry.argument(description="Its name, whatever its case.")] = None,
) -> Integration | None:
    """Return one integration."""
    if (id is None) == (name is None):
        raise bad_input("Give either the id or the name of an integration.")
    if id is not None:
        key = key_of(id, "Integration")
        return await _loaded(context, IntegrationByIdLoader, Integration, key)
    database = context.database
    record = await integration_by_name(database, checked_text(name) or "", context.scope.sight)
    return backed_if_any(Integration, record)


@query(Access.EVERY_VIEWER, "The registries that the platform knows.")
async def integrations(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[  # noqa: A002
        IntegrationFilter | None, strawberry.argument(description="Which integrations.")
    ] = None,
    order_by: Annotated[
        IntegrationOrder | None,
        strawberry.argument(description="In which order; by name where it is left out."),
    ] = None,
) -> Connection[Integration]:
    """Return a page of integrations."""
    conditions = integration_conditions(filter, context.scope.sight)
    request = page_request(first, after, integration_order(order_by))
    database = context.database
    page = await INTEGRATIONS.page(database, request, conditions)
    return connection(page, partial(INTEGRATIONS.count, database, conditions))


@query(Access.EVERY_VIEWER, "One space, by its id, or by its name at an integration; null when there is none.")
async def space(
    context: RequestContext,
    id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,  # noqa: A002
    integration: Annotated[
        strawberry.ID | None, strawberry.argument(description="The id of the integration, with the name.")
    ] = None,
    name: Annotated[str | None, strawberry.argument(description="Its name there.")] = None,
) -> Space | None:
    """Return one space."""
    if (id is None) == (integration is None) or (integration is None) != (name is None):
        raise bad_input("Give either the id of a space, or the integration and the name.")
    if id is not None:
        key = key_of(id, "Space")
        return await _loaded(context, SpaceByIdLoader, Space, key)
    key = key_of(integration or "", "Integration")
    if key is None:
        return None
    database = context.database
    record = await space_by_name(database, key, checked_text(name) or "", context.scope.sight)
    return backed_if_any(Space, record)


@query(Access.EVERY_VIEWER, "The spaces of all integrations.")
async def spaces(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[SpaceFilter | None, strawberry.argument(description="Which spaces.")] = None,  # noqa: A002
    order_by: Annotated[
        SpaceOrder | None, strawberry.argument(description="In which order; by name where it is left out.")
    ] = None,
) -> Connection[Space]:
    """Return a page of spaces."""
    conditions = space_conditions(filter, context.scope.sight)
    request = page_request(first, after, space_order(order_by))
    database = context.database
    page = await SPACES.page(database, request, conditions)
    return connection(page, partial(SPACES.count, database, conditions))


@query(Access.EVERY_VIEWER, "One workspace, by its id or its name; null when there is none that you may see.")
async def workspace(
    context: RequestContext,
    id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,  # noqa: A002
    name: Annotated[str | None, strawberry.argument(description="Its name, whatever its case.")] = None,
) -> Workspace | None:
    """Return one workspace."""
    if (id is None) == (name is None):
        raise bad_input("Give either the id or the name of a workspace.")
    if id is not None:
        return await _loaded(context, WorkspaceByIdLoader, Workspace, key_of(id, "Workspace"))
    database = context.database
    record = await workspace_by_name(database, checked_text(name) or "", context.scope.sight)
    return backed_if_any(Workspace, record)


@query(Access.EVERY_VIEWER, "The workspaces that you may see.")
async def workspaces(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[WorkspaceFilter | None, strawberry.argument(description="Which workspaces.")] = None,  # noqa: A002
    order_by: Annotated[
        WorkspaceOrder | None, strawberry.argument(description="In which order; by name where it is left out.")
    ] = None,
) -> Connection[Workspace]:
    """Return a page of workspaces."""
    conditions = workspace_conditions(context, filter)
    request = page_request(first, after, workspace_order(order_by))
    database = context.database
    page = await WORKSPACES.page(database, request, conditions)
    return connection(page, partial(WORKSPACES.count, database, conditions))


@query(
    Access.EVERY_VIEWER,
    "Whether a namespace may pull an image, and why or why not. What you may not see reads as if it weren't there.",
)
async def pull_access(
    context: RequestContext,
    namespace: Annotated[NamespaceRef, strawberry.argument(description="Which namespace.")],
    image: Annotated[str, strawberry.argument(description="The image as people write it: host/space/name:tag.")],
) -> PullAccess:
    """Decide."""
    return await answered(context, namespace, image)


@query(
    Access.EVERY_VIEWER,
    "Images by their names, over all registries, as they were at the last look: first those whose last segment begins "
    "with what is looked for, then whose whole name does, then another word of it; from three characters on, those too "
    "that hold it elsewhere. What begins with it is sorted by what follows, the rest by when it was first seen.",
)
async def images(
    context: RequestContext,
    query: Annotated[
        str,
        strawberry.argument(
            description="A part of the name, 200 characters at most, whatever its case. Or an image as people write "
            "it, host/space/name:tag: where one registry has that host, its images alone whose names begin so."
        ),
    ],
    namespace: Annotated[
        NamespaceRef | None,
        strawberry.argument(
            description="Only what this namespace may pull; one that you may not see is as if unknown."
        ),
    ] = None,
    first: First = None,
    after: After = None,
) -> ImageConnection:
    """Return a page of images."""
    return await found(context, query, namespace, first, after)


@query(Access.EVERY_VIEWER, "What has happened, newest first; kept for a week.")
async def events(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[EventFilter | None, strawberry.argument(description="Which events.")] = None,  # noqa: A002
) -> Connection[Event]:
    """Return a page of events."""
    conditions = event_conditions(context, filter)
    database = context.database
    page = await EVENTS.page(database, page_request(first, after, NEWEST_EVENT_FIRST), conditions)
    return connection(page, partial(EVENTS.count, database, conditions))


@query(Access.PLATFORM_ADMINISTRATORS, "Every mutation that somebody tried, newest first.")
async def audit_events(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[AuditFilter | None, strawberry.argument(description="Which rows.")] = None,  # noqa: A002
) -> Connection[AuditEvent] | None:
    """Return a page of the audit."""
    conditions = audit_conditions(filter)
    database = context.database
    page = await AUDIT_EVENTS.page(database, page_request(first, after, NEWEST_AUDIT_FIRST), conditions)
    return connection(page, partial(AUDIT_EVENTS.count, database, conditions))


@query(Access.PLATFORM_ADMINISTRATORS, "The access tokens, newest first, revoked and expired ones included.")
async def access_tokens(
    context: RequestContext, first: First = None, after: After = None
) -> Connection[AccessToken] | None:
    """Return a page of access tokens."""
    database = context.database
    page = await ACCESS_TOKENS.page(database, page_request(first, after, NEWEST_FIRST), every_token)
    return connection(page, partial(ACCESS_TOKENS.count, database, every_token))


@query(Access.EVERY_VIEWER, "What each kind of registry can do.")
def registry_kinds(context: RequestContext) -> list[RegistryKindInfo]:
    """Return the kinds."""
    return [backed(RegistryKindInfo, kind) for kind in KIND_DESCRIPTIONS.values()]


@query(Access.EVERY_VIEWER, "What the server says of itself.")
def server_info(context: RequestContext) -> ServerInfo:
    """Return the facts."""
    return backed(ServerInfo, context.services.facts)


Query = create_type(
    "Query",
    [
        viewer,
        node,
        nodes,
        overview,
        integration,
        integrations,
        space,
        spaces,
        workspace,
        workspaces,
        images,
        pull_access,
        events,
        audit_events,
        access_tokens,
        registry_kinds,
        server_info,
    ],
    description="What can be asked.",
)
