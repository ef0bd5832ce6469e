"""How much Harbor stores: in all by its statistics, for each project by its quota."""

from registry_clients.errors import NotAnAdministrator
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.json_fields import parse_object
from registry_clients.harbor.payloads import parse_statistics, parse_summary
from registry_clients.harbor.projects import Projects
from registry_clients.harbor.refusals import Caller
from registry_clients.records import FoundSpace, SpaceSummary, StorageStatistics


class Storage:
    """Reads sizes. The sum over projects is larger than the total, for blobs that they share."""

    def __init__(self, api: HarborApi, projects: Projects) -> None:
        self._api = api
        self._projects = projects

    async def read_statistics(self) -> StorageStatistics:
        """Return what is stored and not yet collected, each blob once.

        Raises NotAnAdministrator for zeros that are told to those who may not know (seen on 2.16.0): every Harbor
        has a project, and who has seen one was told of it beside the zeros.
        """
        response = await self._api.send(ApiCall("GET", ("statistics",), Caller.ADMINISTRATOR))
        statistics = parse_statistics(response.body, self._api.host)
        own = parse_object(response.body, self._api.host)
        if not statistics.space_count and own.count("private_project_count") + own.count("public_project_count"):
            raise NotAnAdministrator(f"{self._api.host} tells its totals to administrators alone.", http_status=200)
        return statistics

    async def summarize(self, space: FoundSpace) -> SpaceSummary | None:
        """Return what a project holds, None when it is gone.

        By its id, so that a project made again under the same name is not taken for it.
        """
        call = ApiCall("GET", ("projects", space.external_id, "summary"), Caller.ROUTINE)
        response = await self._api.send(call, taken=(200, 403, 404))
        if response.status == 403:
            # To all but administrators a project that isn't there is 403 as well (seen on 2.16.0).
            found = await self._projects.look_at(space.name)
            if found is not None and found.external_id == space.external_id:
                raise self._api.refusal(call, response)
        return None if response.status != 200 else parse_summary(response.body, self._api.host)
