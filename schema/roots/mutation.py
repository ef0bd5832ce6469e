"""Mutations: validate, hand to the service, answer."""

from __future__ import annotations

from strawberry.tools import create_type

from models.queries.integrations import integrations_by_id
from resolvers.context import Info
from resolvers.global_ids import key_of
from resolvers.permission import Access
from schema.access_token import AccessToken
from schema.declaring import mutation
from schema.inputs import (
    CheckIntegrationInput,
    CheckRegistryInput,
    CreateAccessTokenInput,
    IntegrateRegistryInput,
    RemoveIntegrationInput,
    RevokeAccessTokenInput,
    RotateIntegrationCredentialInput,
    SynchronizeIntegrationInput,
    UpdateIntegrationInput,
)
from schema.integration import Integration
from schema.node import backed
from schema.payloads import (
    CheckIntegrationPayload,
    CheckRegistryPayload,
    CreateAccessTokenPayload,
    IntegrateRegistryPayload,
    RegistryCheck,
    RemoveIntegrationPayload,
    RevokeAccessTokenPayload,
    RotateIntegrationCredentialPayload,
    SynchronizeIntegrationPayload,
    UpdateIntegrationPayload,
)
from schema.user_error import shown
from services.integrating import NewIntegration
from services.registry_check import check_registry as check_registry_now
from services.user_errors import NotFound

ADMINISTRATORS = Access.PLATFORM_ADMINISTRATORS


def _key(given: str, type_name: str, what: str) -> int:
    key = key_of(given, type_name)
    if key is None:
        raise NotFound(what, ("input", "id"))
    return key


async def _integration(info: Info, integration_id: int) -> Integration:
    found = await integrations_by_id(info.context.services.database, [integration_id])
    if integration_id not in found:
        raise NotFound("integration", ("input", "id"))
    return backed(Integration, found[integration_id])


@mutation(ADMINISTRATORS, CheckRegistryPayload, "Try a registry without saving anything.")
async def check_registry(info: Info, input: CheckRegistryInput) -> CheckRegistryPayload:  # noqa: A002
    """Check a registry."""
    check = await check_registry_now(input.to_service(), info.context.services.reach)
    return CheckRegistryPayload(check=backed(RegistryCheck, check))


@mutation(
    ADMINISTRATORS,
    IntegrateRegistryPayload,
    "Integrate a registry. It is checked first. What it holds is listed before this answers, unless that takes long.",
)
async def integrate_registry(info: Info, input: IntegrateRegistryInput) -> IntegrateRegistryPayload:  # noqa: A002
    """Integrate a registry."""
    new = NewIntegration(input.name, input.to_service(), input.image_host, input.description)
    record = await info.context.services.integrator.integrate(new, info.context.viewer.name)
    return IntegrateRegistryPayload(integration=backed(Integration, record))


@mutation(
    ADMINISTRATORS,
    UpdateIntegrationPayload,
    "Change an integration. A new address or credential is verified before anything is saved.",
)
async def update_integration(info: Info, input: UpdateIntegrationInput) -> UpdateIntegrationPayload:  # noqa: A002
    """Update an integration."""
    update = input.to_service(_key(input.id, "Integration", "integration"))
    record = await info.context.services.updater.update(update, info.context.viewer.name)
    return UpdateIntegrationPayload(integration=backed(Integration, record))


@mutation(
    ADMINISTRATORS,
    RotateIntegrationCredentialPayload,
    "Replace an integration's credential. The new one is verified before the old is dropped.",
)
async def rotate_integration_credential(
    info: Info,
    input: RotateIntegrationCredentialInput,  # noqa: A002
) -> RotateIntegrationCredentialPayload:
    """Rotate a credential."""
    record = await info.context.services.updater.rotate_credential(
        _key(input.id, "Integration", "integration"),
        input.username,
        input.password,
        info.context.viewer.name,
    )
    return RotateIntegrationCredentialPayload(integration=backed(Integration, record))


@mutation(
    ADMINISTRATORS,
    RemoveIntegrationPayload,
    "Remove an integration and what is known of it. At the registry, only what this server made for itself goes.",
)
async def remove_integration(info: Info, input: RemoveIntegrationInput) -> RemoveIntegrationPayload:  # noqa: A002
    """Remove an integration."""
    record = await info.context.services.integrator.remove(
        _key(input.id, "Integration", "integration"), input.dry_run, info.context.viewer.name
    )
    return RemoveIntegrationPayload(integration=backed(Integration, record))


@mutation(ADMINISTRATORS, CheckIntegrationPayload, "Check an integration's health now.")
async def check_integration(info: Info, input: CheckIntegrationInput) -> CheckIntegrationPayload:  # noqa: A002
    """Check an integration."""
    key = _key(input.id, "Integration", "integration")
    await info.context.services.monitor.check_now(key)
    return CheckIntegrationPayload(integration=await _integration(info, key))


@mutation(
    ADMINISTRATORS,
    SynchronizeIntegrationPayload,
    "Look at an integration's spaces now. A look that finds most of them gone is doubted, unless you accept it.",
)
async def synchronize_integration(
    info: Info,
    input: SynchronizeIntegrationInput,  # noqa: A002
) -> SynchronizeIntegrationPayload:
    """Synchronise an integration."""
    key = _key(input.id, "Integration", "integration")
    result = await info.context.services.synchronizer.synchronize(key, input.accept_loss)
    return SynchronizeIntegrationPayload(
        integration=await _integration(info, key),
        added_space_count=result.added_space_count,
        vanished_space_count=result.vanished_space_count,
        errors=[] if result.doubt is None else [shown(result.doubt)],
    )


@mutation(ADMINISTRATORS, CreateAccessTokenPayload, "Make an access token. It is shown once.")
async def create_access_token(info: Info, input: CreateAccessTokenInput) -> CreateAccessTokenPayload:  # noqa: A002
    """Create an access token."""
    record, token = await info.context.services.access_tokens.create(
        input.name, input.role, input.expires_at, info.context.viewer.name
    )
    return CreateAccessTokenPayload(access_token=backed(AccessToken, record), token=token)


@mutation(
    ADMINISTRATORS,
    RevokeAccessTokenPayload,
    "Revoke an access token. It ends at once, its open sockets included.",
)
async def revoke_access_token(info: Info, input: RevokeAccessTokenInput) -> RevokeAccessTokenPayload:  # noqa: A002
    """Revoke an access token."""
    record = await info.context.services.access_tokens.revoke(
        _key(input.id, "AccessToken", "access token"), info.context.viewer.name, ("input", "id")
    )
    return RevokeAccessTokenPayload(access_token=backed(AccessToken, record))


Mutation = create_type(
    "Mutation",
    [
        check_registry,
        integrate_registry,
        update_integration,
        rotate_integration_credential,
        remove_integration,
        check_integration,
        synchronize_integration,
        create_access_token,
        revoke_access_token,
    ],
    description="What can be done.",
)
