"""What every route is handed: the memory, the tokens, and the addresses that Harbor puts in answers."""

from dataclasses import dataclass, field

from tests.doubles.harbor.answers import forbidden, not_found, unauthorized
from tests.doubles.harbor.callers import Caller
from tests.doubles.harbor.records import Access, Project, Repository
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.state import HarborState
from tests.doubles.harbor.tokens import TokenIssuer


@dataclass
class Surroundings:
    """One Harbor, for its routes."""

    state: HarborState
    tokens: TokenIssuer
    external_url: str
    version: str
    # What was uploaded and is in no image yet, by upload and by digest.
    uploads: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def registry_host(self) -> str:
        """The host that images are named by."""
        return self.external_url.partition("://")[2]


def require_system(caller: Caller, resource: str, action: str, *, nobody: str = "unauthorized") -> None:
    """Refuse who may not do something to the system: 401 to nobody, 403 with the caller's own name to others."""
    if not caller.is_known:
        raise unauthorized(nobody)
    if not caller.may_in_system(Access(resource, action)):
        raise forbidden(caller.name)


def require_project(harbor: Surroundings, call: Call, resource: str, action: str) -> Project:
    """Return the project of the path. Who is no administrator is told 403, not 404, of one that isn't there."""
    name = call.parameters["project"]
    project = _find(harbor.state, name, is_name=call.request.headers.get("X-Is-Resource-Name") == "true")
    if project is not None and call.caller.may_in_project(project, Access(resource, action)):
        return project
    if not call.caller.is_known:
        raise unauthorized()
    if project is None and call.caller.is_administrator:
        raise not_found(f"project {name}")
    raise forbidden()


def require_repository(harbor: Surroundings, call: Call, resource: str, action: str) -> tuple[Project, Repository]:
    """Return project and repository of the path."""
    project = require_project(harbor, call, resource, action)
    name = call.repository_name()
    repository = project.repositories.get(name)
    if repository is None:
        raise not_found(f"repository {project.name}/{name}")
    return project, repository


def _find(state: HarborState, name: str, *, is_name: bool) -> Project | None:
    if name.isdigit() and not is_name:
        return state.projects.get(int(name))
    return state.project_named(name)
