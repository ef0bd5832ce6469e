"""Workspaces and their namespaces: types, filter and order."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.queries.bindings import OLDEST_FIRST, BindingConditions
from models.queries.spaces import BY_NAME as SPACES_BY_NAME
from models.queries.workspaces import BY_CREATION, BY_NAME, NAMESPACES_BY_CREATION, WorkspaceConditions
from models.reading import Order
from models.records import NamespaceRecord, WorkspaceRecord
from resolvers.context import RequestContext
from resolvers.loading import loaded
from resolvers.paging import page_request
from resolvers.workspace_loaders import (
    BindingOfWorkspacePageLoader,
    BindingOfWorkspaceTotalLoader,
    NamespacePageLoader,
    NamespaceTotalLoader,
    PullableSpacePageLoader,
    PullableSpaceTotalLoader,
    WorkspaceByIdLoader,
)
from schema.arguments import checked_text, checked_texts
from schema.connection import After, Connection, First, ListRequest, nested_list
from schema.enums import OrderDirection, describe
from schema.node import Node, RecordBacked
from schema.ordering import directed
from schema.space import Space, SpaceFilter, space_conditions

if TYPE_CHECKING:
    from schema.binding import Binding


def every_part(statement: object) -> tuple[str, ...]:
    """Return no condition."""
    return ()


@strawberry.type(description="A namespace of a Kubernetes cluster. It belongs to one workspace at most.")
class Namespace(RecordBacked, Node):
    """A namespace."""

    record = NamespaceRecord

    workspace: Workspace | None = loaded(
        WorkspaceByIdLoader, key="workspace_id", description="Whose it is; null when that was deleted meanwhile."
    )
    cluster: str = strawberry.field(description="The cluster's name.")
    name: str = strawberry.field(description="Its name there.")
    created_at: datetime = strawberry.field(description="When it was given to the workspace.")


@strawberry.type(description="A key and a value that somebody put on a thing.")
class Label:
    """A label."""

    key: str = strawberry.field(description="Unique on the thing.")
    value: str = strawberry.field(description="May be empty.")


def _labels(root: strawberry.Parent[WorkspaceRecord]) -> list[Label]:
    return [Label(key=key, value=value) for key, value in sorted(root.labels.items())]


def _namespaces(context: RequestContext, first: First = None, after: After = None) -> ListRequest:
    return ListRequest(every_part, page_request(first, after, NAMESPACES_BY_CREATION))


def _bindings(context: RequestContext, first: First = None, after: After = None) -> ListRequest:
    return ListRequest(BindingConditions(context.scope.sight), page_request(first, after, OLDEST_FIRST))


def _spaces(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[  # noqa: A002 (the surface's word)
        SpaceFilter | None, strawberry.argument(description="Which spaces.")
    ] = None,
) -> ListRequest:
    return ListRequest(space_conditions(filter, context.scope.sight), page_request(first, after, SPACES_BY_NAME))


@strawberry.type(description="A tenant. Its namespaces may pull from the spaces that are bound to it.")
class Workspace(RecordBacked, Node):
    """A workspace."""

    record = WorkspaceRecord

    name: str = strawberry.field(description="What people call it; unique, whatever its case.")
    external_id: str | None = strawberry.field(description="The platform's own id of it, where it has one; unique.")
    labels: list[Label] = strawberry.field(resolver=_labels, description="What the platform put on it, by key.")
    namespaces: Connection[Namespace] = nested_list(
        _namespaces,
        NamespacePageLoader,
        NamespaceTotalLoader,
        description="Its Kubernetes namespaces, in the order in which they came.",
    )
    bindings: Connection[Annotated[Binding, strawberry.lazy("schema.binding")]] = nested_list(
        _bindings,
        BindingOfWorkspacePageLoader,
        BindingOfWorkspaceTotalLoader,
        description="The spaces that are given to it, in the order in which they came.",
    )
    spaces: Connection[Space] = nested_list(
        _spaces,
        PullableSpacePageLoader,
        PullableSpaceTotalLoader,
        description="What its namespaces may pull from: bound spaces and public ones, by name.",
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(
        description="When its name, external id or labels last changed. Give it as `expectedUpdatedAt` to change it"
        " safely."
    )
    deleted_at: datetime | None = strawberry.field(
        description="Since when it is being deleted: it stands until registries and clusters have confirmed that"
        " nothing is left of it."
    )


@strawberry.input(description="Which workspaces.")
class WorkspaceFilter:
    """What workspaces must meet."""

    text: str | None = strawberry.field(default=None, description="Part of the name, whatever its case.")
    external_ids: list[str] | None = strawberry.field(default=None, description="With one of these external ids.")


class WorkspaceOrderField(Enum):
    """What they can be sorted by."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"


describe(
    WorkspaceOrderField,
    "What workspaces can be sorted by.",
    {"NAME": "Their name.", "CREATED_AT": "When they were created."},
)


@strawberry.input(description="In which order.")
class WorkspaceOrder:
    """An order of workspaces."""

    field: WorkspaceOrderField = strawberry.field(description="Sorted by this.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="From this end.")


def workspace_conditions(context: RequestContext, given: WorkspaceFilter | None) -> WorkspaceConditions:
    """Return the conditions that a filter stands for, and that the viewer may see."""
    if given is None:
        return WorkspaceConditions(sight=context.scope.sight)
    return WorkspaceConditions(
        text=checked_text(given.text),
        external_ids=checked_texts(given.external_ids),
        sight=context.scope.sight,
    )


def workspace_order(given: WorkspaceOrder | None) -> Order:
    """Return the order that is asked for, by name where none is."""
    if given is None:
        return BY_NAME
    return directed(
        {WorkspaceOrderField.NAME: BY_NAME, WorkspaceOrderField.CREATED_AT: BY_CREATION}[given.field], given.direction
    )
