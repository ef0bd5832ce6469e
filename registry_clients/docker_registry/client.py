"""A Docker Registry: what there is to see of it over its HTTP API."""

import asyncio
import time
from collections.abc import Callable

from yarl import URL

from registry_clients.docker_registry.authentication import AuthenticatedAnswer, Authentication
from registry_clients.docker_registry.payloads import (
    parse_catalogue_page,
    parse_next_last,
    parse_object,
)
from registry_clients.docker_registry.refusals import API_VERSION_HEADER, Call, refusal_of
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.error_bodies import parse_errors
from registry_clients.errors import OtherKind, TimedOut, UnexpectedAnswer
from registry_clients.image_reference import is_repository_name
from registry_clients.kind import RegistryKind
from registry_clients.recognition import hints_at_harbor, is_harbor
from registry_clients.records import FoundRepository, FoundSpace, ProbeAnswer, RegistryContents, Verification
from registry_clients.transport import (
    RegistryRequest,
    RegistryResponse,
    RegistryTransport,
    TransportSettings,
)

# The registry's own upper limit by default; a page costs the more the further back it is, so ask for few.
CATALOGUE_PAGE_SIZE = 1000
MAX_CATALOGUE_PAGES = 5000
MAX_REPOSITORIES = 1_000_000
CATALOGUE_DEADLINE_SECONDS = 600

# A page of the catalogue makes the registry walk its storage, which may be an object store.
_CATALOGUE_PATIENCE = 3

_CATALOGUE_SCOPE = "registry:catalog:*"

# Names of one segment ("web") have no space of their own. `web` and `library/web` are two repositories here.
_SPACE_OF_BARE_NAMES = "library"


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
        self._authentication = Authentication(endpoint, credential, transport, clock)

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
        self._authentication.forget()
        # Before any credential leaves: a Harbor's administrator should not be locked out by our mistake.
        challenge = await self._authentication.learn(RegistryRequest("GET", self._url("")))
        if challenge is not None and hints_at_harbor(challenge.parameters):
            await self._refuse_harbor()
        ping = await self._ping(seconds, is_retried=True)
        # The catalogue as well: some registries let everybody ping, and ask for a credential only here.
        catalogue = await self._first_page(seconds, is_retried=True)
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
        await self._first_page(seconds, is_retried=False)
        return ProbeAnswer(latency_milliseconds=latency_seconds * 1000, version=None, is_read_only=False)

    async def list_spaces(self) -> tuple[FoundSpace, ...]:
        """Return the first segments of all repository names as spaces, sorted, with their repositories.

        An empty answer is no proof that all is gone: a registry whose storage folder is missing says the
        same. Raises UnexpectedAnswer when the catalogue goes in circles or has no end, TimedOut after ten
        minutes.
        """
        try:
            async with asyncio.timeout(CATALOGUE_DEADLINE_SECONDS):
                names = await self._repository_names()
        except TimeoutError as error:
            raise TimedOut(
                f"{self._endpoint.host} did not list all within {CATALOGUE_DEADLINE_SECONDS} seconds."
            ) from error
        return spaces_of(names)

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

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _ping(self, timeout_seconds: float, *, is_retried: bool) -> AuthenticatedAnswer:
        host = self._endpoint.host
        answer = await self._send(self._url(""), None, timeout_seconds, is_retried=is_retried)
        if answer.response.status != 200:
            raise refusal_of(answer.response, Call.PING, host)
        # Proxies may drop the header; then the body must be what a registry says.
        if API_VERSION_HEADER not in answer.response.headers:
            parse_object(answer.response.body, host)
        return answer

    async def _refuse_harbor(self) -> None:
        # The names in a challenge may be chosen by anybody's token server; Harbor's own API is the proof.
        if await is_harbor(self._transport, self._endpoint.url):
            raise OtherKind(f"{self._endpoint.host} is a Harbor, not a Docker Registry: integrate it as such.")

    async def _first_page(self, timeout_seconds: float, *, is_retried: bool) -> AuthenticatedAnswer:
        url = self._url("_catalog").with_query(n="1")
        answer = await self._send(url, _CATALOGUE_SCOPE, timeout_seconds, is_retried=is_retried)
        if answer.response.status != 200:
            raise refusal_of(answer.response, Call.CATALOGUE, self._endpoint.host)
        parse_catalogue_page(answer.response.body, self._endpoint.host)
        return answer

    async def _repository_names(self) -> set[str]:
        host = self._endpoint.host
        size: int | None = CATALOGUE_PAGE_SIZE
        names: set[str] = set()
        last: str | None = None
        seen: set[str] = set()
        for _ in range(MAX_CATALOGUE_PAGES):
            response = await self._page(size, last)
            if size is not None and _is_page_too_large(response):
                # The registry's limit is set lower, and it doesn't tell: without n it chooses itself.
                size = None
                response = await self._page(size, last)
            if response.status != 200:
                raise refusal_of(response, Call.CATALOGUE, host)
            page = parse_catalogue_page(response.body, host)
            names.update(name for name in page.names if is_repository_name(name))
            if len(names) > MAX_REPOSITORIES:
                break
            last = parse_next_last(response.headers.get("Link"), host)
            if last is None:
                return names
            if last in seen:
                raise UnexpectedAnswer(f"{host} lists its repositories in a circle.")
            seen.add(last)
        raise UnexpectedAnswer(f"{host} lists its repositories without an end.")

    async def _page(self, size: int | None, last: str | None) -> RegistryResponse:
        query = {name: str(value) for name, value in (("n", size), ("last", last)) if value is not None}
        seconds = self._settings.total_timeout_seconds * _CATALOGUE_PATIENCE
        url = self._url("_catalog").with_query(query)
        return (await self._send(url, _CATALOGUE_SCOPE, seconds, is_retried=True)).response

    async def _send(
        self, url: URL, scope: str | None, timeout_seconds: float, *, is_retried: bool
    ) -> AuthenticatedAnswer:
        request = RegistryRequest("GET", url, timeout_seconds=timeout_seconds, is_retried=is_retried)
        try:
            # Over the token exchange and all: each of its calls has the same deadline at most.
            async with asyncio.timeout(timeout_seconds):
                return await self._authentication.send(request, scope)
        except TimeoutError as error:
            raise TimedOut(f"{self._endpoint.host} did not answer within {timeout_seconds:g} seconds.") from error

    def _url(self, path: str) -> URL:
        return self._endpoint.url.joinpath("v2", path)


def spaces_of(repository_names: set[str]) -> tuple[FoundSpace, ...]:
    """Return the spaces that repositories belong to, by the first segment of their names; both sorted."""
    spaces: dict[str, list[str]] = {}
    for name in sorted(repository_names):
        first, slash, _ = name.partition("/")
        spaces.setdefault(first if slash else _SPACE_OF_BARE_NAMES, []).append(name)
    return tuple(
        FoundSpace(external_id=space, name=space, is_public=None, repository_names=tuple(names))
        for space, names in sorted(spaces.items())
    )


def repositories_of(spaces: tuple[FoundSpace, ...]) -> tuple[FoundRepository, ...]:
    """Return the repositories of spaces, sorted by name."""
    found = (
        FoundRepository(
            name=name, space_external_id=space.external_id, artifact_count=None, pull_count=None, updated_at=None
        )
        for space in spaces
        for name in space.repository_names
    )
    return tuple(sorted(found, key=lambda repository: repository.name))


def _is_page_too_large(response: RegistryResponse) -> bool:
    return response.status == 400 and any(
        entry.code == "PAGINATION_NUMBER_INVALID" for entry in parse_errors(response.body)
    )
