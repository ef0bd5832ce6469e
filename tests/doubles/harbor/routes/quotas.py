"""Quotas of projects: listed, given, set."""

from typing import Any

from tests.doubles.harbor.answers import Answer, bad_request, empty, json_answer, not_found
from tests.doubles.harbor.queries import Fields, harbor_time, list_answer
from tests.doubles.harbor.records import UNSET_TIME, Project, Quota
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.surroundings import Surroundings, require_system

_Row = tuple[Project, Quota]
_LIMIT_MAXIMUM = 2**63 - 1

_FIELDS: Fields[_Row] = {
    "id": lambda row: row[1].id,
    "creation_time": lambda row: row[1].created_at,
    "update_time": lambda row: row[1].updated_at,
    "used.storage": lambda row: row[0].used_bytes,
    # No limit is more than any.
    "hard.storage": lambda row: (row[1].limit_bytes < 0, row[1].limit_bytes),
}


def quotas(harbor: Surroundings, call: Call) -> Answer:
    """List quotas, newest project first."""
    require_system(call.caller, "quota", "list")
    rows = [(project, project.quota) for project in harbor.state.projects.values() if project.quota is not None]
    if "reference_id" in call.query:
        rows = [row for row in rows if str(row[0].id) == call.query["reference_id"]]
    return list_answer(call, rows, _FIELDS, _shown, sort="-creation_time,-id")


def quota(harbor: Surroundings, call: Call) -> Answer:
    """Give one quota; its update time is never told here."""
    require_system(call.caller, "quota", "read")
    return json_answer(_shown(_find(harbor, call)) | {"update_time": harbor_time(UNSET_TIME)})


def update_quota(harbor: Surroundings, call: Call) -> Answer:
    """Set the limit in bytes, even under what is used; -1 is none, 0 is refused."""
    require_system(call.caller, "quota", "update")
    hard = call.json_object("hard", "QuotaUpdateReq").get("hard")
    if not hard:
        raise bad_request("hard required in body")
    for resource, limit in hard.items():
        if limit > _LIMIT_MAXIMUM:
            raise call.wrong_field("hard", "QuotaUpdateReq", "hard", limit, "int64")
        if resource != "storage":
            raise bad_request(f"resource {resource} not support")
        if limit == 0 or limit < -1:
            raise bad_request(f"invalid non-positive value for quota limit, value={limit}")
    _, found = _find(harbor, call)
    found.limit_bytes = hard["storage"]
    found.updated_at = harbor.state.clock()
    return empty()


def _find(harbor: Surroundings, call: Call) -> _Row:
    quota_id = call.path_id("id")
    for project in harbor.state.projects.values():
        if project.quota is not None and project.quota.id == quota_id:
            return project, project.quota
    raise not_found(f"quota {quota_id}")


def _shown(row: _Row) -> dict[str, Any]:
    project, quota = row
    return {
        "creation_time": harbor_time(quota.created_at),
        "hard": {"storage": quota.limit_bytes},
        "id": quota.id,
        "ref": {"id": project.id, "name": project.name, "owner_name": ""},
        "update_time": harbor_time(quota.updated_at),
        "used": {"storage": project.used_bytes},
    }


ROUTES = (
    Route("GET", f"{API}/quotas", quotas),
    Route("GET", f"{API}/quotas/{{id}}", quota),
    Route("PUT", f"{API}/quotas/{{id}}", update_quota),
)
