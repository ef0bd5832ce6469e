"""The registry side: ``/v2/`` and the token service in front of it."""

import json
import re
from typing import Any
from urllib.parse import quote

from tests.doubles.harbor.answers import (
    REGISTRY_VERSION,
    Answer,
    Refused,
    bad_gateway,
    empty,
    not_found,
    registry_json,
)
from tests.doubles.harbor.callers import Caller
from tests.doubles.harbor.images import OCI_INDEX, OCI_MANIFEST
from tests.doubles.harbor.queries import harbor_time
from tests.doubles.harbor.records import Access, Project, Repository
from tests.doubles.harbor.requests import Call, HarborRequest
from tests.doubles.harbor.routes.uploads import put_manifest, upload
from tests.doubles.harbor.surroundings import Surroundings

_OF_REPOSITORY = re.compile(
    r"/v2/(?P<name>.+)/(?:(?P<kind>manifests|blobs|referrers)/(?P<reference>[^/]+)|(?P<tags>tags/list)|"
    r"(?P<upload>blobs/uploads)/(?P<upload_id>[^/]*))"
)
_CATALOGUE_DEFAULT = 100


def registry(harbor: Surroundings, request: HarborRequest, caller: Caller) -> Answer:
    """Answer for any path under ``/v2/``."""
    call = Call(request, request.raw_path, {}, caller)
    if request.raw_path in ("/v2", "/v2/"):
        return _ping(harbor, caller)
    if request.raw_path == "/v2/_catalog":
        return _catalogue(harbor, call)
    match = _OF_REPOSITORY.fullmatch(request.raw_path)
    if match is None:
        raise Refused(404, "NOT_FOUND", "page not found")
    is_push = bool(match["upload"]) or request.method not in ("GET", "HEAD")
    project = _require(harbor, caller, match["name"], "push" if is_push else "pull")
    name = match["name"].partition("/")[2]
    if match["upload"]:
        return upload(harbor, request, project, match["name"], match["upload_id"])
    if request.method == "PUT" and match["kind"] == "manifests":
        return put_manifest(harbor, request, caller, project, name, match["reference"])
    if request.method not in ("GET", "HEAD"):
        raise Refused(405, "UNSUPPORTED", "The operation is unsupported.", REGISTRY_VERSION)
    repository = project.repositories.get(name)
    if match["kind"] == "blobs" and match["reference"] in harbor.blobs:
        return _blob_answer(match["reference"], harbor.blobs[match["reference"]])
    if repository is None:
        raise not_found(f"repository {match['name']}")
    if match["tags"]:
        return _tags(call, match["name"], repository)
    if match["kind"] == "referrers":
        return _referrers(repository, match["reference"])
    if match["kind"] == "blobs":
        return _blob(repository, match["reference"])
    return _manifest(harbor, call, project, repository, match["reference"])


def template_of(raw_path: str) -> str:
    """Return the kind of path, for counting."""
    match = _OF_REPOSITORY.fullmatch(raw_path)
    if match is None:
        return raw_path
    if match["upload"]:
        return "/v2/{name}/blobs/uploads/" + ("{upload}" if match["upload_id"] else "")
    return "/v2/{name}/tags/list" if match["tags"] else f"/v2/{{name}}/{match['kind']}/{{reference}}"


def token(harbor: Surroundings, request: HarborRequest, caller: Caller) -> Answer:
    """Give a token for the scopes asked, with the actions that the caller has, whatever was asked for.

    A wrong password gets one too: nobody's.
    """
    if request.method != "GET":
        return Answer(405, b"Method Not Allowed\n", "text/plain; charset=utf-8", {"X-Content-Type-Options": "nosniff"})
    scopes = request.query.getall("scope", [])
    access = [_granted(harbor, caller, scope) for scope in scopes] or None
    life_seconds = harbor.state.settings["token_expiration"] * 60
    issued = harbor.tokens.issue(caller.name if caller.is_known else "", access, life_seconds)
    now = harbor_time(harbor.state.clock())
    return registry_json({"token": issued, "access_token": "", "expires_in": life_seconds, "issued_at": f"{now[:19]}Z"})


def _granted(harbor: Surroundings, caller: Caller, scope: str) -> dict[str, Any]:
    kind, _, rest = scope.partition(":")
    name = rest.rpartition(":")[0]
    actions: list[str] = []
    if kind == "registry" and caller.is_administrator:
        actions = ["*"]
    project = harbor.state.project_named(name.partition("/")[0])
    if kind == "repository" and project is not None:
        held = caller.accesses_in(project)
        actions = [action for action in ("pull", "push", "delete") if Access("repository", action) in held]
    return {"type": kind, "name": name, "actions": actions}


def _ping(harbor: Surroundings, caller: Caller) -> Answer:
    if not caller.is_known and caller.grant is None:
        raise _challenge(harbor, caller, "unauthorized")
    if "registry" in harbor.state.broken_components:
        return bad_gateway()
    return Answer(200, b"{}", "application/json; charset=utf-8", REGISTRY_VERSION)


