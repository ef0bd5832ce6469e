"""What mutations of integrations answer."""

from __future__ import annotations

import strawberry

from schema.enums import RegistryKind
from schema.integration import Integration
from schema.loss import LosingPayload
from schema.payloads import Payload


@strawberry.type(description="What a registry said of itself.")
class RegistryCheck:
    """What checkRegistry saw."""

    kind: RegistryKind = strawberry.field(description="What software it is.")
    version: str | None = strawberry.field(description="Its version, where it tells.")
    is_credential_verified: bool = strawberry.field(
        description="Whether the credential was put to the test; false where the registry asks for none."
    )
    space_count: int | None = strawberry.field(description="How many spaces it holds, where it tells.")


def _integration() -> Integration | None:
    field: Integration | None = strawberry.field(
        default=None, description="The integration; null when it was not done."
    )
    return field


@strawberry.type(description="What checkRegistry answers.")
class CheckRegistryPayload(Payload):
    """checkRegistry."""

    check: RegistryCheck | None = strawberry.field(
        default=None, description="What the registry said of itself; null when it can't be integrated."
    )


@strawberry.type(description="What integrateRegistry answers.")
class IntegrateRegistryPayload(Payload):
    """integrateRegistry."""

    integration: Integration | None = _integration()


@strawberry.type(description="What updateIntegration answers.")
class UpdateIntegrationPayload(Payload):
    """updateIntegration."""

    integration: Integration | None = _integration()


@strawberry.type(description="What rotateIntegrationCredential answers.")
class RotateIntegrationCredentialPayload(Payload):
    """rotateIntegrationCredential."""

    integration: Integration | None = _integration()


@strawberry.type(description="What rotateHookSecret answers.")
class RotateHookSecretPayload(Payload):
    """rotateHookSecret."""

    secret: str | None = strawberry.field(default=None, description="The secret. It is shown here and never again.")
    integration: Integration | None = _integration()


@strawberry.type(description="What removeIntegration answers.")
class RemoveIntegrationPayload(LosingPayload):
    """removeIntegration."""

    integration: Integration | None = strawberry.field(
        default=None, description="The integration as it was, or, in a dry run, as it is."
    )


@strawberry.type(description="What checkIntegration answers.")
class CheckIntegrationPayload(Payload):
    """checkIntegration."""

    integration: Integration | None = strawberry.field(
        default=None, description="The integration, with its health as it is now."
    )


@strawberry.type(description="What synchronizeIntegration answers.")
class SynchronizeIntegrationPayload(Payload):
    """synchronizeIntegration."""

    integration: Integration | None = _integration()
    added_space_count: int | None = strawberry.field(default=None, description="How many spaces were new.")
    vanished_space_count: int | None = strawberry.field(default=None, description="How many were gone.")
