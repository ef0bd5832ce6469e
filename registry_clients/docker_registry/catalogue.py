"""The list of all repositories: pages of it, and the spaces that names of repositories make."""

import asyncio

from registry_clients.docker_registry.api import RegistryApi
from registry_clients.docker_registry.authentication import AuthenticatedAnswer
from registry_clients.docker_registry.payloads import parse_catalogue_page, parse_next_last
from registry_clients.docker_registry.refusals import Call
from registry_clients.error_bodies import parse_errors
from registry_clients.errors import TimedOut, UnexpectedAnswer
from registry_clients.image_reference import is_repository_name
from registry_clients.records import FoundRepository, FoundSpace
from registry_clients.transport import RegistryResponse, TransportSettings

# The registry's own upper limit by default; a page costs the more the further back it is, so ask for few.
CATALOGUE_PAGE_SIZE = 1000
MAX_CATALOGUE_PAGES = 5000
MAX_REPOSITORIES = 1_000_000
CATALOGUE_DEADLINE_SECONDS = 600

# A page of the catalogue makes the registry walk its storage, which may be an object store.
_CATALOGUE_PATIENCE = 3

_PATH = "_catalog"
_SCOPE = "registry:catalog:*"

# Names of one segment ("web") have no space of their own. `web` and `library/web` are two repositories here.
_SPACE_OF_BARE_NAMES = "library"


class Catalogue:
    """Reads the names of a registry's repositories."""

    def __init__(self, api: RegistryApi, settings: TransportSettings) -> None:
        self._api = api
        self._settings = settings

    async def read_first(self, timeout_seconds: float, *, is_retried: bool) -> AuthenticatedAnswer:
        """Return the answer with the first name alone: whether it can be read at all. Raises what keeps it."""
        answer = await self._api.send(
            "GET", _PATH, _SCOPE, query={"n": "1"}, timeout_seconds=timeout_seconds, is_retried=is_retried
        )
        if answer.response.status != 200:
            raise self._api.refusal(answer.response, Call.CATALOGUE)
        parse_catalogue_page(answer.response.body, self._api.host)
        return answer

    async def list(self) -> set[str]:
        """Return all names that can be pulled.

        Raises UnexpectedAnswer when the catalogue goes in circles or has no end, TimedOut after ten minutes.
        """
        try:
            async with asyncio.timeout(CATALOGUE_DEADLINE_SECONDS):
                return await self._names()
        except TimeoutError as error:
            raise TimedOut(f"{self._api.host} did not list all within {CATALOGUE_DEADLINE_SECONDS} seconds.") from error

    async def _names(self) -> set[str]:
        host = self._api.host
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
                raise self._api.refusal(response, Call.CATALOGUE)
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
        return (await self._api.send("GET", _PATH, _SCOPE, query=query, timeout_seconds=seconds)).response


def space_of(repository_name: str) -> str:
    """Return the name of the space that a repository belongs to."""
    first, slash, _ = repository_name.partition("/")
    return first if slash else _SPACE_OF_BARE_NAMES


def spaces_of(repository_names: set[str]) -> tuple[FoundSpace, ...]:
    """Return the spaces that repositories belong to, by the first segment of their names; both sorted."""
    spaces: dict[str, list[str]] = {}
    for name in sorted(repository_names):
        spaces.setdefault(space_of(name), []).append(name)
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
