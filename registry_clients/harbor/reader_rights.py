"""Whether the reader robot may still see everything: a list that Harbor cut short looks like any other."""

from registry_clients.errors import CredentialRejected
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.json_fields import parse_objects
from registry_clients.harbor.refusals import Caller
from registry_clients.harbor.robots import READER_GRANTS, bare_reader_name, robot_of


async def require_reader_rights(api: HarborApi) -> None:
    """Ask Harbor what our reader robot may do, as that robot. Does nothing where the administrator reads.

    A robot without the right to list projects is told of the public ones, with status 200 (seen on 2.16.0): what
    is missing would be taken for deleted. Raises CredentialRejected when it may do less than it was made for.
    """
    name = None if api.reader is None else bare_reader_name(api.reader.username)
    if api.reader is None or name is None:
        return
    call = ApiCall("GET", ("robots",), Caller.ROUTINE, {"page_size": "10", "q": f"name={name}"})
    response = await api.send(call)
    for robot in map(robot_of, parse_objects(response.body, api.host)):
        if robot.name == api.reader.username and robot.grants >= READER_GRANTS:
            return
    raise CredentialRejected(
        f"Our reader robot at {api.host} may no longer read everything: its permissions were cut.",
        http_status=response.status,
    )
