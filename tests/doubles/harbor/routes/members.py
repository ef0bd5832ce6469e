"""Members of a project."""

from typing import Any

from tests.doubles.harbor.answers import Answer, Refused, bad_request, conflict, created, empty, json_answer, not_found
from tests.doubles.harbor.queries import Fields, list_answer
from tests.doubles.harbor.records import DEVELOPER, GUEST, MAINTAINER, PROJECT_ADMIN, Member, Project
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.surroundings import Surroundings, require_project

_ROLES = {PROJECT_ADMIN: "projectAdmin", DEVELOPER: "developer", GUEST: "guest", MAINTAINER: "maintainer"}
_FIELDS: Fields[Member] = {"id": lambda member: member.id}


def members(harbor: Surroundings, call: Call) -> Answer:
    """List the members of a project."""
    project = require_project(harbor, call, "member", "list")
    return list_answer(call, project.members, _FIELDS, lambda one: _shown(harbor, project, one), sort="id")


def add_member(harbor: Surroundings, call: Call) -> Answer:
    """Make a user a member."""
    project = require_project(harbor, call, "member", "create")
    body = call.json_object("projectMember", "ProjectMember")
    _require_role(body)
    username = str(body["member_user"]["username"])
    user = harbor.state.users.get(username)
    if user is None:
        raise Refused(404, "NOT_FOUND", f"user {username} is not found")
    if project.role_of(user.id) is not None:
        raise conflict("The project member specified already exist")
    member = Member(harbor.state.take_id("member"), user.id, body["role_id"])
    project.members.append(member)
    harbor.state.audit_log.write(
        "create",
        "member",
        username,
        call.caller.name,
        description=f"create user member {username} in project {project.name}",
        project_id=project.id,
    )
    return created(f"{API}/projects/{project.name}/members/{member.id}")


def member(harbor: Surroundings, call: Call) -> Answer:
    """Give one member."""
    project = require_project(harbor, call, "member", "read")
    return json_answer(_shown(harbor, project, _find(project, call)))


def change_role(harbor: Surroundings, call: Call) -> Answer:
    """Change a member's role."""
    found = _find(require_project(harbor, call, "member", "update"), call)
    body = call.json_object("role", "RoleRequest")
    _require_role(body)
    found.role_id = body["role_id"]
    return empty()


def remove_member(harbor: Surroundings, call: Call) -> Answer:
    """Take a member out."""
    project = require_project(harbor, call, "member", "delete")
    project.members.remove(_find(project, call))
    return empty()


def _require_role(body: dict[str, Any]) -> None:
    if body.get("role_id") not in _ROLES:
        raise bad_request("Failed to update project member, role is not in 1,2,3")


def _find(project: Project, call: Call) -> Member:
    member_id = call.path_id("mid")
    found = next((one for one in project.members if one.id == member_id), None)
    if found is None:
        raise not_found(f"member {member_id}")
    return found


def _shown(harbor: Surroundings, project: Project, member: Member) -> dict[str, Any]:
    user = harbor.state.user_by_id(member.user_id)
    return {
        "entity_id": member.user_id,
        "entity_name": user.username if user else "",
        "entity_type": "u",
        "id": member.id,
        "project_id": project.id,
        "role_id": member.role_id,
        "role_name": _ROLES[member.role_id],
    }


_ALL = f"{API}/projects/{{project}}/members"
_ONE = f"{_ALL}/{{mid}}"

ROUTES = (
    Route("GET", _ALL, members),
    Route("POST", _ALL, add_member),
    Route("GET", _ONE, member),
    Route("PUT", _ONE, change_role),
    Route("DELETE", _ONE, remove_member),
)