def _require(harbor: Surroundings, caller: Caller, name: str, action: str) -> Project:
    project = harbor.state.project_named(name.partition("/")[0])
    if project is None:
        raise _challenge_with("", f"project {name.partition('/')[0]} not found")
    if not caller.scheme:
        # Even what is public needs some Authorization. It says HEAD, whatever was sent.
        scope = f'scope="repository:{name}:{action}"'
        raise _challenge(harbor, caller, "authorize header needed to send HEAD to repository", scope)
    if caller.grant is not None:
        is_allowed = caller.grant.allows(project.name, action)
    else:
        is_allowed = caller.may_in_project(project, Access("repository", action))
    if not is_allowed:
        raise _challenge(harbor, caller, f"unauthorized to access repository: {name}, action: {action}")
    return project


def _challenge(harbor: Surroundings, caller: Caller, message: str, scope: str = "") -> Refused:
    if caller.scheme:
        return _challenge_with('Basic realm="harbor"', message)
    challenge = f'Bearer realm="{harbor.external_url}/service/token",service="harbor-registry"'
    return _challenge_with(f"{challenge},{scope}" if scope else challenge, message)


def _challenge_with(challenge: str, message: str) -> Refused:
    return Refused(401, "UNAUTHORIZED", f"{message}: {message}", {**REGISTRY_VERSION, "Www-Authenticate": challenge})


def _catalogue(harbor: Surroundings, call: Call) -> Answer:
    if not call.caller.is_administrator:
        raise _challenge_with('Basic realm="harbor"', "unauthorized to list catalog")
    names = sorted(
        f"{project.name}/{repository.name}"
        for project in harbor.state.projects.values()
        for repository in project.repositories.values()
        # One without artifacts is not listed.
        if repository.artifacts
    )
    return _page(call, "/v2/_catalog", names, _CATALOGUE_DEFAULT, lambda page: {"repositories": page})


def _tags(call: Call, name: str, repository: Repository) -> Answer:
    names = sorted(tag.name for artifact in repository.artifacts for tag in artifact.tags)
    return _page(call, f"/v2/{name}/tags/list", names, len(names), lambda page: {"name": name, "tags": page})


def _page(call: Call, path: str, names: list[str], otherwise: int, shown: Any) -> Answer:
    wanted = int(call.query.get("n", otherwise))
    left = [name for name in names if name > call.query.get("last", "")]
    page = left[:wanted]
    headers = {}
    if page and len(left) > len(page):
        headers["Link"] = f'<{path}?last={quote(page[-1], safe="")}&n={wanted}>; rel="next"'
    return registry_json(shown(page), headers)


def _manifest(harbor: Surroundings, call: Call, project: Project, repository: Repository, reference: str) -> Answer:
    artifact = harbor.state.artifact_by_reference(repository, reference)
    if artifact is None:
        separator = "@" if ":" in reference else ":"
        raise not_found(f"artifact {project.name}/{repository.name}{separator}{reference}")
    if "registry" in harbor.state.broken_components:
        return bad_gateway()
    image, headers = artifact.image, call.request.headers
    etag = f'"{image.digest}"'
    if headers.get("If-None-Match") == etag:
        return empty(304)
    for media_type, one, many in ((OCI_MANIFEST, "manifest", "manifests"), (OCI_INDEX, "index", "indexes")):
        if image.media_type == media_type and media_type not in headers.get("Accept", ""):
            raise Refused(
                404,
                "MANIFEST_UNKNOWN",
                f"OCI {one} found, but accept header does not support OCI {many}",
                REGISTRY_VERSION,
            )
    if call.request.method == "GET":
        harbor.state.pulled(project, repository, artifact, reference, call.caller.name or "anonymous")
    return Answer(
        200,
        image.manifest,
        image.media_type,
        {**REGISTRY_VERSION, "Docker-Content-Digest": image.digest, "Etag": etag},
    )


def _blob(repository: Repository, digest: str) -> Answer:
    for artifact in repository.artifacts:
        if digest in artifact.image.blob_bytes:
            content = artifact.image.blobs.get(digest, bytes(artifact.image.blob_bytes[digest]))
            return _blob_answer(digest, content)
    raise Refused(404, "BLOB_UNKNOWN", "blob unknown to registry", REGISTRY_VERSION)


def _blob_answer(digest: str, content: bytes) -> Answer:
    headers = {
        **REGISTRY_VERSION,
        "Accept-Ranges": "bytes",
        "Cache-Control": "max-age=31536000",
        "Docker-Content-Digest": digest,
        "Etag": f'"{digest}"',
    }
    return Answer(200, content, "application/octet-stream", headers)


def _referrers(repository: Repository, digest: str) -> Answer:
    subject = next((one for one in repository.artifacts if one.image.digest == digest), None)
    found = [one.image for one in repository.artifacts if subject is not None and one.subject_id == subject.id]
    manifests = []
    for image in found:
        described = {"mediaType": image.media_type, "digest": image.digest, "size": len(image.manifest)}
        kind = json.loads(image.manifest).get("artifactType")
        manifests.append(described | ({"artifactType": kind} if kind else {}))
    answer = registry_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    return Answer(200, answer.body, OCI_INDEX, {"X-Total-Count": str(len(found))})
