"""Mutations: validate, hand to the service, answer."""

from __future__ import annotations

from strawberry.tools import create_type

from models.queries.integrations import integrations_by_id
from resolvers.context import Info
from resolvers.permission import Access
from schema.access_token import AccessToken
from schema.arguments import input_key
from schema.declaring import mutation
from schema.inputs import (
    CheckIntegrationInput,
    CheckRegistryInput,
    CreateAccessTokenInput,
    IntegrateRegistryInput,
    RemoveIntegrationInput,
    RevokeAccessTokenInput,
    RotateHookSecretInput,
    RotateIntegrationCredentialInput,
    SynchronizeIntegrationInput,
    UpdateIntegrationInput,
)
from schema.integration import Integration
from schema.integration_payloads import (
    CheckIntegrationPayload,
    CheckRegistryPayload,
    IntegrateRegistryPayload,
    RegistryCheck,
    RemoveIntegrationPayload,
    RotateHookSecretPayload,
    RotateIntegrationCredentialPayload,
    SynchronizeIntegrationPayload,
    UpdateIntegrationPayload,
)
from schema.loss import losing
from schema.node import backed
from schema.payloads import CreateAccessTokenPayload, RevokeAccessTokenPayload
from schema.roots.content_mutations import CONTENT_MUTATIONS
from schema.roots.space_mutations import SPACE_MUTATIONS
from schema.roots.workspace_mutations import WORKSPACE_MUTATIONS
from schema.user_error import shown
from services.access_tokens import WORKSPACE_PATH
from services.administering import administered_integration, require_may_bring
from services.integrating import NewIntegration
from services.registry_check import check_registry as check_registry_now
from services.user_errors import NotFound

ADMINISTRATORS = Access.PLATFORM_ADMINISTRATORS
OWNERS = Access.WORKSPACE_ADMINISTRATORS
"""Each such mutation asks whose it is that is to be changed."""


async def _administered(info: Info, given: str, field: str = "id") -> int:
    """Return the key of an integration that the viewer may change. Raises NotFound, Forbidden."""
    key = input_key(given, "Integration", "integration", field)
    await administered_integration(info.context.services.database, info.context.viewer, key, ("input", field))
    return key


async def _bringing(info: Info, given: str | None) -> int | None:
    """Return for which workspace a registry is brought, None for the platform. Raises NotFound, Forbidden."""
    key = None if given is None else input_key(given, "Workspace", "workspace", "workspaceId")
    await require_may_bring(info.context.services.database, info.context.viewer, key, WORKSPACE_PATH)
    return key


async def _integration(info: Info, integration_id: int) -> Integration:
    found = await integrations_by_id(info.context.services.database, [integration_id])
    if integration_id not in found:
        raise NotFound("integration", ("input", "id"))
    return backed(Integration, found[integration_id])


@mutation(OWNERS, CheckRegistryPayload, "Try a registry without saving anything.")
async def check_registry(info: Info, input: CheckRegistryInput) -> CheckRegistryPayload:  # noqa: A002
    """Check a registry."""
    workspace_id = await _bringing(info, input.workspace_id)
    check = await check_registry_now(input.to_service(), info.context.services.reaches.of(workspace_id))
    return CheckRegistryPayload(check=backed(RegistryCheck, check))


@mutation(
    OWNERS,
    IntegrateRegistryPayload,
    "Integrate a registry. It is checked first. What it holds is listed before this answers, unless that takes long.",
)
async def integrate_registry(info: Info, input: IntegrateRegistryInput) -> IntegrateRegistryPayload:  # noqa: A002
    """Integrate a registry."""
    workspace_id = await _bringing(info, input.workspace_id)
    new = NewIntegration(input.name, input.to_service(), input.image_host, input.description, workspace_id)
    record = await info.context.services.integrator.integrate(new, info.context.viewer.name)
    return IntegrateRegistryPayload(integration=backed(Integration, record))


@mutation(
    OWNERS,
    UpdateIntegrationPayload,
    "Change an integration. A new address or credential is verified before anything is saved.",
)
async def update_integration(info: Info, input: UpdateIntegrationInput) -> UpdateIntegrationPayload:  # noqa: A002
    """Update an integration."""
    update = input.to_service(await _administered(info, input.id))
    record = await info.context.services.updater.update(update, info.context.viewer.name)
    return UpdateIntegrationPayload(integration=backed(Integration, record))


