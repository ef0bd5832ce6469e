"""Robot accounts: made, listed, changed, given another secret, deleted."""

import re
from typing import Any

from tests.doubles.harbor.answers import (
    Answer,
    Refused,
    bad_request,
    conflict,
    denied,
    empty,
    forbidden,
    internal_error,
    json_answer,
    not_found,
    unauthorized,
)
from tests.doubles.harbor.callers import Caller
from tests.doubles.harbor.permissions import grantable
from tests.doubles.harbor.queries import Fields, harbor_time, list_answer
from tests.doubles.harbor.records import Access, Permission, Robot
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.state import HarborState, new_secret
from tests.doubles.harbor.surroundings import Surroundings, require_system

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_NAME_MAXIMUM = 255
_SECRET = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{8,128}")
_FIELDS: Fields[Robot] = {
    # By the bare name alone: the prefix is no part of what is stored.
    "name": lambda robot: robot.bare_name,
    "Level": lambda robot: robot.level,
    "ProjectID": lambda robot: robot.project_id,
    "id": lambda robot: robot.id,
    "creation_time": lambda robot: robot.created_at,
}


def robots(harbor: Surroundings, call: Call) -> Answer:
    """List robots of the system, or with ``Level=project`` those of a project."""
    require_system(call.caller, "robot", "list")
    rows = list(harbor.state.robots.values())
    if "Level=" not in call.query.get("q", ""):
        rows = [robot for robot in rows if robot.level == "system"]
    return list_answer(call, rows, _FIELDS, lambda robot: _shown(harbor.state, robot), sort="id")


def create_robot(harbor: Surroundings, call: Call) -> Answer:
    """Make a robot; its secret is in this answer and in no other."""
    require_system(call.caller, "robot", "create")
    state, body = harbor.state, call.json_object("robot", "RobotCreate")
    name, level = str(body.get("name", "")), str(body.get("level", ""))
    if not _NAME.fullmatch(name):
        raise bad_request("robot name is not in lower case or contains illegal characters")
    duration_days = int(body.get("duration") or 0)
    _require_level(level)
    if duration_days == 0 or duration_days < -1:
        raise bad_request(
            f"bad request error duration input: {duration_days}, "
            "duration must be either -1(Never) or a positive integer"
        )
    permissions = _read_permissions(state, body)
    _require_no_more_than(call.caller, permissions)
    if len(name) > _NAME_MAXIMUM:
        # The column is too short: masked. The id was given before that.
        state.take_id("robot")
        raise internal_error()
    project_id = (permissions[0].project_id or 0) if level == "project" else 0
    if any(one.bare_name == name and one.project_id == project_id for one in state.robots.values()):
        state.take_id("robot")
        raise conflict(f"robot account {project_id}:{name} already exists")
    creator = call.caller.robot
    robot = state.create_robot(
        name,
        permissions,
        level=level,
        project_id=project_id,
        duration_days=duration_days,
        description=str(body.get("description", "")),
        is_disabled=bool(body.get("disable")),
        creator_id=creator.id if creator else call.caller.user.id if call.caller.user else 0,
        creator_type="robot" if creator else "local",
        actor=call.caller.name,
    )
    answer = json_answer(
        {
            "creation_time": harbor_time(robot.created_at),
            "expires_at": robot.expires_at_seconds,
            "id": robot.id,
            "name": state.robot_name(robot),
            # A secret in the request is ignored.
            "secret": robot.secret,
        }
    )
    return Answer(201, answer.body, answer.content_type, {"Location": f"{API}/robots/{robot.id}"})


def robot(harbor: Surroundings, call: Call) -> Answer:
    """Give one robot, without its secret."""
    require_system(call.caller, "robot", "read")
    return json_answer(_shown(harbor.state, _find(harbor, call)))


def update_robot(harbor: Surroundings, call: Call) -> Answer:
    """Replace what can be changed: whatever is missing is reset, except the duration. Never by a robot."""
    _require_updater(call.caller)
    state, found, body = harbor.state, _find(harbor, call), call.json_object("robot", "Robot")
    level = str(body.get("level", ""))
    _require_level(level)
    permissions = _read_permissions(state, body)
    if level != found.level or body.get("name") != state.robot_name(found):
        raise bad_request("cannot update the level or name of robot")
    found.permissions = permissions
    found.description = str(body.get("description", ""))
    found.is_disabled = bool(body.get("disable"))
    found.updated_at = state.clock()
    return empty()


