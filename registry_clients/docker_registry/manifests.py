"""What tags name and what stands under digests, read so that the registry takes as little of it as may be for pulls.

Seen on 2.8.2 and 3.1.2: GET and HEAD of a manifest are reported as pulls. Asked by a tag with the digest that is
known already, a registry answers 304 and reports nothing. Asked so by a digest, 2.8.2 answers 304 for what was never
there: whether a digest is there has to be asked for plainly.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry_clients.docker_registry.api import RegistryApi, pull_scope
from registry_clients.docker_registry.manifest_payloads import can_be_checked, content_under, digest_of, parse_manifest
from registry_clients.docker_registry.refusals import Call, is_own_not_found
from registry_clients.errors import AnswerTooLarge, UnexpectedAnswer, UnreadableManifest
from registry_clients.image_reference import is_digest, is_repository_name, is_tag
from registry_clients.media_types import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from registry_clients.records import FoundManifest
from registry_clients.transport import RegistryResponse

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""What Distribution takes at most (read; seen on 2.8.2)."""

# All four by name: on 2.8.2 what isn't named is not found, or another manifest comes instead.
_ACCEPTED = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))
_DIGEST_HEADER = "Docker-Content-Digest"


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest's own bytes, of which its digest is; ``content_type`` is what the registry says of it."""

    digest: str
    content_type: str
    content: bytes

    def parsed(self, host: str) -> FoundManifest:
        """Return what it says. Raises UnreadableManifest."""
        return parse_manifest(self.content, self.digest, self.content_type, host)


class Manifests:
    """Reads manifests of one registry. What can't be a repository, a tag or a digest is not asked for: it isn't there.

    All calls raise UnexpectedAnswer when another manifest comes than the digest says, AnswerTooLarge for one that no
    registry takes.
    """

    def __init__(self, api: RegistryApi) -> None:
        self._api = api

    async def look_at_tag(self, repository_name: str, tag: str, known_digest: str | None) -> str | None:
        """Return the digest that a tag names, None when there is no such tag."""
        if not is_repository_name(repository_name) or not is_tag(tag):
            return None
        if known_digest is not None and not is_digest(known_digest):
            known_digest = None
        response = await self._send("HEAD", repository_name, tag, known_digest)
        if response.status == 304 and known_digest is not None:
            return known_digest
        digest = response.headers.get(_DIGEST_HEADER, "")
        if response.status == 200 and is_digest(digest):
            return digest
        if response.status == 404 and is_own_not_found(response):
            return None
        if response.status not in (200, 404):
            raise self._api.refusal(response, Call.MANIFEST)
        # What stands before the registry drops its headers: the body has to tell.
        stored = await self.read_tagged(repository_name, tag, None)
        return stored.digest if isinstance(stored, StoredManifest) else stored

    async def read(self, repository_name: str, digest: str) -> StoredManifest | None:
        """Return what stands under a digest, None when nothing does."""
        if not is_repository_name(repository_name) or not can_be_checked(digest):
            return None
        response = await self._send("GET", repository_name, digest, None)
        if response.status == 404 and is_own_not_found(response):
            return None
        return self._stored(response, digest)

    async def read_tagged(
        self, repository_name: str, tag: str, known_digest: str | None
    ) -> StoredManifest | str | None:
        """Return what a tag names, None when there is no such tag; the digest alone when it is the known one."""
        if not is_repository_name(repository_name) or not is_tag(tag):
            return None
        response = await self._send("GET", repository_name, tag, known_digest)
        if response.status == 304 and known_digest is not None:
            return known_digest
        if response.status == 404 and is_own_not_found(response):
            return None
        digest = response.headers.get(_DIGEST_HEADER, "")
        if can_be_checked(digest):
            return self._stored(response, digest)
        return self._unnamed(response)

    def _unnamed(self, response: RegistryResponse) -> StoredManifest:
        """Return what came without its digest. Raises UnexpectedAnswer for what is no manifest: a login page, say."""
        stored = self._stored(response, digest_of(response.body))
        try:
            stored.parsed(self._api.host)
        except UnreadableManifest as error:
            raise UnexpectedAnswer(f"{self._api.host} answers with something else than a manifest.") from error
        return stored

    def _stored(self, response: RegistryResponse, digest: str) -> StoredManifest:
        host = self._api.host
        if response.status != 200:
            raise self._api.refusal(response, Call.MANIFEST)
        if len(response.body) > MAX_MANIFEST_BYTES:
            raise AnswerTooLarge(f"{host} answers with a manifest of more than {MAX_MANIFEST_BYTES} bytes.")
        content = content_under(digest, response.body)
        if content is None:
            raise UnexpectedAnswer(f"{host} answers with another manifest than its digest says.")
        return StoredManifest(digest, response.headers.get("Content-Type", ""), content)

    async def _send(
        self, method: str, repository_name: str, reference: str, known_digest: str | None
    ) -> RegistryResponse:
        headers = {"Accept": _ACCEPTED}
        if known_digest is not None:
            # One exact value: 2.8.2 knows neither lists nor weak ones.
            headers["If-None-Match"] = f'"{known_digest}"'
        path = f"{repository_name}/manifests/{reference}"
        return (await self._api.send(method, path, pull_scope(repository_name), headers=headers)).response
