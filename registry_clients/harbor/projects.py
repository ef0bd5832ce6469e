"""Harbor's projects, which are spaces."""

import re
from functools import partial

from registry_clients.errors import CredentialRejected, UnexpectedAnswer
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.json_fields import parse_object, parse_objects
from registry_clients.harbor.paging import PAGE_SIZE, Page, list_everything, total_count_of
from registry_clients.harbor.payloads import space_of
from registry_clients.harbor.reader_rights import require_reader_rights
from registry_clients.harbor.refusals import Caller
from registry_clients.records import FoundSpace

# Harbor makes none of these, and they would lead elsewhere in a path.
_NO_PROJECT_NAMES = frozenset({"", ".", ".."})

PROJECT_NAME_RULE = (
    "A name here has lower-case letters and digits, with single dots, dashes or underscores between them;"
    " 255 characters at most."
)

# Seen on 2.16.0: what isn't so is 400, and more than 255 characters are 422.
_PROJECT_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_MAX_PROJECT_NAME_CHARACTERS = 255


def is_project_name(name: str) -> bool:
    """Say whether Harbor makes a project of that name, as `PROJECT_NAME_RULE` says."""
    return len(name) <= _MAX_PROJECT_NAME_CHARACTERS and _PROJECT_NAME.fullmatch(name) is not None


class Projects:
    """Reads the projects of one Harbor."""

    def __init__(self, api: HarborApi) -> None:
        self._api = api

    async def list(self) -> tuple[FoundSpace, ...]:
        """Return every project, sorted by name.

        With detail, which is the default: without it there is no visibility (seen on 2.16.0). Raises
        CredentialRejected when the reader robot was cut: it would be told the public ones alone, with status 200.
        """
        await require_reader_rights(self._api)
        spaces = await list_everything(self._page, lambda space: space.external_id, self._api.host)
        return tuple(sorted(spaces, key=lambda space: space.name))

    async def look_at(self, name: str) -> FoundSpace | None:
        """Return the project of a name, None when there is none."""
        if name in _NO_PROJECT_NAMES or "/" in name:
            return None
        call = ApiCall("GET", ("projects", name), Caller.ROUTINE, is_by_name=True)
        try:
            response = await self._api.send(call, taken=(200, 404))
        except CredentialRejected as error:
            if error.http_status != 403 or not self._api.has_reader(call.caller):
                raise
            # To all but administrators a project that isn't there is 403 as well (seen on 2.16.0).
            return await self._find(name)
        if response.status == 404:
            return None
        return self._named(name, space_of(parse_object(response.body, self._api.host), self._api.host))

    async def _find(self, name: str) -> FoundSpace | None:
        await require_reader_rights(self._api)
        page = await self._page(1, q=f"name={name}")
        return self._named(name, page.entries[0]) if page.entries else None

    def _named(self, name: str, space: FoundSpace) -> FoundSpace:
        if space.name != name:
            raise UnexpectedAnswer(f"{self._api.host} answers with another project than was asked for.")
        return space

    async def _page(self, number: int, **filters: str) -> Page[FoundSpace]:
        query = {"page": str(number), "page_size": str(PAGE_SIZE), "sort": "name", **filters}
        response = await self._api.send(ApiCall("GET", ("projects",), Caller.ROUTINE, query))
        parse = partial(space_of, host=self._api.host)
        return Page(tuple(map(parse, parse_objects(response.body, self._api.host))), total_count_of(response))
