"""Spaces: types, filter and order."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from models.enums import RegistryKind as Kind
from models.queries.bindings import OLDEST_FIRST, BindingConditions
from models.queries.repositories import BY_NAME as REPOSITORIES_BY_NAME
from models.queries.sight import Sight
from models.queries.spaces import BY_CREATION, BY_NAME, STANDING, SpaceConditions
from models.reading import Order
from models.records import SpaceRecord
from resolvers.context import RequestContext
from resolvers.loaders import IntegrationByIdLoader, RepositoryPageLoader, RepositoryTotalLoader
from resolvers.loading import loaded
from resolvers.paging import page_request
from resolvers.usage_loaders import HistoryOfSpaceLoader, UsageBySpaceIdLoader
from resolvers.workspace_loaders import BindingOfSpacePageLoader, BindingOfSpaceTotalLoader
from schema.arguments import checked_text, keys_or_nothing
from schema.connection import After, Connection, First, ListRequest, nested_list
from schema.enums import OrderDirection, SpaceState, Visibility, describe
from schema.node import Node, RecordBacked
from schema.ordering import directed
from schema.repository import Repository, RepositoryFilter, repository_conditions
from schema.usage import Usage, UsagePoint, usage_history
from services.image_names import image_prefixes

if TYPE_CHECKING:
    from schema.binding import Binding
    from schema.integration import Integration


def _image_prefixes(root: strawberry.Parent[SpaceRecord]) -> list[str]:
    return image_prefixes(root.image_host, root.name, root.registry_kind)


def _is_visibility_enforced(root: strawberry.Parent[SpaceRecord]) -> bool:
    return root.registry_kind is Kind.HARBOR


def _repositories(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[  # noqa: A002 (the surface's word)
        RepositoryFilter | None, strawberry.argument(description="Which repositories.")
    ] = None,
) -> ListRequest:
    return ListRequest(repository_conditions(filter), page_request(first, after, REPOSITORIES_BY_NAME))


def _bindings(context: RequestContext, first: First = None, after: After = None) -> ListRequest:
    return ListRequest(BindingConditions(context.scope.sight), page_request(first, after, OLDEST_FIRST))


@strawberry.type(description="A part of a registry: a Harbor project, or the first segment of repository names.")
class Space(RecordBacked, Node):
    """A space of the mirror."""

    record = SpaceRecord

    integration: Annotated[Integration, strawberry.lazy("schema.integration")] = loaded(
        IntegrationByIdLoader, key="integration_id", required="integration", description="The registry that holds it."
    )
    name: str = strawberry.field(description="Its name at the registry.")
    visibility: Visibility = strawberry.field(description="Who may pull from it.")
    is_visibility_enforced: bool = strawberry.field(
        resolver=_is_visibility_enforced,
        description="Whether the registry holds it private by itself; false where it can't yet.",
    )
    image_prefixes: list[str] = strawberry.field(
        resolver=_image_prefixes, description="What the names of its images begin with."
    )
    repositories: Connection[Repository] = nested_list(
        _repositories,
        RepositoryPageLoader,
        RepositoryTotalLoader,
        description="Its repositories, by name, as they were at the last look.",
    )
    usage: Usage | None = loaded(
        UsageBySpaceIdLoader, key="id", description="What it holds, as last measured; null until it was."
    )
    usage_history: list[UsagePoint] | None = usage_history(
        HistoryOfSpaceLoader, description="What it held, oldest first: a point for each step in which that changed."
    )
    bindings: Connection[Annotated[Binding, strawberry.lazy("schema.binding")]] = nested_list(
        _bindings,
        BindingOfSpacePageLoader,
        BindingOfSpaceTotalLoader,
        description="To whom it is given, in the order in which they came, as far as you may see.",
    )
    state: SpaceState = strawberry.field(description="Whether it stands at the registry.")
    last_seen_at: datetime | None = strawberry.field(description="When it was last there.")
    created_at: datetime = strawberry.field(description="When it was first seen here.")


@strawberry.input(description="Which spaces.")
class SpaceFilter:
    """What spaces must meet."""

    text: str | None = strawberry.field(default=None, description="Part of the name, whatever its case.")
    integration_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Of these integrations.")
    visibilities: list[Visibility] | None = strawberry.field(default=None, description="With one of these.")
    states: list[SpaceState] | None = strawberry.field(
        default=None, description="In one of these; by default all but vanished ones."
    )


class SpaceOrderField(Enum):
    """What they can be sorted by."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"


describe(
    SpaceOrderField,
    "What spaces can be sorted by.",
    {"NAME": "Their name.", "CREATED_AT": "When they were first seen here."},
)


@strawberry.input(description="In which order.")
class SpaceOrder:
    """An order of spaces."""

    field: SpaceOrderField = strawberry.field(description="Sorted by this.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="From this end.")


def space_conditions(given: SpaceFilter | None, sight: Sight) -> SpaceConditions:
    """Return the conditions that a filter stands for, of what may be seen."""
    if given is None:
        return SpaceConditions(sight=sight)
    return SpaceConditions(
        text=checked_text(given.text),
        integration_ids=keys_or_nothing(given.integration_ids, "Integration"),
        visibilities=None if given.visibilities is None else tuple(given.visibilities),
        states=STANDING if given.states is None else tuple(given.states),
        sight=sight,
    )


def space_order(given: SpaceOrder | None) -> Order:
    """Return the order that is asked for, by name where none is."""
    if given is None:
        return BY_NAME
    return directed(
        {SpaceOrderField.NAME: BY_NAME, SpaceOrderField.CREATED_AT: BY_CREATION}[given.field], given.direction
    )
