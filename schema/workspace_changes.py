"""Changing workspaces: what it takes, and what it answers."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.loss import LosingPayload
from schema.node import MOST_ITEMS
from schema.payloads import Payload
from schema.pull_access import NamespaceRef
from schema.workspace import Namespace, Workspace
from services.left_out import LEFT_OUT, Left
from services.workspace_input import MOST_NAMESPACES, NamespaceName
from services.workspaces import WorkspaceInput


@strawberry.input(description="A label: a key and a value, as Kubernetes takes them.")
class LabelInput:
    """A label."""

    key: str = strawberry.field(description="name or prefix/name; unique on the thing.")
    value: str = strawberry.field(default="", description="May be empty.")


@strawberry.input(description="A workspace to make.")
class CreateWorkspaceInput:
    """What createWorkspace takes."""

    name: str = strawberry.field(description="What to call it; unique, 100 characters at most.")
    external_id: str | None = strawberry.field(
        default=None, description="The platform's own id of it; unique, 255 characters at most."
    )
    labels: list[LabelInput] | None = strawberry.field(default=None, description="What to put on it.")

    def to_service(self) -> WorkspaceInput:
        """Return it as the services take it."""
        return WorkspaceInput(name=self.name, external_id=self.external_id, labels=_labels(self.labels))


@strawberry.input(description="What to change. What is left out stays; an explicit null empties.")
class UpdateWorkspaceInput:
    """What updateWorkspace takes."""

    id: strawberry.ID = strawberry.field(description="Which workspace.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its new name.")
    external_id: str | None = strawberry.field(default=strawberry.UNSET, description="Its new external id; null: none.")
    labels: list[LabelInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All of its labels; null or empty: none."
    )
    expected_updated_at: datetime | None = strawberry.field(
        default=None, description="Its `updatedAt` as you read it: refused if it was changed since."
    )

    def to_service(self) -> WorkspaceInput:
        """Return it as the services take it."""
        return WorkspaceInput(
            name=_name(self.name),
            external_id=LEFT_OUT if self.external_id is strawberry.UNSET else self.external_id,
            labels=_labels(self.labels),
            expected_updated_at=self.expected_updated_at,
        )


@strawberry.input(
    description="What the workspace of an external id is to be: made if there is none. The same again changes nothing."
)
class UpsertWorkspaceInput:
    """What upsertWorkspace takes."""

    external_id: str = strawberry.field(description="The platform's own id of it, 255 characters at most.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its name. May be left out for one that is there: then it stays."
    )
    labels: list[LabelInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All of its labels; null or empty: none. Left out, they stay."
    )
    namespaces: list[NamespaceRef] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All of its namespaces, 1,000 at most: what is missing here is taken away; null or empty: none."
        " Left out, they stay.",
    )
    expected_updated_at: datetime | None = strawberry.field(
        default=None, description="Its `updatedAt` as you read it: refused if it was changed since."
    )
    dry_run: bool = strawberry.field(default=False, description="Only say what would be lost.")

    def to_service(self) -> WorkspaceInput:
        """Return it as the services take it."""
        namespaces: list[NamespaceName] | Left = LEFT_OUT
        if self.namespaces is not strawberry.UNSET:
            namespaces = [each.to_service() for each in self.namespaces or []]
        return WorkspaceInput(
            name=_name(self.name),
            labels=_labels(self.labels),
            namespaces=namespaces,
            expected_updated_at=self.expected_updated_at,
        )


@strawberry.input(description="A workspace to delete, with its namespaces, bindings and access tokens.")
class DeleteWorkspaceInput:
    """What deleteWorkspace takes."""

    id: strawberry.ID = strawberry.field(description="Which workspace.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be lost.")


@strawberry.input(description="Namespaces to give to a workspace.")
class AddNamespacesInput:
    """What addNamespaces takes."""

    workspace_id: strawberry.ID = strawberry.field(description="To which workspace.")
    namespaces: list[NamespaceRef] = strawberry.field(
        description="Which namespaces, 1,000 at most. They must belong to no other workspace."
    )


@strawberry.input(description="Namespaces to take from a workspace.")
class RemoveNamespacesInput:
    """What removeNamespaces takes."""

    workspace_id: strawberry.ID = strawberry.field(description="From which workspace.")
    namespaces: list[NamespaceRef] = strawberry.field(description="Which namespaces, 1,000 at most.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be lost.")


def _workspace() -> Workspace | None:
    field: Workspace | None = strawberry.field(default=None, description="The workspace; null when it was not done.")
    return field


@strawberry.type(description="What createWorkspace answers.")
class CreateWorkspacePayload(Payload):
    """createWorkspace."""

    workspace: Workspace | None = _workspace()


@strawberry.type(description="What updateWorkspace answers.")
class UpdateWorkspacePayload(Payload):
    """updateWorkspace."""

    workspace: Workspace | None = _workspace()


@strawberry.type(description="What upsertWorkspace answers.")
class UpsertWorkspacePayload(LosingPayload):
    """upsertWorkspace."""

    workspace: Workspace | None = strawberry.field(
        default=None, description="The workspace; in a dry run as it is, and null for one that would be made."
    )
    is_created: bool | None = strawberry.field(default=None, description="Whether it was made, or would be.")


@strawberry.type(description="What deleteWorkspace answers.")
class DeleteWorkspacePayload(LosingPayload):
    """deleteWorkspace."""

    workspace: Workspace | None = strawberry.field(
        default=None, description="The workspace as it was, or, in a dry run, as it is."
    )


@strawberry.type(description="What addNamespaces answers.")
class AddNamespacesPayload(Payload):
    """addNamespaces."""

    workspace: Workspace | None = _workspace()
    namespaces: list[Namespace] | None = strawberry.field(
        default=None,
        metadata={MOST_ITEMS: MOST_NAMESPACES},
        description="The namespaces that were named, whether they were new or not.",
    )


@strawberry.type(description="What removeNamespaces answers.")
class RemoveNamespacesPayload(LosingPayload):
    """removeNamespaces."""

    workspace: Workspace | None = _workspace()
    namespaces: list[Namespace] | None = strawberry.field(
        default=None,
        metadata={MOST_ITEMS: MOST_NAMESPACES},
        description="The namespaces as they were, or, in a dry run, as they are.",
    )


def _name(given: str | None) -> str | Left:
    # Null can't empty a name: the rule for names says so, as for an empty text.
    return LEFT_OUT if given is strawberry.UNSET else given or ""


def _labels(given: list[LabelInput] | None) -> list[tuple[str, str]] | Left:
    return LEFT_OUT if given is strawberry.UNSET else [(label.key, label.value) for label in given or []]
