"""Repositories of a project, and over all projects that the caller may see; the search."""

from typing import Any

from tests.doubles.harbor.answers import Answer, Refused, empty, json_answer, unprocessable
from tests.doubles.harbor.queries import Fields, harbor_time, list_answer
from tests.doubles.harbor.records import Project, Repository
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routes.artifacts import refuse_to_take
from tests.doubles.harbor.routes.projects import visible_projects
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.surroundings import Surroundings, require_project, require_repository

_Row = tuple[Project, Repository]

_FIELDS: Fields[_Row] = {
    "name": lambda row: f"{row[0].name}/{row[1].name}",
    "repository_id": lambda row: row[1].id,
    "creation_time": lambda row: row[1].created_at,
    "update_time": lambda row: row[1].updated_at,
}


def of_project(harbor: Surroundings, call: Call) -> Answer:
    """List the repositories of one project."""
    project = require_project(harbor, call, "repository", "list")
    rows = [(project, repository) for repository in project.repositories.values()]
    return list_answer(call, rows, _FIELDS, _shown, sort="-creation_time")


def of_all(harbor: Surroundings, call: Call) -> Answer:
    """List the repositories of all projects that the caller sees."""
    rows = [
        (project, repository)
        for project in visible_projects(harbor, call.caller)
        for repository in project.repositories.values()
    ]
    return list_answer(call, rows, _FIELDS, _shown, sort="-creation_time")


def repository(harbor: Surroundings, call: Call) -> Answer:
    """Give one repository."""
    return json_answer(_shown(require_repository(harbor, call, "repository", "read")))


def describe(harbor: Surroundings, call: Call) -> Answer:
    """Change its description."""
    _, found = require_repository(harbor, call, "repository", "update")
    found.description = str(call.json_object("repository", "Repository").get("description", ""))
    found.updated_at = harbor.state.clock()
    return empty()


def delete(harbor: Surroundings, call: Call) -> Answer:
    """Delete it with all that it holds."""
    project, found = require_repository(harbor, call, "repository", "delete")
    if project.quota is None and harbor.state.settings["quota_per_project_enable"]:
        # One made while quotas were off has none until garbage is collected.
        raise Refused(404, "NOT_FOUND", f"quota not found for (project, {project.id})")
    refuse_to_take(project, [tag for artifact in found.artifacts for tag in artifact.tags])
    harbor.state.delete_repository(project, found, call.caller.name)
    return empty()


def search(harbor: Surroundings, call: Call) -> Answer:
    """Find repositories by a part of the name."""
    text = call.query.get("q", "")
    if not text:
        raise unprocessable("q in query is required")
    found = []
    for project in visible_projects(harbor, call.caller):
        for one in project.repositories.values():
            if text not in f"{project.name}/{one.name}":
                continue
            shown: dict[str, Any] = {
                "artifact_count": len(one.listed_artifacts),
                "project_id": project.id,
                "project_name": project.name,
                "repository_name": f"{project.name}/{one.name}",
            }
            # What is false or 0 is left out.
            shown |= {"project_public": True} if project.is_public else {}
            found.append(shown | ({"pull_count": one.pull_count} if one.pull_count else {}))
    return json_answer({"project": [], "repository": found})


def _shown(row: _Row) -> dict[str, Any]:
    project, repository = row
    shown = {
        "artifact_count": len(repository.listed_artifacts),
        "creation_time": harbor_time(repository.created_at),
        "id": repository.id,
        "name": f"{project.name}/{repository.name}",
        "project_id": project.id,
        "pull_count": repository.pull_count,
        "update_time": harbor_time(repository.updated_at),
    }
    return shown | ({"description": repository.description} if repository.description else {})


_OF_PROJECT = f"{API}/projects/{{project}}/repositories"
_ONE = f"{_OF_PROJECT}/{{repository}}"

ROUTES = (
    Route("GET", f"{API}/repositories", of_all),
    Route("GET", f"{API}/search", search),
    Route("GET", _OF_PROJECT, of_project),
    Route("GET", _ONE, repository),
    Route("PUT", _ONE, describe),
    Route("DELETE", _ONE, delete),
)
