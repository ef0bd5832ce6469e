"""Who one is, what one may do, and what can be given to a robot."""

from collections.abc import Iterable
from typing import Any

from tests.doubles.harbor.answers import Answer, Refused, forbidden, json_answer, not_found, unauthorized
from tests.doubles.harbor.permissions import grantable
from tests.doubles.harbor.queries import harbor_time, list_answer
from tests.doubles.harbor.records import PROJECT_ADMIN, Access, User
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.surroundings import Surroundings, require_system


def current_user(harbor: Surroundings, call: Call) -> Answer:
    """Tell a user about themselves. A robot is none: 412."""
    if call.caller.robot is not None:
        raise Refused(412, "PRECONDITION", "get current user not available for security context: robot")
    if call.caller.user is None:
        raise unauthorized()
    return json_answer(_shown(call.caller.user))


def current_permissions(harbor: Surroundings, call: Call) -> Answer:
    """List what the caller may do in the system or in one project; nothing without a scope."""
    if not call.caller.is_known:
        raise unauthorized()
    scope = call.query.get("scope", "")
    if scope == "/system":
        return _listed(call.caller.system_permissions())
    if scope.startswith("/project/"):
        project = harbor.state.projects.get(int(scope.removeprefix("/project/")))
        return _listed(() if project is None else call.caller.accesses_in(project))
    return _listed(())


def permissions(harbor: Surroundings, call: Call) -> Answer:
    """List what robots can be given, to administrators of the system or of a project."""
    caller = call.caller
    if not caller.is_known:
        raise unauthorized("")
    projects = harbor.state.projects.values()
    is_project_admin = caller.user is not None and any(
        project.role_of(caller.user.id) == PROJECT_ADMIN for project in projects
    )
    if not caller.is_administrator and not is_project_admin:
        raise forbidden("forbidden: only admins(system and project) can access permissions")
    return json_answer({kind: _shown_accesses(grantable(kind)) for kind in ("project", "system")})


def users(harbor: Surroundings, call: Call) -> Answer:
    """List users to administrators."""
    require_system(call.caller, "user", "list")
    fields = {"username": lambda user: user.username, "user_id": lambda user: user.id}
    return list_answer(call, harbor.state.users.values(), fields, _shown, sort="user_id")


def user(harbor: Surroundings, call: Call) -> Answer:
    """Give one user."""
    require_system(call.caller, "user", "read")
    user_id = call.path_id("user_id")
    found = harbor.state.user_by_id(user_id)
    if found is None:
        raise not_found(f"user {user_id}")
    return json_answer(_shown(found))


def _shown(user: User) -> dict[str, Any]:
    shown = {
        "admin_role_in_auth": False,
        "creation_time": harbor_time(user.created_at),
        "realname": user.real_name,
        "sysadmin_flag": user.is_administrator,
        "update_time": harbor_time(user.created_at),
        "user_id": user.id,
        "username": user.username,
    }
    # What is empty is left out.
    return shown | {
        key: value for key, value in (("comment", user.comment), ("email", user.email)) if value is not None
    }


def _listed(accesses: Iterable[Access]) -> Answer:
    return json_answer(_shown_accesses(accesses))


def _shown_accesses(accesses: Iterable[Access]) -> list[dict[str, str]]:
    return [{"action": access.action, "resource": access.resource} for access in accesses]


ROUTES = (
    Route("GET", f"{API}/users/current", current_user),
    Route("GET", f"{API}/users/current/permissions", current_permissions),
    Route("GET", f"{API}/permissions", permissions),
    Route("GET", f"{API}/users", users),
    Route("GET", f"{API}/users/{{user_id}}", user),
)
