"""The names of a repository's tags: all of them, however they come."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from registry_clients.docker_registry.api import RegistryApi, pull_scope
from registry_clients.docker_registry.payloads import parse_next_last, parse_tag_page
from registry_clients.docker_registry.refusals import Call, is_own_not_found
from registry_clients.errors import RegistryError, TimedOut, UnexpectedAnswer
from registry_clients.image_reference import is_repository_name, is_tag
from registry_clients.transport import RegistryResponse, TransportSettings

MAX_TAG_PAGES = 5000
MAX_TAGS = 1_000_000
TAGS_DEADLINE_SECONDS = 120

REPOSITORIES_AT_ONCE = 4
"""Whose tags are asked for at a time."""

# All tags in one answer make the registry list a folder of its storage, which may be an object store.
_TAGS_PATIENCE = 3


class Tags:
    """Reads the tags of a registry's repositories."""

    def __init__(self, api: RegistryApi, settings: TransportSettings) -> None:
        self._api = api
        self._settings = settings

    async def list(self, repository_name: str) -> tuple[str, ...] | None:
        """Return the names of all tags, sorted; None when there is no such repository.

        One that never had a tag is not told from none, though the catalogue lists it; one whose tags are all gone
        has none. Raises UnexpectedAnswer when the list goes in circles or has no end, TimedOut after two minutes.
        """
        if not is_repository_name(repository_name):
            return None
        try:
            async with asyncio.timeout(TAGS_DEADLINE_SECONDS):
                names = await self._names(repository_name)
        except TimeoutError as error:
            raise TimedOut(f"{self._api.host} did not list all within {TAGS_DEADLINE_SECONDS} seconds.") from error
        return None if names is None else tuple(sorted(names))

    async def known_among(self, repository_names: Collection[str]) -> set[str]:
        """Return those of the repositories that have a list of tags.

        One that can't be asked for is left out, and keeps no other from being found. Raises as `list` does when none
        can be asked for.
        """
        waiting = list(repository_names)
        known: set[str] = set()
        failures: list[RegistryError] = []

        async def ask() -> None:
            while waiting:
                name = waiting.pop()
                try:
                    if await self.list(name) is not None:
                        known.add(name)
                except RegistryError as error:
                    failures.append(error)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(REPOSITORIES_AT_ONCE, len(waiting))):
                group.create_task(ask())
        if failures and len(failures) == len(repository_names):
            raise failures[0]
        return known

    async def _names(self, repository_name: str) -> set[str] | None:
        host = self._api.host
        names: set[str] = set()
        last: str | None = None
        seen: set[str] = set()
        for _ in range(MAX_TAG_PAGES):
            response = await self._page(repository_name, last)
            if response.status == 404 and is_own_not_found(response):
                return None
            if response.status != 200:
                raise self._api.refusal(response, Call.TAGS)
            names.update(name for name in parse_tag_page(response.body, host) if is_tag(name))
            if len(names) > MAX_TAGS:
                break
            last = parse_next_last(response.headers.get("Link"), host)
            if last is None:
                return names
            if last in seen:
                raise UnexpectedAnswer(f"{host} lists the tags of a repository in a circle.")
            seen.add(last)
        raise UnexpectedAnswer(f"{host} lists the tags of a repository without an end.")

    async def _page(self, repository_name: str, last: str | None) -> RegistryResponse:
        # Without n: 2.8 passes it over, 3 gives all at once without it, and who pages all the same says so by a Link.
        query = None if last is None else {"last": last}
        seconds = self._settings.total_timeout_seconds * _TAGS_PATIENCE
        path, scope = f"{repository_name}/tags/list", pull_scope(repository_name)
        return (await self._api.send("GET", path, scope, query=query, timeout_seconds=seconds)).response
