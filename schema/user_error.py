"""Typed user errors: what people can put right, with what a frontend needs to help them."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import ClassVar

import strawberry

from schema.enums import DeletionRefusalReason, HealthReason, describe
from schema.integration import Integration
from schema.space import Space
from schema.workspace import Workspace
from services import user_errors as domain
from services.viewer import ViewerScope


class UserErrorCode(StrEnum):
    """What sort of thing is to be put right."""

    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    NAME_TAKEN = "NAME_TAKEN"
    ADDRESS_TAKEN = "ADDRESS_TAKEN"
    IMAGE_HOST_TAKEN = "IMAGE_HOST_TAKEN"
    REGISTRY_REFUSED = "REGISTRY_REFUSED"
    KIND_NOT_SUPPORTED = "KIND_NOT_SUPPORTED"
    CREDENTIAL_REQUIRED = "CREDENTIAL_REQUIRED"
    UPDATE_CONFLICT = "UPDATE_CONFLICT"
    MIRROR_DOUBTED = "MIRROR_DOUBTED"
    SPACE_NAME_TAKEN = "SPACE_NAME_TAKEN"
    SPACE_REFUSED = "SPACE_REFUSED"
    SPACE_NOT_EMPTY = "SPACE_NOT_EMPTY"
    DELETION_REFUSED = "DELETION_REFUSED"
    WORKSPACE_NAME_TAKEN = "WORKSPACE_NAME_TAKEN"
    EXTERNAL_ID_TAKEN = "EXTERNAL_ID_TAKEN"
    NAMESPACE_TAKEN = "NAMESPACE_TAKEN"
    WORKSPACE_UPDATE_CONFLICT = "WORKSPACE_UPDATE_CONFLICT"
    WORKSPACE_HAS_INTEGRATIONS = "WORKSPACE_HAS_INTEGRATIONS"
    FORBIDDEN = "FORBIDDEN"


describe(
    UserErrorCode,
    "What sort of thing is to be put right.",
    {
        "INVALID_INPUT": "A value can't be taken as it is.",
        "NOT_FOUND": "There is nothing with this id, or name, that you may see.",
        "NAME_TAKEN": "Another has this name.",
        "ADDRESS_TAKEN": "The registry at this address is integrated already.",
        "IMAGE_HOST_TAKEN": "Another integration has this image host.",
        "REGISTRY_REFUSED": "The registry can't be used, or refused.",
        "KIND_NOT_SUPPORTED": "Registries of this kind can't be integrated yet.",
        "CREDENTIAL_REQUIRED": "This change needs username and password again.",
        "UPDATE_CONFLICT": "Somebody else changed it since you read it.",
        "MIRROR_DOUBTED": "Most spaces were missing, and that was not believed.",
        "SPACE_NAME_TAKEN": "The registry has a space of this name.",
        "SPACE_REFUSED": "The registry makes or changes no such space.",
        "SPACE_NOT_EMPTY": "The space holds repositories.",
        "DELETION_REFUSED": "The registry doesn't delete it.",
        "WORKSPACE_NAME_TAKEN": "Another workspace has this name.",
        "EXTERNAL_ID_TAKEN": "Another workspace has this external id.",
        "NAMESPACE_TAKEN": "The namespace belongs to another workspace.",
        "WORKSPACE_UPDATE_CONFLICT": "Somebody else changed the workspace since you read it.",
        "WORKSPACE_HAS_INTEGRATIONS": "The workspace brought registries of its own, which must be removed first.",
        "FORBIDDEN": "You may not do this.",
    },
)


@strawberry.interface(description="Something in a mutation's input that you can put right.")
class UserError:
    """What is to be put right."""

    domain_type: ClassVar[type[domain.UserError]]

    message: str = strawberry.field(description="What is the matter and what to do, in a sentence.")
    code: UserErrorCode = strawberry.field(description="What sort it is.")
    path: list[str] = strawberry.field(description="Which part of the input is meant, from the outside in.")


@strawberry.type(description="A value can't be taken as it is.")
class InvalidInput(UserError):
    """INVALID_INPUT."""

    domain_type = domain.InvalidInput


@strawberry.type(description="There is nothing with this id, or name, or you may not see it.")
class NotFound(UserError):
    """NOT_FOUND."""

    domain_type = domain.NotFound


@strawberry.type(description="Another integration has this name.")
class NameTaken(UserError):
    """NAME_TAKEN."""

    domain_type = domain.NameTaken
    holder: Integration | None = strawberry.field(description="Which; null when you may not see it.")


@strawberry.type(description="The registry at this address is integrated already.")
class AddressTaken(UserError):
    """ADDRESS_TAKEN."""

    domain_type = domain.AddressTaken
    holder: Integration | None = strawberry.field(description="As which; null when you may not see it.")


@strawberry.type(description="Another integration has this image host.")
class ImageHostTaken(UserError):
    """IMAGE_HOST_TAKEN."""

    domain_type = domain.ImageHostTaken
    holder: Integration | None = strawberry.field(description="Which; null when you may not see it.")


@strawberry.type(description="The registry can't be used, or refused what was asked.")
class RegistryRefused(UserError):
    """REGISTRY_REFUSED."""

    domain_type = domain.RegistryRefused
    reason: HealthReason = strawberry.field(description="Why.")
    registry_message: str | None = strawberry.field(
        description="The registry's own words. Platform administrators see them."
    )
    http_status: int | None = strawberry.field(description="The status it answered with, if it did.")


@strawberry.type(description="Registries of this kind can't be integrated yet.")
class KindNotSupported(UserError):
    """KIND_NOT_SUPPORTED."""

    domain_type = domain.KindNotSupported


@strawberry.type(description="This change would send a stored password somewhere new: give it again.")
class CredentialRequired(UserError):
    """CREDENTIAL_REQUIRED."""

    domain_type = domain.CredentialRequired


@strawberry.type(description="Somebody else changed it since you read it.")
class UpdateConflict(UserError):
    """UPDATE_CONFLICT."""

    domain_type = domain.UpdateConflict
    current: Integration = strawberry.field(description="How it is now.")


@strawberry.type(description="A look at the registry found most spaces missing, and was not believed.")
class MirrorDoubted(UserError):
    """MIRROR_DOUBTED."""

    domain_type = domain.MirrorDoubted
    missing_space_count: int = strawberry.field(description="How many were missing.")
    standing_space_count: int = strawberry.field(description="Of how many.")


@strawberry.type(description="The registry has a space of this name.")
class SpaceNameTaken(UserError):
    """SPACE_NAME_TAKEN."""

    domain_type = domain.SpaceNameTaken
    holder: Space | None = strawberry.field(description="The space, where it is known here.")


@strawberry.type(description="The registry makes or changes no such space.")
class SpaceRefused(UserError):
    """SPACE_REFUSED."""

    domain_type = domain.SpaceRefused
    registry_message: str | None = strawberry.field(
        description="The registry's own words. Platform administrators see them."
    )


@strawberry.type(description="The space holds repositories.")
class SpaceNotEmpty(UserError):
    """SPACE_NOT_EMPTY."""

    domain_type = domain.SpaceNotEmpty
    repository_count: int = strawberry.field(description="How many.")


@strawberry.type(description="The registry deletes no such thing, or not this one. Nothing was deleted.")
class DeletionRefused(UserError):
    """DELETION_REFUSED."""

    domain_type = domain.DeletionRefused
    refusal_reason: DeletionRefusalReason = strawberry.field(description="Why.")
    registry_message: str | None = strawberry.field(
        description="The registry's own words, where it was asked. Platform administrators see them."
    )


@strawberry.type(description="Another workspace has this name.")
class WorkspaceNameTaken(UserError):
    """WORKSPACE_NAME_TAKEN."""

    domain_type = domain.WorkspaceNameTaken
    holder: Workspace | None = strawberry.field(description="Which; null when you may not see it.")


@strawberry.type(description="Another workspace has this external id.")
class ExternalIdTaken(UserError):
    """EXTERNAL_ID_TAKEN."""

    domain_type = domain.ExternalIdTaken
    holder: Workspace | None = strawberry.field(description="Which; null when you may not see it.")


@strawberry.type(description="The namespace belongs to another workspace.")
class NamespaceTaken(UserError):
    """NAMESPACE_TAKEN."""

    domain_type = domain.NamespaceTaken
    holder: Workspace | None = strawberry.field(description="Which; null when you may not see it.")


@strawberry.type(description="Somebody else changed the workspace since you read it.")
class WorkspaceUpdateConflict(UserError):
    """WORKSPACE_UPDATE_CONFLICT."""

    domain_type = domain.WorkspaceUpdateConflict
    current: Workspace = strawberry.field(description="How it is now.")


@strawberry.type(description="The workspace brought registries of its own, which must be removed first.")
class WorkspaceHasIntegrations(UserError):
    """WORKSPACE_HAS_INTEGRATIONS."""

    domain_type = domain.WorkspaceHasIntegrations
    integration_count: int = strawberry.field(description="How many.")


@strawberry.type(description="You may not do this.")
class PermissionDenied(UserError):
    """FORBIDDEN."""

    domain_type = domain.Forbidden


USER_ERROR_TYPES = (
    InvalidInput,
    NotFound,
    NameTaken,
    AddressTaken,
    ImageHostTaken,
    RegistryRefused,
    KindNotSupported,
    CredentialRequired,
    UpdateConflict,
    MirrorDoubted,
    SpaceNameTaken,
    SpaceRefused,
    SpaceNotEmpty,
    DeletionRefused,
    WorkspaceNameTaken,
    ExternalIdTaken,
    NamespaceTaken,
    WorkspaceUpdateConflict,
    WorkspaceHasIntegrations,
    PermissionDenied,
)
"""Every type of user error; a test holds that each error of the services has one."""

_BY_DOMAIN_TYPE: dict[type[domain.UserError], type[UserError]] = {
    type_.domain_type: type_ for type_ in USER_ERROR_TYPES
}


def shown(error: domain.UserError, scope: ViewerScope) -> UserError:
    """Return an error of a service as the type of the surface with the same name, as far as the viewer may see it.

    A copy, unlike records: graphql-core takes an exception in a result for a fault of the resolver.
    """
    type_ = _BY_DOMAIN_TYPE[type(error)]
    names = [field.name for field in fields(type_) if field.name not in ("message", "code", "path")]
    data = {name: getattr(error, name) for name in names}
    if not scope.is_platform_admin:
        # Words of an address that somebody chose, and they may hold what only its owner should read.
        data |= {name: None for name in ("registry_message", "http_status") if name in data}
    return type_(message=error.message, code=UserErrorCode(error.code), path=list(error.path), **data)
