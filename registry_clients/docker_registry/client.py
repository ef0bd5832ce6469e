"""A Docker Registry: what there is to see of it over its HTTP API."""

import time
from collections.abc import Callable, Collection

from registry_clients.docker_registry.api import RegistryApi
from registry_clients.docker_registry.artifacts import MAX_PAGE_SIZE, Artifacts
from registry_clients.docker_registry.authentication import AuthenticatedAnswer
from registry_clients.docker_registry.catalogue import Catalogue, repositories_of, spaces_of
from registry_clients.docker_registry.deletions import Deletions
from registry_clients.docker_registry.manifests import Manifests
from registry_clients.docker_registry.payloads import parse_object
from registry_clients.docker_registry.refusals import API_VERSION_HEADER, Call
from registry_clients.docker_registry.tags import Tags
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import OtherKind
from registry_clients.kind import RegistryKind
from registry_clients.recognition import hints_at_harbor, is_harbor
from registry_clients.records import (
    ArtifactPage,
    FoundArtifact,
    FoundManifest,
    FoundRepository,
    FoundSpace,
    ProbeAnswer,
    RegistryContents,
    Verification,
)
from registry_clients.transport import RegistryRequest, RegistryTransport, TransportSettings


class DockerRegistryClient:
    """Speaks to one Docker Registry (Distribution 2.8 and 3)."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        credential: Credential | None,
        transport: RegistryTransport,
        settings: TransportSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take over the transport: `aclose` closes it. ``clock`` gives seconds that never go back."""
        self._endpoint = endpoint
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._api = RegistryApi(endpoint, credential, transport, settings, clock)
        self._catalogue = Catalogue(self._api, settings)
        self._tags = Tags(self._api, settings)
        self._manifests = Manifests(self._api)
        self._artifacts = Artifacts(self._api, self._tags, self._manifests)
        self._deletions = Deletions(self._api)

    @property
    def kind(self) -> RegistryKind:
        """Always DOCKER_REGISTRY."""
        return RegistryKind.DOCKER_REGISTRY

    async def verify(self) -> Verification:
        """Find out whether this is a Docker Registry whose repositories we may list.

        The version stays unknown: the API doesn't tell. Raises OtherKind for a Harbor, CredentialRejected
        when the credential is missing, wrong or may not list repositories, UnexpectedAnswer for what is no
        registry.
        """
        seconds = self._settings.total_timeout_seconds
        self._api.authentication.forget()
        # Before any credential leaves: a Harbor's administrator should not be locked out by our mistake.
        challenge = await self._api.authentication.learn(RegistryRequest("GET", self._endpoint.url.joinpath("v2", "")))
        if challenge is not None and hints_at_harbor(challenge.parameters):
            await self._refuse_harbor()
        ping = await self._ping(seconds, is_retried=True)
        # The catalogue as well: some registries let everybody ping, and ask for a credential only here.
        catalogue = await self._catalogue.read_first(seconds, is_retried=True)
        return Verification(
            kind=self.kind,
            version=None,
            is_credential_verified=ping.is_credential_accepted or catalogue.is_credential_accepted,
        )

    async def probe(self) -> ProbeAnswer:
        """Find out whether the registry answers, lets us in and can read its storage; one deadline for each.

        Whether it is read-only can't be seen without writing: ``is_read_only`` is always False. Raises
        StorageUnreadable when the catalogue fails (`/v2/` alone says little: it is 200 with storage gone).
        """
        seconds = self._settings.read_timeout_seconds
        began_at = self._clock()
        await self._ping(seconds, is_retried=False)
        latency_seconds = self._clock() - began_at
        await self._catalogue.read_first(seconds, is_retried=False)
        return ProbeAnswer(latency_milliseconds=latency_seconds * 1000, version=None, is_read_only=False)

    async def list_spaces(self) -> tuple[FoundSpace, ...]:
        """Return the first segments of all repository names as spaces, sorted, with their repositories.

        An empty answer is no proof that all is gone: a registry whose storage folder is missing says the
        same. Raises UnexpectedAnswer when the catalogue goes in circles or has no end, TimedOut after ten
        minutes.
        """
        return spaces_of(await self._catalogue.list())

    async def list_contents(self) -> RegistryContents:
        """Return all spaces and repositories out of one walk of the catalogue. Raises as `list_spaces` does."""
        spaces = await self.list_spaces()
        return RegistryContents(spaces=spaces, repositories=repositories_of(spaces))

    async def list_repositories(self, space: FoundSpace | None = None) -> tuple[FoundRepository, ...]:
        """Return every repository, or those of one space: the whole catalogue is read for either.

        Counts and times stay unknown: the catalogue doesn't tell.
        """
        spaces = await self.list_spaces()
        if space is not None:
            spaces = tuple(found for found in spaces if found.external_id == space.external_id)
        return repositories_of(spaces)

    async def find_repositories(self, names: Collection[str]) -> RegistryContents:
        """Return those of these repositories that have, or had, a tag: others are not told from none at all."""
        spaces = spaces_of(await self._tags.known_among(names))
        return RegistryContents(spaces=spaces, repositories=repositories_of(spaces))

    async def list_artifacts(
        self, repository_name: str, *, page: int = 1, page_size: int = MAX_PAGE_SIZE
    ) -> ArtifactPage | None:
        """Return what a page of tags names, by name; None when there is no such repository. See `Artifacts`."""
        return await self._artifacts.list(repository_name, page, page_size)

    async def look_at_artifact(self, repository_name: str, reference: str) -> FoundArtifact | None:
        """Return the artifact that a tag or a digest names, None when there is none."""
        return await self._artifacts.look_at(repository_name, reference)

    async def list_tags(self, repository_name: str) -> tuple[str, ...] | None:
        """Return the names of all tags, sorted; None when there is no such repository. See `Tags`."""
        return await self._tags.list(repository_name)

    async def look_at_tag(self, repository_name: str, tag: str, known_digest: str | None) -> str | None:
        """Return the digest that a tag names, None when there is no such tag."""
        return await self._manifests.look_at_tag(repository_name, tag, known_digest)

    async def read_manifest(self, repository_name: str, digest: str) -> FoundManifest | None:
        """Return what stands under a digest, None when nothing does. See `parse_manifest` for what is left out."""
        stored = await self._manifests.read(repository_name, digest)
        return None if stored is None else stored.parsed(self._endpoint.host)

    async def delete_artifact(self, repository_name: str, digest: str) -> None:
        """Delete what stands under a digest, and all tags that name it; see `Deletions`."""
        await self._deletions.delete_artifact(repository_name, digest)

    async def delete_tag(self, repository_name: str, tag: str) -> None:
        """Delete a tag alone, where the registry's version can; see `Deletions`."""
        await self._deletions.delete_tag(repository_name, tag)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _ping(self, timeout_seconds: float, *, is_retried: bool) -> AuthenticatedAnswer:
        host = self._endpoint.host
        answer = await self._api.send("GET", "", None, timeout_seconds=timeout_seconds, is_retried=is_retried)
        if answer.response.status != 200:
            raise self._api.refusal(answer.response, Call.PING)
        # Proxies may drop the header; then the body must be what a registry says.
        if API_VERSION_HEADER not in answer.response.headers:
            parse_object(answer.response.body, host)
        return answer

    async def _refuse_harbor(self) -> None:
        # The names in a challenge may be chosen by anybody's token server; Harbor's own API is the proof.
        if await is_harbor(self._transport, self._endpoint.url):
            raise OtherKind(f"{self._endpoint.host} is a Harbor, not a Docker Registry: integrate it as such.")
