"""Giving spaces to workspaces and taking them back: what it takes, and what it answers."""

from __future__ import annotations

import strawberry

from schema.binding import Binding
from schema.loss import LosingPayload
from schema.node import MOST_ITEMS
from schema.payloads import Payload
from services.binding import MOST_BINDINGS, MOST_PAIRS


@strawberry.input(description="Spaces to give to workspaces: each of the spaces to each of the workspaces.")
class BindSpacesInput:
    """What bindSpaces takes."""

    space_ids: list[strawberry.ID] = strawberry.field(description="Which spaces.")
    workspace_ids: list[strawberry.ID] = strawberry.field(
        description="To which workspaces. There may be 100 pairs of space and workspace at most."
    )


@strawberry.input(description="Bindings to take back.")
class UnbindSpacesInput:
    """What unbindSpaces takes."""

    binding_ids: list[strawberry.ID] = strawberry.field(description="Which bindings, 100 at most.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be lost.")


@strawberry.type(description="What bindSpaces answers.")
class BindSpacesPayload(Payload):
    """bindSpaces."""

    bindings: list[Binding] | None = strawberry.field(
        default=None,
        metadata={MOST_ITEMS: MOST_PAIRS},
        description="A binding for each pair, whether it was new or not; null when nothing was bound. That a space is"
        " public, so that its binding changes nothing today, stands in `enforcement`.",
    )


@strawberry.type(description="What unbindSpaces answers.")
class UnbindSpacesPayload(LosingPayload):
    """unbindSpaces."""

    bindings: list[Binding] | None = strawberry.field(
        default=None,
        metadata={MOST_ITEMS: MOST_BINDINGS},
        description="Those that stand until it is confirmed everywhere that they are gone; in a dry run, all.",
    )
    removed_binding_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The ids of those that are gone."
    )