def renew_secret(harbor: Surroundings, call: Call) -> Answer:
    """Set the secret given, or make one and tell it. The old one is dead at once."""
    _require_updater(call.caller)
    found, secret = _find(harbor, call), str(call.json_object("robot", "RobotSec").get("secret", ""))
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request(
            "the secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, "
            "1 lowercase letter and 1 number"
        )
    found.secret = secret or new_secret()
    found.updated_at = harbor.state.clock()
    return json_answer({} if secret else {"secret": found.secret})


def delete_robot(harbor: Surroundings, call: Call) -> Answer:
    """Delete a robot: by a robot too, itself included."""
    require_system(call.caller, "robot", "delete")
    harbor.state.delete_robot(_find(harbor, call), call.caller.name)
    return empty()


def _find(harbor: Surroundings, call: Call) -> Robot:
    robot_id = call.path_id("robot_id")
    found = harbor.state.robots.get(robot_id)
    if found is None:
        raise not_found(f"robot {robot_id}")
    return found


def _require_updater(caller: Caller) -> None:
    if not caller.is_known:
        raise unauthorized()
    if not caller.is_administrator:
        raise forbidden(caller.name)


def _require_level(level: str) -> None:
    if level not in ("system", "project"):
        raise bad_request(f"bad request error level input: {level}")


def _read_permissions(state: HarborState, body: dict[str, Any]) -> list[Permission]:
    given = body.get("permissions") or []
    if not given:
        raise bad_request("bad request empty permission")
    read: dict[tuple[str, int | None], Permission] = {}
    missing: Refused | None = None
    for one in given:
        kind, namespace = str(one.get("kind")), str(one.get("namespace"))
        if not one.get("access"):
            raise bad_request("bad request empty access")
        if kind not in ("system", "project"):
            raise bad_request(f"bad request permission level: {kind}")
        accesses = tuple(Access(access["resource"], access["action"]) for access in one["access"])
        for access in accesses:
            if access not in grantable(kind):
                raise bad_request(f"bad request permission: {access.resource}:{access.action}")
        project_id = None
        if kind == "project" and namespace != "*":
            project = state.project_named(namespace)
            if project is None:
                missing = missing or not_found(f"project {namespace}")
                continue
            project_id = project.id
        read[kind, project_id] = Permission(kind, project_id, accesses)
    if missing is not None:
        raise missing
    return list(read.values())


def _require_no_more_than(caller: Caller, permissions: list[Permission]) -> None:
    """Refuse a robot that gives more than it has."""
    if caller.robot is None:
        return
    for permission in permissions:
        held = {
            access
            for one in caller.robot.permissions
            if one.kind == permission.kind and one.project_id in (permission.project_id, None)
            for access in one.accesses
        }
        if not held.issuperset(permission.accesses):
            raise denied(
                "permission scope is invalid. It must be equal to or more restrictive than "
                f"the creator robot's permissions: {caller.name}"
            )


def _shown(state: HarborState, robot: Robot) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "creation_time": harbor_time(robot.created_at),
        "creator_ref": robot.creator_id,
        "creator_type": robot.creator_type,
        "disable": robot.is_disabled,
        "duration": robot.duration_days,
        "editable": True,
        "expires_at": robot.expires_at_seconds,
        "id": robot.id,
        "level": robot.level,
        "name": state.robot_name(robot),
        "permissions": [_shown_permission(state, one) for one in robot.permissions],
        "update_time": harbor_time(robot.updated_at),
    }
    return shown | ({"description": robot.description} if robot.description else {})


def _shown_permission(state: HarborState, permission: Permission) -> dict[str, Any]:
    namespace = "/" if permission.kind == "system" else "*"
    if permission.project_id is not None:
        namespace = state.projects[permission.project_id].name
    return {
        "access": [{"action": access.action, "resource": access.resource} for access in permission.accesses],
        "kind": permission.kind,
        "namespace": namespace,
    }


_ONE = f"{API}/robots/{{robot_id}}"

ROUTES = (
    Route("GET", f"{API}/robots", robots),
    Route("POST", f"{API}/robots", create_robot),
    Route("GET", _ONE, robot),
    Route("PUT", _ONE, update_robot),
    Route("PATCH", _ONE, renew_secret),
    Route("DELETE", _ONE, delete_robot),
)
