"""The robot that we read with: made, looked at, replaced and removed as the administrator."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from registry_clients.endpoint import Credential
from registry_clients.errors import CredentialRejected, ReadOnly, RegistryError
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.json_fields import parse_object, parse_objects
from registry_clients.harbor.paging import PAGE_SIZE, Page, list_everything, total_count_of
from registry_clients.harbor.refusals import Caller
from registry_clients.harbor.robots import (
    READER_GRANTS,
    NewRobot,
    Robot,
    marker_of,
    parse_new_robot,
    parse_offered,
    permissions_body,
    reader_name,
    readers_like,
    robot_of,
)
from registry_clients.records import ReaderCredential, ReaderFlaw, ReaderState
from registry_clients.refusals import NoReader, NoReaderCredential

_NEVER_EXPIRES = -1


def make_secret() -> str:
    """Return a secret such as Harbor takes: 8 to 128 letters, with an upper and a lower one and a digit."""
    return f"Aa1{secrets.token_urlsafe(32)}"


class ReaderRobots:
    """Makes and removes reader robots at one Harbor; touches none that isn't ours by its name."""

    def __init__(
        self,
        api: HarborApi,
        new_secret: Callable[[], str] = make_secret,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take where secrets come from, and a clock that tells seconds since 1970."""
        self._api = api
        self._new_secret = new_secret
        self._clock = clock

    async def make(self, marker: str) -> ReaderCredential:
        """Make a robot and give it a secret of our own.

        Raises NoReaderCredential when Harbor is too old for one that may do all we need, won't make it, or is
        in read-only mode.
        """
        name = reader_name(marker, secrets.token_hex(4))
        try:
            await self._require_offered()
            robot = await self._create(name, marker)
        except ReadOnly as error:
            raise NoReaderCredential(
                NoReader.READ_ONLY, error.message, registry_message=error.registry_message
            ) from error
        except CredentialRejected as error:
            # 401 says nothing of robots: the credential itself is at fault.
            if error.http_status != 403:
                raise
            raise NoReaderCredential(
                NoReader.REFUSED,
                f"This user may make no robots at {self._api.host}.",
                registry_message=error.registry_message,
            ) from error
        secret = self._new_secret()
        try:
            await self._api.send(
                ApiCall("PATCH", ("robots", str(robot.id)), Caller.ADMINISTRATOR, body={"secret": secret})
            )
        except BaseException:
            # Cancelled as well: a robot whose secret nobody knows is of no use to anybody.
            with suppress(RegistryError):
                await self._delete(robot.id)
            raise
        return ReaderCredential(str(robot.id), Credential(robot.name, secret))

    async def look_at(self, external_id: str) -> ReaderState:
        """Return how a robot of ours stands. Its name may be another than before: the prefix is Harbor's setting."""
        robot = await self._ours(external_id)
        if robot is None:
            return ReaderState(name=None, flaw=ReaderFlaw.GONE)
        flaw = None
        if robot.is_disabled:
            flaw = ReaderFlaw.DISABLED
        elif 0 < robot.expires_at_seconds <= self._clock():
            flaw = ReaderFlaw.EXPIRED
        elif not robot.grants >= READER_GRANTS:
            flaw = ReaderFlaw.CUT
        return ReaderState(name=robot.name, flaw=flaw)

    async def refresh(self, external_id: str) -> str | None:
        """Return a robot's present name, None when it is of no use."""
        state = await self.look_at(external_id)
        return state.name if state.flaw is None else None

    async def remove(self, external_id: str) -> None:
        """Delete a robot of ours, if it is there."""
        robot = await self._ours(external_id)
        if robot is not None:
            await self._delete(robot.id)

    async def remove_strays(self, marker: str, but: str | None) -> int:
        """Delete all readers with a marker, but one by its id. Return how many were deleted."""
        read_page = partial(self._page, readers_like(marker))
        found = await list_everything(read_page, lambda robot: str(robot.id), self._api.host)
        removed = 0
        for robot in found:
            # Looked at again: filters are fuzzy, and what Harbor doesn't know is passed over.
            if marker_of(robot.name) == marker and str(robot.id) != but:
                removed += await self._delete(robot.id)
        return removed

    async def _require_offered(self) -> None:
        call = ApiCall("GET", ("permissions",), Caller.ADMINISTRATOR)
        response = await self._api.send(call, taken=(200, 404))
        offered = parse_offered(response.body, self._api.host) if response.status == 200 else frozenset()
        missing = sorted(READER_GRANTS - offered)
        if missing:
            names = ", ".join(f"{grant.resource}:{grant.action}" for grant in missing[:5])
            raise NoReaderCredential(
                NoReader.NOT_OFFERED,
                f"The Harbor at {self._api.host} is too old for a reader robot: it can't be given {names}."
                if offered
                else f"The Harbor at {self._api.host} is too old for a reader robot.",
                registry_message=self._api.words_of(response) if response.status == 404 else None,
            )

    async def _create(self, name: str, marker: str) -> NewRobot:
        body = {
            "name": name,
            "level": "system",
            "duration": _NEVER_EXPIRES,
            "disable": False,
            "description": (
                f"Reads for Integrated Registry, installation {marker}. It can't pull. Made again when deleted."
            ),
            "permissions": permissions_body(READER_GRANTS),
        }
        call = ApiCall("POST", ("robots",), Caller.ADMINISTRATOR, body=body)
        response = await self._api.send(call, taken=(201, 400, 404, 409))
        if response.status != 201:
            raise NoReaderCredential(
                NoReader.NOT_OFFERED if response.status == 404 else NoReader.REFUSED,
                f"The Harbor at {self._api.host} does not make the reader robot.",
                registry_message=self._api.words_of(response),
            )
        return parse_new_robot(response.body, self._api.host)

    async def _ours(self, external_id: str) -> Robot | None:
        """Return a robot by its id if it is a reader of ours.

        After Harbor was restored from a backup the id may be somebody else's: so the name must fit too, and be
        of the installation that our present reader is of, where there is one.
        """
        call = ApiCall("GET", ("robots", external_id), Caller.ADMINISTRATOR)
        response = await self._api.send(call, taken=(200, 404))
        if response.status == 404:
            return None
        robot = robot_of(parse_object(response.body, self._api.host))
        marker = marker_of(robot.name)
        known = None if self._api.reader is None else marker_of(self._api.reader.username)
        return robot if marker is not None and known in (None, marker) else None

    async def _delete(self, robot_id: int) -> bool:
        call = ApiCall("DELETE", ("robots", str(robot_id)), Caller.ADMINISTRATOR)
        response = await self._api.send(call, taken=(200, 404))
        return response.status == 200

    async def _page(self, name_part: str, number: int) -> Page[Robot]:
        query = {"page": str(number), "page_size": str(PAGE_SIZE), "sort": "name", "q": f"name=~{name_part}"}
        response = await self._api.send(ApiCall("GET", ("robots",), Caller.ADMINISTRATOR, query))
        return Page(tuple(map(robot_of, parse_objects(response.body, self._api.host))), total_count_of(response))
