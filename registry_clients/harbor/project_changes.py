"""Making, opening, closing and deleting projects, as the administrator."""

from registry_clients.errors import UnexpectedAnswer
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.refusals import Caller, says
from registry_clients.records import FoundSpace
from registry_clients.refusals import (
    QuotaExceeded,
    SpaceGone,
    SpaceNameHeld,
    SpaceNotAccepted,
    SpaceNotEmpty,
)
from registry_clients.transport import RegistryResponse

_QUOTA_SIGN = "exceed the configured upper limit"


class ProjectChanges:
    """Changes the projects of one Harbor. What is there already is named by its id: names can be used again."""

    def __init__(self, api: HarborApi) -> None:
        self._api = api

    async def create(self, name: str, *, is_public: bool, quota_limit_bytes: int | None) -> FoundSpace:
        """Make a project. Its id comes in the header `Location` alone (seen on 2.16.0).

        ``quota_limit_bytes`` counts only here: later it is the quota that is changed. Raises SpaceNameHeld,
        SpaceNotAccepted, QuotaExceeded.
        """
        body: dict[str, object] = {"project_name": name, "metadata": _visibility(is_public=is_public)}
        if quota_limit_bytes is not None:
            body["storage_limit"] = quota_limit_bytes
        call = ApiCall("POST", ("projects",), Caller.ADMINISTRATOR, body=body)
        response = await self._send(call, name, taken=(201, 400, 409, 422))
        words = self._api.words_of(response)
        if response.status == 409:
            raise SpaceNameHeld(name, f"There is a space of that name at {self._api.host}.", registry_message=words)
        if response.status != 201:
            raise SpaceNotAccepted(name, f"{self._api.host} makes no such space.", registry_message=words)
        project_id = response.headers.get("Location", "").rstrip("/").rpartition("/")[2]
        if not (project_id.isascii() and project_id.isdigit()):
            raise UnexpectedAnswer(f"{self._api.host} made the space and doesn't tell its id.", http_status=201)
        return FoundSpace(external_id=project_id, name=name, is_public=is_public)

    async def set_visibility(self, space: FoundSpace, *, is_public: bool) -> None:
        """Open a project or close it; all other metadata stays. Raises SpaceGone."""
        body = {"metadata": _visibility(is_public=is_public)}
        call = ApiCall("PUT", ("projects", space.external_id), Caller.ADMINISTRATOR, body=body)
        response = await self._send(call, space.name, taken=(200, 404))
        if response.status == 404:
            raise self._gone(space, response)

    async def delete(self, space: FoundSpace) -> None:
        """Delete a project. Raises SpaceNotEmpty, also for repositories without artifacts, and SpaceGone."""
        call = ApiCall("DELETE", ("projects", space.external_id), Caller.ADMINISTRATOR)
        response = await self._send(call, space.name, taken=(200, 404, 412))
        if response.status == 404:
            raise self._gone(space, response)
        if response.status == 412:
            raise SpaceNotEmpty(
                space.name,
                f"The space still holds repositories at {self._api.host}.",
                registry_message=self._api.words_of(response),
            )

    async def _send(self, call: ApiCall, name: str, taken: tuple[int, ...]) -> RegistryResponse:
        response = await self._api.send(call, taken=(*taken, 403))
        if response.status != 403:
            return response
        if says(response, _QUOTA_SIGN):
            message = f"A limit on storage at {self._api.host} forbids it."
            raise QuotaExceeded(name, message, registry_message=self._api.words_of(response))
        raise self._api.refusal(call, response)

    def _gone(self, space: FoundSpace, response: RegistryResponse) -> SpaceGone:
        message = f"There is no such space at {self._api.host} any more."
        return SpaceGone(space.name, message, registry_message=self._api.words_of(response))


def _visibility(*, is_public: bool) -> dict[str, str]:
    # A text: a boolean is 422 (seen on 2.16.0).
    return {"public": "true" if is_public else "false"}
