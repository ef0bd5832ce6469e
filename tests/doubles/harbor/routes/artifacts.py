"""Artifacts with their tags, platforms and accessories."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from tests.doubles.harbor.answers import (
    Answer,
    Refused,
    bad_request,
    conflict,
    empty,
    json_answer,
    not_found,
    registry_json,
)
from tests.doubles.harbor.images import OCI_INDEX
from tests.doubles.harbor.queries import Fields, conditions, harbor_time, is_true, list_answer
from tests.doubles.harbor.records import Artifact, Project, Repository, Tag
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.routing import API, Route
from tests.doubles.harbor.surroundings import Surroundings, require_project, require_repository

_Row = tuple[Project, Repository, Artifact]

_ICONS = {
    "IMAGE": "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06",
    "CHART": "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518",
    "SIGNATURE": "sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882",
}
_ADDITIONS = {"IMAGE": ("build_history",), "CHART": ("dependencies", "readme.md", "values.yaml")}
_FIELDS: Fields[_Row] = {
    "id": lambda row: row[2].id,
    "digest": lambda row: row[2].image.digest,
    "media_type": lambda row: row[2].image.configuration_media_type,
    "push_time": lambda row: row[2].pushed_at,
    "pull_time": lambda row: row[2].pulled_at,
    "size": lambda row: row[2].image.size_bytes,
}


def of_repository(harbor: Surroundings, call: Call) -> Answer:
    """List the artifacts of a repository, without children of indexes and accessories."""
    project, repository = require_repository(harbor, call, "artifact", "list")
    return _listed(call, [(project, repository, one) for one in repository.listed_artifacts])


def of_project(harbor: Surroundings, call: Call) -> Answer:
    """List the artifacts of a project."""
    project = require_project(harbor, call, "artifact", "list")
    if is_true(call, "latest_in_repository", otherwise=False):
        kinds = {"media_type", "artifact_type"} & {key for key, _ in conditions(call.query.get("q", ""))}
        if len(kinds) != 1:
            raise bad_request(
                "bad request: either 'media_type' or 'artifact_type' must be specified, but not both, "
                "when querying with latest_in_repository"
            )
        # The recorded one found none for a media type that its artifacts have.
        return _listed(call, [])
    return _listed(
        call,
        [
            (project, repository, one)
            for repository in project.repositories.values()
            for one in repository.listed_artifacts
        ],
    )


def artifact(harbor: Surroundings, call: Call) -> Answer:
    """Give one artifact, by tag or digest."""
    row = _require(harbor, call, "artifact", "read")
    return json_answer(_shown(row, call))


def delete(harbor: Surroundings, call: Call) -> Answer:
    """Delete one artifact with its tags."""
    project, repository, found = _require(harbor, call, "artifact", "delete")
    if found.parent_id is not None:
        raise Refused(412, "VIOLATE_FOREIGN_KEY_CONSTRAINT", "the deleting artifact is referenced by others")
    refuse_to_take(project, found.tags)
    harbor.state.delete_artifact(project, repository, found, call.caller.name)
    return empty()


def tags(harbor: Surroundings, call: Call) -> Answer:
    """List the tags of an artifact."""
    project, repository, found = _require(harbor, call, "tag", "list")
    fields: Fields[Tag] = {
        "name": lambda tag: tag.name,
        "id": lambda tag: tag.id,
        "push_time": lambda tag: tag.pushed_at,
    }
    return list_answer(
        call, found.tags, fields, lambda tag: _tag(tag, project, repository, found, call), sort="-push_time"
    )


def add_tag(harbor: Surroundings, call: Call) -> Answer:
    """Give an artifact another tag."""
    project, repository, found = _require(harbor, call, "tag", "create")
    name = str(call.json_object("tag", "Tag")["name"])
    if any(tag.name == name for one in repository.artifacts for tag in one.tags):
        raise conflict(f"tag {name} already exists under the repository {repository.id}")
    harbor.state.tag(repository, found, name)
    resource = f"{project.name}/{repository.name}:{name}"
    harbor.state.audit_log.write("create", "tag", resource, call.caller.name, project_id=project.id)
    return empty(201)


def delete_tag(harbor: Surroundings, call: Call) -> Answer:
    """Take a tag away; the artifact stands."""
    project, repository, found = _require(harbor, call, "tag", "delete")
    name = call.parameters["tag"]
    tag = next((one for one in found.tags if one.name == name), None)
    if tag is None:
        raise not_found(f"tag {name} attached to artifact {found.id}")
    refuse_to_take(project, [tag])
    found.tags.remove(tag)
    resource = f"{project.name}/{repository.name}:{name}"
    harbor.state.audit_log.write("delete", "tag", resource, call.caller.name, project_id=project.id)
    return empty()


def accessories(harbor: Surroundings, call: Call) -> Answer:
    """List signatures and the like of an artifact."""
    _, repository, found = _require(harbor, call, "accessory", "list")
    fields: Fields[Artifact] = {"id": lambda one: one.accessory_id}
    subjects = [one for one in repository.artifacts if one.subject_id == found.id]
    full = f"{call.parameters['project']}/{repository.name}"
    return list_answer(call, subjects, fields, lambda one: _accessory(one, full, found), sort="id")


def addition(harbor: Surroundings, call: Call) -> Answer:
    """Give what else an artifact has: here, the history of an image."""
    project, _, found = _require(harbor, call, "artifact-addition", "read")
    name = call.parameters["addition"]
    if name == "vulnerabilities":
        raise Refused(404, "NOT_FOUND", f"no scanner registration configured for project: {project.id}")
    if name not in _ADDITIONS.get(found.image.kind, ()):
        raise bad_request(f"addition {name.upper()} isn't supported for {found.image.kind}(manifest version 2)")
    if "registry" in harbor.state.broken_components:
        raise Refused(500, "UNKNOWN", "internal server error")
    return registry_json(found.image.configuration.get("history", []))


def refuse_to_take(project: Project, taken: Iterable[Tag]) -> None:
    """Refuse to delete tags that a rule keeps, with Harbor's words (read)."""
    for tag in taken:
        if project.keeps(tag):
            raise Refused(412, "PRECONDITION", f"the tag {tag.name} configured as immutable, cannot be deleted")


