"""Projects: made, listed, changed, deleted; their summaries and metadata."""

import re
from collections import Counter
from typing import Any

from tests.doubles.harbor.answers import (
    Answer,
    Refused,
    bad_request,
    conflict,
    created,
    empty,
    forbidden,
    json_answer,
    not_found,
    unauthorized,
    unprocessable,
)
from tests.doubles.harbor.callers import Caller
from tests.doubles.harbor.queries import Fields, harbor_time, is_true, list_answer
from tests.doubles.harbor.records import DEVELOPER, GUEST, MAINTAINER, PROJECT_ADMIN, UNSET_TIME, Access, Project
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.surroundings import Surroundings, require_project

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_HOLDS_REPOSITORIES = "the project contains repositories, can not be deleted"

FIELDS: Fields[Project] = {
    "name": lambda project: project.name,
    "project_id": lambda project: project.id,
    "public": lambda project: project.metadata.get("public"),
    "owner_id": lambda project: project.owner_id,
    "creation_time": lambda project: project.created_at,
    "update_time": lambda project: project.updated_at,
}


def visible_projects(harbor: Surroundings, caller: Caller) -> list[Project]:
    """Return the projects that lists show to a caller: a robot's own, though it may not read them."""
    if caller.is_administrator or caller.may_in_system(Access("project", "list")):
        return list(harbor.state.projects.values())
    # Lists read the text itself: "TRUE" can be read by all, and is in nobody's list.
    return [
        project
        for project in harbor.state.projects.values()
        if project.metadata.get("public") == "true" or _is_of(caller, project)
    ]


def _is_of(caller: Caller, project: Project) -> bool:
    if caller.user is not None:
        return project.role_of(caller.user.id) is not None
    return caller.robot is not None and any(
        one.kind == "project" and one.project_id in (project.id, None) for one in caller.robot.permissions
    )


def projects(harbor: Surroundings, call: Call) -> Answer:
    """List projects; without detail there is no metadata, and so no visibility."""
    found = visible_projects(harbor, call.caller)
    if "name" in call.query:
        found = [one for one in found if call.query["name"] in one.name]
    if "public" in call.query:
        found = [one for one in found if one.metadata.get("public") == call.query["public"]]
    if "owner" in call.query:
        owner = harbor.state.users.get(call.query["owner"])
        found = [one for one in found if owner is not None and one.owner_id == owner.id]
    detail = is_true(call, "with_detail", otherwise=True)
    return list_answer(
        call, found, FIELDS, lambda one: _shown(harbor, call.caller, one, with_detail=detail), sort="name"
    )


def project_exists(harbor: Surroundings, call: Call) -> Answer:
    """Tell whether a name is taken, to whoever is logged in."""
    if not call.caller.is_known:
        raise unauthorized()
    name = call.query.get("project_name", "")
    if harbor.state.project_named(name) is None:
        raise not_found(f"project {name}")
    return empty()


def create_project(harbor: Surroundings, call: Call) -> Answer:
    """Make a project. The id is in the Location alone."""
    body = call.json_object("project", "ProjectReq")
    name = body.get("project_name", "")
    if not isinstance(name, str):
        raise call.wrong_field("project", "ProjectReq", "project_name", name, "string")
    metadata = _metadata(call, body)
    if len(name) > 255:
        raise unprocessable("validation failure list:\nproject_name in body should be at most 255 chars long")
    caller = call.caller
    if not caller.is_known:
        raise unauthorized()
    if caller.user is None and not caller.may_in_system(Access("project", "create")):
        raise forbidden(caller.name)
    if not name:
        raise bad_request(f"Project name {name} is illegal in length. (greater than 255 or less than 1)")
    if not _NAME.fullmatch(name):
        raise bad_request("project name is not in lower case or contains illegal characters")
    limit_bytes = int(body.get("storage_limit") or -1)
    if limit_bytes < -1:
        raise bad_request(f"bad request: invalid non-positive value for quota limit, value={limit_bytes}")
    public = metadata.get("public", "false")
    if public.lower() not in ("true", "false"):
        raise bad_request(f"metadata.public should only be 'true' or 'false', but got: '{public}'")
    if harbor.state.project_named(name) is not None:
        # The database gave the id before it found the name taken.
        harbor.state.take_id("project")
        raise conflict(f"The project named {name} already exists")
    project = harbor.state.create_project(name, metadata, caller.user, limit_bytes, caller.name)
    return created(f"{API}/projects/{project.id}")


