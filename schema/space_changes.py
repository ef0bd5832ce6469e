"""Changing spaces: what it takes, and what it answers."""

from __future__ import annotations

import strawberry

from schema.enums import Visibility
from schema.loss import LosingPayload
from schema.node import MOST_ITEMS
from schema.payloads import Payload
from schema.scalars import ByteSize
from schema.space import Space
from services.space_input import MOST_SPACES


@strawberry.input(description="A space to make at a registry, or, where spaces are only found, to declare.")
class CreateSpaceInput:
    """What createSpace takes."""

    integration_id: strawberry.ID = strawberry.field(description="At which registry.")
    name: str = strawberry.field(
        description="Its name, by the registry's rules: lower-case letters, digits, and dots, dashes or underscores "
        "between them; 255 characters at most."
    )
    visibility: Visibility = strawberry.field(default=Visibility.PRIVATE, description="Who may pull from it.")
    storage_limit_bytes: ByteSize | None = strawberry.field(
        default=None,
        description="How much it may hold; left out, there is no limit. Only where the kind of registry has quotas.",
    )


@strawberry.input(description="Spaces to open to everybody, or to close.")
class SetSpaceVisibilityInput:
    """What setSpaceVisibility takes."""

    ids: list[strawberry.ID] = strawberry.field(description="Which spaces, each once, 100 at most.")
    visibility: Visibility = strawberry.field(description="Who is to pull from them.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be lost.")


@strawberry.input(description="A space to delete, or whose declaration to take back.")
class DeleteSpaceInput:
    """What deleteSpace takes."""

    id: strawberry.ID = strawberry.field(description="Which space.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be lost.")


@strawberry.type(description="What createSpace answers.")
class CreateSpacePayload(Payload):
    """createSpace."""

    space: Space | None = strawberry.field(default=None, description="The space; null when it was not made.")


@strawberry.type(description="What setSpaceVisibility answers.")
class SetSpaceVisibilityPayload(LosingPayload):
    """setSpaceVisibility."""

    spaces: list[Space] | None = strawberry.field(
        default=None,
        metadata={MOST_ITEMS: MOST_SPACES},
        description="Those of the spaces that are as you wanted them, in your order; in a dry run all, as they are. "
        "For each of the others there is an error. Null when nothing was tried.",
    )


@strawberry.type(description="What deleteSpace answers.")
class DeleteSpacePayload(LosingPayload):
    """deleteSpace."""

    space: Space | None = strawberry.field(
        default=None, description="The space as it was, or, in a dry run, as it is; null when it was not done."
    )
