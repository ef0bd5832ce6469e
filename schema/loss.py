"""What is lost when something is taken away."""

from __future__ import annotations

from typing import Any

import strawberry

from resolvers.loading import loaded
from resolvers.workspace_loaders import BindingByIdLoader
from schema.binding import Binding
from schema.node import MOST_ITEMS
from schema.payloads import Payload
from schema.workspace import Namespace
from services.losses import MOST_LISTED, Losses


@strawberry.type(description="A namespace that can no longer pull some images, unless something else lets it.")
class Loss:
    """One loss."""

    namespace: Namespace = strawberry.field(description="Who loses.")
    image_prefix: str = strawberry.field(description="What the names of the images begin with.")
    keeps_access_by: Binding | None = loaded(
        BindingByIdLoader,
        key="keeps_access_by_id",
        description="The binding that still lets it pull: then nothing is lost here after all.",
    )
    keeps_access_as_public: bool = strawberry.field(
        description="Whether the space is public: then nothing is lost here today."
    )


@strawberry.interface(description="What every mutation that takes something away answers, in a dry run too.")
class LosingPayload(Payload):
    """The losses beside the thing."""

    losses: list[Loss] = strawberry.field(
        default_factory=list,
        metadata={MOST_ITEMS: MOST_LISTED},
        description=f"Who loses access to what, by image prefix; the first {MOST_LISTED:,} of them.",
    )
    loss_count: int = strawberry.field(default=0, description="How many losses there are in all.")


def losing(losses: Losses) -> dict[str, Any]:
    """Return the part of a payload that tells the losses."""
    return {"losses": list(losses.listed), "loss_count": losses.count}