def _require(harbor: Surroundings, call: Call, resource: str, action: str) -> _Row:
    project, repository = require_repository(harbor, call, resource, action)
    reference = call.parameters["reference"]
    found = harbor.state.artifact_by_reference(repository, reference)
    if found is None:
        separator = "@" if ":" in reference else ":"
        raise not_found(f"artifact {project.name}/{repository.name}{separator}{reference}")
    return project, repository, found


def _listed(call: Call, rows: list[_Row]) -> Answer:
    for key, value in conditions(call.query.get("q", "")):
        if key == "tags":
            rows = [row for row in rows if _has_tag(row[2], value)]
    return list_answer(call, rows, _FIELDS, lambda row: _shown(row, call), sort="-push_time,-id")


def _has_tag(artifact: Artifact, wanted: str) -> bool:
    if wanted in ("*", "nil"):
        return bool(artifact.tags) == (wanted == "*")
    return any(tag.name == wanted for tag in artifact.tags)


def _shown(row: _Row, call: Call) -> dict[str, Any]:
    project, repository, artifact = row
    image = artifact.image
    full = f"{project.name}/{repository.name}"
    shown: dict[str, Any] = {
        "accessories": None,
        "digest": image.digest,
        "icon": _ICONS.get(image.kind, ""),
        "id": artifact.id,
        "labels": None,
        "manifest_media_type": image.media_type,
        "media_type": image.configuration_media_type,
        "project_id": project.id,
        "pull_time": harbor_time(artifact.pulled_at),
        "push_time": harbor_time(artifact.pushed_at),
        "references": [_reference(repository, artifact, child.digest) for child, _ in image.children] or None,
        "repository_id": repository.id,
        "repository_name": full,
        "size": image.size_bytes,
        "tags": None,
        "type": image.kind,
    }
    if image.media_type != OCI_INDEX:
        path = f"{API}/projects/{project.name}/repositories/{quote(quote(repository.name, safe=''))}"
        shown["addition_links"] = {
            name: {"absolute": False, "href": f"{path}/artifacts/{image.digest}/additions/{name}"}
            for name in _ADDITIONS.get(image.kind, ())
        }
        shown["artifact_type"] = image.configuration_media_type
        shown["extra_attrs"] = _extra_attributes(image.configuration)
    if image.annotations:
        shown["annotations"] = image.annotations
    if is_true(call, "with_tag", otherwise=True) and artifact.tags:
        newest_first = sorted(artifact.tags, key=lambda tag: (tag.pushed_at, tag.id), reverse=True)
        shown["tags"] = [_tag(tag, project, repository, artifact, call) for tag in newest_first]
    if is_true(call, "with_accessory", otherwise=False):
        subjects = [one for one in repository.artifacts if one.subject_id == artifact.id]
        shown["accessories"] = [_accessory(one, full, artifact) for one in subjects] or None
    return shown


