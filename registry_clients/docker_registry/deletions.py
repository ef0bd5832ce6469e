"""Deleting artifacts and tags.

The space that they take comes back with the registry's own garbage collection alone, which nobody can ask for from
outside. An image can be deleted while an index that needs it stands: the registry doesn't mind.
"""

from registry_clients.docker_registry.api import RegistryApi, delete_scope
from registry_clients.docker_registry.refusals import Call, is_own_not_found
from registry_clients.error_bodies import parse_errors
from registry_clients.errors import ReadOnly
from registry_clients.image_reference import is_digest, is_repository_name, is_tag
from registry_clients.refusals import DeletionRefused, NoDeletion
from registry_clients.transport import RegistryResponse

# 202 by specification; what stands before a registry may make it one of the others.
_DONE = frozenset({200, 202, 204})


class Deletions:
    """Deletes what is in repositories. What is gone, or can't ever have been there, is left at that.

    Raises ReadOnly and DeletionRefused.
    """

    def __init__(self, api: RegistryApi) -> None:
        self._api = api

    async def delete_artifact(self, repository_name: str, digest: str) -> None:
        """Delete what stands under a digest; all tags that name it go too."""
        if is_repository_name(repository_name) and is_digest(digest):
            response = await self._send(repository_name, digest)
            if not _is_done(response):
                raise self._refusal(response)

    async def delete_tag(self, repository_name: str, tag: str) -> None:
        """Delete a tag and leave what it names: from version 3 on."""
        if is_repository_name(repository_name) and is_tag(tag):
            response = await self._send(repository_name, tag)
            # Seen on 2.8.2, for tags that are there and those that aren't.
            if response.status == 400 and _says(response, "DIGEST_INVALID"):
                message = f"{self._api.host} can delete whole artifacts only, with all their tags: its version is 2."
                raise DeletionRefused(NoDeletion.NOT_OFFERED, message, registry_message=self._api.words_of(response))
            if not _is_done(response):
                raise self._refusal(response)

    async def _send(self, repository_name: str, reference: str) -> RegistryResponse:
        path = f"{repository_name}/manifests/{reference}"
        return (await self._api.send("DELETE", path, delete_scope(repository_name))).response

    def _refusal(self, response: RegistryResponse) -> Exception:
        # Seen on 2.8.2 and 3.1.2: 405 in the registry's shape of errors when deletion is off, and of a mirror; as
        # plain text in read-only mode.
        if response.status == 405 and _says(response, "UNSUPPORTED"):
            message = f"Deletion is switched off at {self._api.host}."
            return DeletionRefused(NoDeletion.SWITCHED_OFF, message, registry_message=self._api.words_of(response))
        if response.status == 405 and response.headers.get("Content-Type", "").startswith("text/plain"):
            return ReadOnly(
                f"{self._api.host} is in read-only mode.",
                registry_message=self._api.words_of(response),
                http_status=405,
            )
        return self._api.refusal(response, Call.DELETION)


def _is_done(response: RegistryResponse) -> bool:
    # A registry says nothing more. A page of somebody in between is not its word.
    if response.status in _DONE:
        return not response.body
    return response.status == 404 and is_own_not_found(response)


def _says(response: RegistryResponse, code: str) -> bool:
    return any(entry.code == code for entry in parse_errors(response.body))