def project(harbor: Surroundings, call: Call) -> Answer:
    """Give one project, by name or id."""
    found = require_project(harbor, call, ".", "read")
    return json_answer(_shown(harbor, call.caller, found, with_detail=True))


def update_project(harbor: Surroundings, call: Call) -> Answer:
    """Merge metadata, whatever it says; name and limit are passed over."""
    found = require_project(harbor, call, ".", "update")
    harbor.state.update_project(found, _metadata(call, call.json_object("project", "ProjectReq")), call.caller.name)
    return empty()


def delete_project(harbor: Surroundings, call: Call) -> Answer:
    """Delete a project without repositories."""
    found = require_project(harbor, call, ".", "delete")
    if found.repositories:
        raise Refused(412, "PRECONDITION", f"precondition failed: {_HOLDS_REPOSITORIES}")
    harbor.state.delete_project(found, call.caller.name)
    return empty()


def deletable(harbor: Surroundings, call: Call) -> Answer:
    """Tell whether a project can be deleted; when not, ``deletable`` is left out."""
    found = require_project(harbor, call, ".", "delete")
    return json_answer({"message": _HOLDS_REPOSITORIES} if found.repositories else {"deletable": True})


def summary(harbor: Surroundings, call: Call) -> Answer:
    """Count members and repositories, and give the quota to who may read it."""
    found = require_project(harbor, call, ".", "read")
    roles = Counter(member.role_id for member in found.members)
    names = {
        PROJECT_ADMIN: "project_admin_count",
        MAINTAINER: "maintainer_count",
        DEVELOPER: "developer_count",
        GUEST: "guest_count",
    }
    shown: dict[str, Any] = {name: roles[role] for role, name in names.items() if roles[role]}
    is_counted = harbor.state.settings["quota_per_project_enable"] and found.quota is not None
    if is_counted and found.quota and call.caller.may_in_project(found, Access("quota", "read")):
        shown["quota"] = {"hard": {"storage": found.quota.limit_bytes}, "used": {"storage": found.used_bytes}}
    return json_answer(shown | {"repo_count": len(found.repositories)})


def metadatum(harbor: Surroundings, call: Call) -> Answer:
    """Give one metadata value."""
    found = require_project(harbor, call, "metadata", "read")
    key = call.parameters["key"]
    return json_answer({key: found.metadata[key]} if key in found.metadata else {})


def put_metadatum(harbor: Surroundings, call: Call) -> Answer:
    """Set one metadata value."""
    found = require_project(harbor, call, "metadata", "update")
    key = call.parameters["key"]
    found.metadata[key] = str(call.json_object("metadata", "Metadata")[key])
    return empty()


def _metadata(call: Call, body: dict[str, Any]) -> dict[str, str]:
    metadata: dict[str, str] = body.get("metadata") or {}
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise call.wrong_field("project", "ProjectMetadata", f"metadata.{key}", value, "string")
    return metadata


def _shown(harbor: Surroundings, caller: Caller, project: Project, *, with_detail: bool) -> dict[str, Any]:
    unset = harbor_time(UNSET_TIME)
    role = None if caller.user is None else project.role_of(caller.user.id)
    if caller.is_administrator:
        role = PROJECT_ADMIN
    shown: dict[str, Any] = {
        "creation_time": harbor_time(project.created_at),
        "current_user_role_ids": None if role is None else [role],
        "cve_allowlist": {"creation_time": unset, "items": None, "update_time": unset},
        "name": project.name,
        "owner_id": project.owner_id,
        "project_id": project.id,
        "repo_count": len(project.repositories),
        "update_time": harbor_time(project.updated_at),
    }
    if role is not None:
        shown["current_user_role_id"] = role
    if with_detail:
        owner = harbor.state.user_by_id(project.owner_id)
        shown |= {"metadata": project.metadata, "owner_name": owner.username if owner else ""}
        shown["cve_allowlist"] |= {"id": project.allowlist_id, "items": [], "project_id": project.id}
    return shown


_ONE = f"{API}/projects/{{project}}"

ROUTES = (
    Route("GET", f"{API}/projects", projects),
    Route("POST", f"{API}/projects", create_project),
    Route("HEAD", f"{API}/projects", project_exists),
    Route("GET", _ONE, project),
    Route("PUT", _ONE, update_project),
    Route("DELETE", _ONE, delete_project),
    Route("GET", f"{_ONE}/_deletable", deletable),
    Route("GET", f"{_ONE}/summary", summary),
    Route("GET", f"{_ONE}/metadatas/{{key}}", metadatum),
    Route("PUT", f"{_ONE}/metadatas/{{key}}", put_metadatum),
)