def _extra_attributes(configuration: Any) -> dict[str, Any]:
    # An image's configuration is shown without what is long; anything else's whole.
    return {key: value for key, value in configuration.items() if key not in ("rootfs", "history")}


def _tag(tag: Tag, project: Project, repository: Repository, artifact: Artifact, call: Call) -> dict[str, Any]:
    return {
        "artifact_id": artifact.id,
        "id": tag.id,
        # Said of a tag only to who asks for it (read).
        "immutable": is_true(call, "with_immutable_status", otherwise=False) and project.keeps(tag),
        "name": tag.name,
        "pull_time": harbor_time(tag.pulled_at),
        "push_time": harbor_time(tag.pushed_at),
        "repository_id": repository.id,
    }


def _reference(repository: Repository, artifact: Artifact, digest: str) -> dict[str, Any]:
    child = next(one for one in repository.artifacts if one.image.digest == digest)
    platform = next(platform for image, platform in artifact.image.children if image.digest == digest)
    return {
        "child_digest": digest,
        "child_id": child.id,
        "parent_id": artifact.id,
        "platform": {"OsFeatures": None, "architecture": platform.architecture, "os": platform.os},
        "urls": None,
    }


def _accessory(accessory: Artifact, repository: str, subject: Artifact) -> dict[str, Any]:
    return {
        "artifact_id": accessory.id,
        "creation_time": harbor_time(accessory.pushed_at),
        "digest": accessory.image.digest,
        "icon": _ICONS.get(accessory.image.kind, ""),
        "id": accessory.accessory_id,
        "size": accessory.image.size_bytes,
        "subject_artifact_digest": subject.image.digest,
        "subject_artifact_id": subject.id,
        "subject_artifact_repo": repository,
        "type": accessory.image.accessory_kind,
    }


_ALL = f"{API}/projects/{{project}}/repositories/{{repository}}/artifacts"
_ONE = f"{_ALL}/{{reference}}"

ROUTES = (
    Route("GET", f"{API}/projects/{{project}}/artifacts", of_project),
    Route("GET", _ALL, of_repository),
    Route("GET", _ONE, artifact),
    Route("DELETE", _ONE, delete),
    Route("GET", f"{_ONE}/tags", tags),
    Route("POST", f"{_ONE}/tags", add_tag),
    Route("DELETE", f"{_ONE}/tags/{{tag}}", delete_tag),
    Route("GET", f"{_ONE}/accessories", accessories),
    Route("GET", f"{_ONE}/additions/{{addition}}", addition),
)