@mutation(
    OWNERS,
    RotateIntegrationCredentialPayload,
    "Replace an integration's credential. The new one is verified before the old is dropped.",
)
async def rotate_integration_credential(
    info: Info,
    input: RotateIntegrationCredentialInput,  # noqa: A002
) -> RotateIntegrationCredentialPayload:
    """Rotate a credential."""
    record = await info.context.services.updater.rotate_credential(
        await _administered(info, input.id),
        input.username,
        input.password,
        info.context.viewer.name,
    )
    return RotateIntegrationCredentialPayload(integration=backed(Integration, record))


@mutation(
    OWNERS,
    RotateHookSecretPayload,
    "Make the secret with which a registry sends its notifications anew. It is shown once; the one before is over.",
)
async def rotate_hook_secret(info: Info, input: RotateHookSecretInput) -> RotateHookSecretPayload:  # noqa: A002
    """Rotate the secret of a hook."""
    key = await _administered(info, input.integration_id, "integrationId")
    secret = await info.context.services.hooks.rotate_secret(key, ("input", "integrationId"))
    return RotateHookSecretPayload(secret=secret, integration=await _integration(info, key))


@mutation(
    OWNERS,
    RemoveIntegrationPayload,
    "Remove an integration and what is known of it. At the registry, only what this server made for itself goes.",
)
async def remove_integration(info: Info, input: RemoveIntegrationInput) -> RemoveIntegrationPayload:  # noqa: A002
    """Remove an integration."""
    removed = await info.context.services.integrator.remove(
        await _administered(info, input.id), input.dry_run, info.context.viewer.name
    )
    return RemoveIntegrationPayload(integration=backed(Integration, removed.integration), **losing(removed.losses))


@mutation(OWNERS, CheckIntegrationPayload, "Check an integration's health now.")
async def check_integration(info: Info, input: CheckIntegrationInput) -> CheckIntegrationPayload:  # noqa: A002
    """Check an integration."""
    key = await _administered(info, input.id)
    await info.context.services.monitor.check_now(key)
    return CheckIntegrationPayload(integration=await _integration(info, key))


@mutation(
    OWNERS,
    SynchronizeIntegrationPayload,
    "Look at an integration's spaces now. A look that finds most of them gone is doubted, unless you accept it.",
)
async def synchronize_integration(
    info: Info,
    input: SynchronizeIntegrationInput,  # noqa: A002
) -> SynchronizeIntegrationPayload:
    """Synchronise an integration."""
    key = await _administered(info, input.id)
    result = await info.context.services.synchronizer.synchronize(key, input.accept_loss)
    return SynchronizeIntegrationPayload(
        integration=await _integration(info, key),
        added_space_count=result.added_space_count,
        vanished_space_count=result.vanished_space_count,
        errors=[] if result.doubt is None else [shown(result.doubt, info.context.scope)],
    )


@mutation(ADMINISTRATORS, CreateAccessTokenPayload, "Make an access token. It is shown once.")
async def create_access_token(info: Info, input: CreateAccessTokenInput) -> CreateAccessTokenPayload:  # noqa: A002
    """Create an access token."""
    workspace_id = None
    if input.workspace_id is not None:
        workspace_id = input_key(input.workspace_id, "Workspace", "workspace", "workspaceId")
    record, token = await info.context.services.access_tokens.create(
        input.name, input.role, input.expires_at, info.context.viewer.name, workspace_id
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
        input_key(input.id, "AccessToken", "access token"), info.context.viewer.name, ("input", "id")
    )
    return RevokeAccessTokenPayload(access_token=backed(AccessToken, record))


Mutation = create_type(
    "Mutation",
    [
        check_registry,
        integrate_registry,
        update_integration,
        rotate_integration_credential,
        rotate_hook_secret,
        remove_integration,
        check_integration,
        synchronize_integration,
        *SPACE_MUTATIONS,
        *CONTENT_MUTATIONS,
        *WORKSPACE_MUTATIONS,
        create_access_token,
        revoke_access_token,
    ],
    description="What can be done.",
)
