"""What people can do wrong, as errors that carry what a frontend needs.

Services raise them; the GraphQL layer turns each into the typed error of the same name. Each makes its own
message: a sentence that says what to do. `path` leads to the part of the input that is meant.
"""

from __future__ import annotations

from typing import ClassVar

from models.enums import HealthReason
from models.records import IntegrationRecord, SpaceRecord, WorkspaceRecord
from registry_clients.errors import RegistryError
from registry_clients.refusals import NoDeletion

Path = tuple[str, ...]


class UserError(Exception):
    """Something that the caller can put right."""

    code: ClassVar[str]

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class UserErrors(Exception):
    """Several at once: everything that is wrong with one input."""

    def __init__(self, errors: list[UserError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


class InvalidInput(UserError):
    """A value that can't be taken, whatever the state of things."""

    code = "INVALID_INPUT"


class NotFound(UserError):
    """Nothing with that id, or name, exists, or the viewer may not see it: the two read the same."""

    code = "NOT_FOUND"

    def __init__(self, what: str, path: Path, *, known_by: str = "id") -> None:
        super().__init__(f"There is no {what} with this {known_by}.", path)


class Forbidden(UserError):
    """The viewer sees it, and may not do this with it."""

    code = "FORBIDDEN"

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message, path)


class NameTaken(UserError):
    """Another integration has the name."""

    code = "NAME_TAKEN"

    def __init__(self, name: str, holder: IntegrationRecord, path: Path) -> None:
        super().__init__(f"The name “{name}” is taken. Choose another, or remove the one that has it.", path)
        self.holder = holder


class AddressTaken(UserError):
    """Another integration has the address."""

    code = "ADDRESS_TAKEN"

    def __init__(self, url: str, holder: IntegrationRecord, path: Path) -> None:
        super().__init__(f"The registry at {url} is integrated already, as “{holder.name}”.", path)
        self.holder = holder


class ImageHostTaken(UserError):
    """Another integration has the image host."""

    code = "IMAGE_HOST_TAKEN"

    def __init__(self, host: str, holder: IntegrationRecord, path: Path) -> None:
        super().__init__(f"Images of {host} belong to the integration “{holder.name}”. Give another imageHost.", path)
        self.holder = holder


class RegistryRefused(UserError):
    """The registry could not be used, or refused what was asked."""

    code = "REGISTRY_REFUSED"

    def __init__(self, error: RegistryError, path: Path) -> None:
        super().__init__(error.message, path)
        self.reason = HealthReason(error.reason.value)
        self.registry_message = error.registry_message
        self.http_status = error.http_status


class KindNotSupported(UserError):
    """No registry of that kind can be integrated yet."""

    code = "KIND_NOT_SUPPORTED"


class CredentialRequired(UserError):
    """The change would send a stored password somewhere new, so it must be given again."""

    code = "CREDENTIAL_REQUIRED"

    def __init__(self, path: Path) -> None:
        super().__init__(
            "Changing the address, the image host or whom to trust needs username and password again, so that "
            "no stored password is sent elsewhere.",
            path,
        )


class UpdateConflict(UserError):
    """Somebody else changed it since it was read."""

    code = "UPDATE_CONFLICT"

    def __init__(self, current: IntegrationRecord, path: Path) -> None:
        super().__init__(f"“{current.name}” was changed since you read it. Look again, then repeat.", path)
        self.current = current


class MirrorDoubted(UserError):
    """A look at the registry found most spaces gone, and was not believed."""

    code = "MIRROR_DOUBTED"

    def __init__(self, missing_count: int, standing_count: int, path: Path) -> None:
        super().__init__(
            f"{missing_count} of {standing_count} spaces were not there, which an unreadable storage looks like "
            "too. Nothing was changed. If they are really gone, synchronise with acceptLoss: true.",
            path,
        )
        self.missing_space_count = missing_count
        self.standing_space_count = standing_count


class SpaceNameTaken(UserError):
    """The registry has a space of that name; `holder` is it where the mirror knows it."""

    code = "SPACE_NAME_TAKEN"

    def __init__(self, name: str, holder: SpaceRecord | None, path: Path) -> None:
        super().__init__(f"There is a space “{name}” at this registry already. Choose another name.", path)
        self.holder = holder


class SpaceRefused(UserError):
    """The registry makes or changes no such space: by its rules for names, or by a limit on storage."""

    code = "SPACE_REFUSED"

    def __init__(self, message: str, registry_message: str | None, path: Path) -> None:
        super().__init__(message, path)
        self.registry_message = registry_message


class SpaceNotEmpty(UserError):
    """The space holds repositories, so it can't be deleted."""

    code = "SPACE_NOT_EMPTY"

    def __init__(self, name: str, repository_count: int, advice: str, path: Path) -> None:
        held = "1 repository" if repository_count == 1 else f"{repository_count} repositories"
        super().__init__(f"The space “{name}” holds {held}. {advice}", path)
        self.repository_count = repository_count


class DeletionRefused(UserError):
    """The registry deletes no such thing, or not this one. Nothing was deleted."""

    code = "DELETION_REFUSED"

    def __init__(self, reason: NoDeletion, message: str, path: Path, registry_message: str | None = None) -> None:
        super().__init__(message, path)
        self.refusal_reason = reason
        self.registry_message = registry_message


class WorkspaceNameTaken(UserError):
    """Another workspace has the name."""

    code = "WORKSPACE_NAME_TAKEN"

    def __init__(self, holder: WorkspaceRecord, path: Path) -> None:
        super().__init__(f"Another workspace is called “{holder.name}”. Choose another name.", path)
        self.holder = holder


class ExternalIdTaken(UserError):
    """Another workspace has the external id."""

    code = "EXTERNAL_ID_TAKEN"

    def __init__(self, external_id: str, holder: WorkspaceRecord, path: Path) -> None:
        super().__init__(f"The external id “{external_id}” belongs to the workspace “{holder.name}”.", path)
        self.holder = holder


class NamespaceTaken(UserError):
    """The namespace belongs to another workspace."""

    code = "NAMESPACE_TAKEN"

    def __init__(self, cluster: str, name: str, holder: WorkspaceRecord, path: Path) -> None:
        super().__init__(
            f"The namespace “{name}” of the cluster “{cluster}” belongs to the workspace “{holder.name}”. "
            "Remove it there first.",
            path,
        )
        self.holder = holder


class WorkspaceUpdateConflict(UserError):
    """Somebody else changed the workspace since it was read."""

    code = "WORKSPACE_UPDATE_CONFLICT"

    def __init__(self, current: WorkspaceRecord, path: Path) -> None:
        super().__init__(f"“{current.name}” was changed since you read it. Look again, then repeat.", path)
        self.current = current


class WorkspaceHasIntegrations(UserError):
    """The workspace brought registries of its own, which must be removed first."""

    code = "WORKSPACE_HAS_INTEGRATIONS"

    def __init__(self, workspace: WorkspaceRecord, integration_count: int, path: Path) -> None:
        brought = "a registry" if integration_count == 1 else f"{integration_count} registries"
        super().__init__(
            f"The workspace “{workspace.name}” brought {brought} of its own. Remove them first, so that what was "
            "made there for this server goes too.",
            path,
        )
        self.integration_count = integration_count
