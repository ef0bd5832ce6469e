"""What mutations take."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums import RegistryKind, Role
from schema.scalars import URL
from services.left_out import LEFT_OUT
from services.registry_input import RegistryInput, TlsInput
from services.updating import IntegrationUpdate


@strawberry.input(description="Whom to trust at a registry. By default, the system's certificate authorities.")
class TlsSettingsInput:
    """TLS settings, as typed."""

    ca_certificate_pem: str | None = strawberry.field(
        default=None,
        description="Certificates to trust instead, PEM: of an authority, or the registry's own.",
    )
    is_verification_skipped: bool = strawberry.field(
        default=False,
        description="Take any certificate. Anybody on the way could then read the credential.",
    )

    def to_service(self) -> TlsInput:
        """Return it as the services take it."""
        return TlsInput(self.ca_certificate_pem, self.is_verification_skipped)


@strawberry.input(description="A registry to try, without saving anything.")
class CheckRegistryInput:
    """What checkRegistry takes."""

    kind: RegistryKind | None = strawberry.field(
        default=None, description="What software it is; left out, the server finds out."
    )
    url: URL = strawberry.field(description="Its address, such as https://registry.example.com.")
    username: str | None = strawberry.field(default=None, description="With the password, or neither.")
    password: str | None = strawberry.field(default=None, description="With the username, or neither.")
    tls: TlsSettingsInput | None = strawberry.field(default=None, description="Whom to trust there.")
    token_realm: URL | None = strawberry.field(
        default=None,
        description="The address of its token server, when that is on another host: it gets the credential.",
    )
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="For which workspace; left out, for the platform. Where it may lie depends on that.",
    )

    def to_service(self) -> RegistryInput:
        """Return it as the services take it."""
        return _registry_input(self)


@strawberry.input(description="A registry to integrate.")
class IntegrateRegistryInput:
    """What integrateRegistry takes."""

    name: str = strawberry.field(description="What to call it; unique in its scope, 100 characters at most.")
    kind: RegistryKind = strawberry.field(description="What software it is.")
    url: URL = strawberry.field(description="Its address, such as https://registry.example.com.")
    image_host: str | None = strawberry.field(
        default=None,
        description="What stands before the first slash of its images' names; by default, as in the address.",
    )
    username: str | None = strawberry.field(default=None, description="With the password, or neither.")
    password: str | None = strawberry.field(default=None, description="With the username, or neither.")
    tls: TlsSettingsInput | None = strawberry.field(default=None, description="Whom to trust there.")
    token_realm: URL | None = strawberry.field(
        default=None,
        description="The address of its token server, when that is on another host: it gets the credential.",
    )
    description: str | None = strawberry.field(default=None, description="What it is for.")
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The workspace that brings it, for its own namespaces alone; left out, it is the platform's."
        " Workspace administrators give their own.",
    )

    def to_service(self) -> RegistryInput:
        """Return how to reach it, as the services take it."""
        return _registry_input(self)


@strawberry.input(description="What to change. What is left out stays; an explicit null empties.")
class UpdateIntegrationInput:
    """What updateIntegration takes."""

    id: strawberry.ID = strawberry.field(description="Which integration.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its new name.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it is for.")
    url: URL | None = strawberry.field(
        default=strawberry.UNSET, description="Its new address. Needs username and password again."
    )
    image_host: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its new image host; null: as in the address. Needs username and password again.",
    )
    image_host_aliases: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All of its further image hosts; null or empty: none. A new one needs username and password again.",
    )
    tls: TlsSettingsInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whom to trust there; null: the system's authorities. Needs username and password again.",
    )
    token_realm: URL | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its token server on another host; null: none. Needs username and password again.",
    )
    username: str | None = strawberry.field(
        default=strawberry.UNSET, description="With the password; both null: sign in no longer."
    )
    password: str | None = strawberry.field(default=strawberry.UNSET, description="With the username.")
    expected_updated_at: datetime | None = strawberry.field(
        default=None, description="Its `updatedAt` as you read it: refused if it was changed since."
    )

    def to_service(self, integration_id: int) -> IntegrationUpdate:
        """Return it as the services take it."""

        def given(value: object) -> object:
            return LEFT_OUT if value is strawberry.UNSET else value

        tls = given(self.tls)
        aliases = given(self.image_host_aliases)
        return IntegrationUpdate(
            id=integration_id,
            # Null can't empty these two: their rules say so, as for an empty text.
            name="" if self.name is None else given(self.name),  # type: ignore[arg-type]
            url="" if self.url is None else given(self.url),  # type: ignore[arg-type]
            description=given(self.description),  # type: ignore[arg-type]
            image_host=given(self.image_host),  # type: ignore[arg-type]
            image_host_aliases=[] if aliases is None else aliases,  # type: ignore[arg-type]
            tls=tls.to_service() if isinstance(tls, TlsSettingsInput) else (TlsInput() if tls is None else tls),  # type: ignore[arg-type]
            token_realm=given(self.token_realm),  # type: ignore[arg-type]
            username=given(self.username),  # type: ignore[arg-type]
            password=given(self.password),  # type: ignore[arg-type]
            expected_updated_at=self.expected_updated_at,
        )


@strawberry.input(description="A new credential for an integration.")
class RotateIntegrationCredentialInput:
    """What rotateIntegrationCredential takes."""

    id: strawberry.ID = strawberry.field(description="Which integration.")
    username: str = strawberry.field(description="The new user.")
    password: str = strawberry.field(description="The new password.")


@strawberry.input(description="An integration whose registry is to get a new secret for its notifications.")
class RotateHookSecretInput:
    """What rotateHookSecret takes."""

    integration_id: strawberry.ID = strawberry.field(description="Which integration.")


@strawberry.input(description="An integration to remove.")
class RemoveIntegrationInput:
    """What removeIntegration takes."""

    id: strawberry.ID = strawberry.field(description="Which integration.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be lost.")


@strawberry.input(description="An integration to check now.")
class CheckIntegrationInput:
    """What checkIntegration takes."""

    id: strawberry.ID = strawberry.field(description="Which integration.")


@strawberry.input(description="An integration whose spaces to look at now.")
class SynchronizeIntegrationInput:
    """What synchronizeIntegration takes."""

    id: strawberry.ID = strawberry.field(description="Which integration.")
    accept_loss: bool = strawberry.field(default=False, description="Believe the look even if most spaces are missing.")


@strawberry.input(description="An access token to make.")
class CreateAccessTokenInput:
    """What createAccessToken takes."""

    name: str = strawberry.field(description="What it is for; 100 characters at most.")
    role: Role = strawberry.field(description="What its bearer may do.")
    expires_at: datetime = strawberry.field(description="Until when it is good; within ten years.")
    workspace_id: strawberry.ID | None = strawberry.field(
        default=None, description="In which workspace: for every role but PLATFORM_ADMIN, which has none."
    )


@strawberry.input(description="An access token to revoke.")
class RevokeAccessTokenInput:
    """What revokeAccessToken takes."""

    id: strawberry.ID = strawberry.field(description="Which token.")


def _registry_input(given: CheckRegistryInput | IntegrateRegistryInput) -> RegistryInput:
    return RegistryInput(
        url=given.url,
        kind=given.kind,
        username=given.username,
        password=given.password,
        tls=TlsInput() if given.tls is None else given.tls.to_service(),
        token_realm=given.token_realm,
    )
