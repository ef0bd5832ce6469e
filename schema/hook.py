"""Where a registry sends its notifications."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.records import HookRecord
from registry_clients.kind import RegistryKind
from registry_clients.notifications import NOTIFICATION_FORMATS, NotificationFormat
from resolvers.context import Info
from schema.scalars import URL


def _format(record: HookRecord) -> NotificationFormat:
    return NOTIFICATION_FORMATS[RegistryKind(record.registry_kind.value)]


def _url(root: strawberry.Parent[HookRecord], info: Info) -> URL:
    return URL(f"{info.context.server_address}/hooks/{_format(root).name}/{root.public_id}")


def _configuration(root: strawberry.Parent[HookRecord], info: Info) -> str:
    return _format(root).configuration_for(_url(root, info))


@strawberry.type(
    description="How a registry tells this server of its changes at once. Without that they are seen within minutes."
)
class HookSetup:
    """A hook."""

    url: URL = strawberry.field(
        resolver=_url,
        description="Where it is to post its notifications. Without INTEGRATED_REGISTRY_PUBLIC_URL this is the address"
        " that the server listens on, of use to a registry on the same machine alone.",
    )
    configuration: str = strawberry.field(
        resolver=_configuration,
        description="What its owner adds to its configuration (YAML). The secret of `rotateHookSecret` goes where"
        " PASTE-THE-SECRET-HERE stands.",
    )
    has_secret: bool = strawberry.field(
        description="Whether it has a secret. Until `rotateHookSecret` made one, nothing is taken."
    )
    last_received_at: datetime | None = strawberry.field(
        description="When something came from it, to the minute; null when nothing ever did."
    )
