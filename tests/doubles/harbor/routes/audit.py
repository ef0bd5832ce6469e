"""The audit log as it is read."""

from typing import Any

from tests.doubles.harbor.answers import Answer, json_answer, unauthorized
from tests.doubles.harbor.queries import Fields, harbor_time, list_answer
from tests.doubles.harbor.records import PROJECT_ADMIN, Access, AuditEntry
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.surroundings import Surroundings, require_project, require_system

_FIELDS: Fields[AuditEntry] = {
    "id": lambda entry: entry.id,
    "op_time": lambda entry: entry.operated_at,
    "operation": lambda entry: entry.operation,
    "resource": lambda entry: entry.resource,
    "resource_type": lambda entry: entry.resource_type,
    "username": lambda entry: entry.username,
}
_NEWEST_FIRST = "-op_time,-id"
_EVENT_TYPES = (
    "create_artifact",
    "delete_artifact",
    "pull_artifact",
    "create_project",
    "delete_project",
    "delete_repository",
    "login_user",
    "logout_user",
    "create_user",
    "delete_user",
    "update_user",
    "create_robot",
    "delete_robot",
    "update_configuration",
    "create_member",
    "delete_member",
    "update_member",
    "update_project",
)


def of_all(harbor: Surroundings, call: Call) -> Answer:
    """List what was done everywhere; to a user, in the projects that they administrate."""
    caller = call.caller
    if not caller.is_known:
        raise unauthorized("")
    entries = harbor.state.audit_log.entries
    if not caller.may_in_system(Access("audit-log", "list")):
        own = {
            project.id
            for project in harbor.state.projects.values()
            if caller.user is not None and project.role_of(caller.user.id) == PROJECT_ADMIN
        }
        entries = [entry for entry in entries if entry.project_id in own]
    return list_answer(call, entries, _FIELDS, _shown, sort=_NEWEST_FIRST)


def of_project(harbor: Surroundings, call: Call) -> Answer:
    """List what was done in one project."""
    project = require_project(harbor, call, "log", "list")
    entries = [entry for entry in harbor.state.audit_log.entries if entry.project_id == project.id]
    return list_answer(call, entries, _FIELDS, _shown, sort=_NEWEST_FIRST)


def event_types(harbor: Surroundings, call: Call) -> Answer:
    """List what can be switched off, one by one."""
    require_system(call.caller, "audit-log", "list")
    return json_answer([{"event_type": one} for one in _EVENT_TYPES])


def old_log(harbor: Surroundings, call: Call) -> Answer:
    """Give the log of before 2.13: nothing is written to it."""
    require_system(call.caller, "audit-log", "list")
    return list_answer(call, list[AuditEntry](), _FIELDS, _shown, sort=_NEWEST_FIRST)


def _shown(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "op_time": harbor_time(entry.operated_at),
        "operation": entry.operation,
        "operation_description": entry.description,
        "operation_result": True,
        "resource": entry.resource,
        "resource_type": entry.resource_type,
        "username": entry.username,
    }


ROUTES = (
    Route("GET", f"{API}/auditlog-exts", of_all),
    Route("GET", f"{API}/auditlog-exts/events", event_types),
    Route("GET", f"{API}/projects/{{project}}/auditlog-exts", of_project),
    Route("GET", f"{API}/audit-logs", old_log),
)
