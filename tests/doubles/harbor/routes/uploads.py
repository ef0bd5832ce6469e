"""Pushes: blobs are uploaded, then a manifest names them."""

import json
import secrets
import uuid
from typing import Any

from tests.doubles.harbor.answers import REGISTRY_VERSION, Answer, Refused, bad_gateway, denied, empty
from tests.doubles.harbor.callers import Caller
from tests.doubles.harbor.images import OCI_INDEX, Image, Platform, digest_of, image_of_manifest
from tests.doubles.harbor.records import Project
from tests.doubles.harbor.requests import HarborRequest
from tests.doubles.harbor.surroundings import Surroundings


def upload(harbor: Surroundings, request: HarborRequest, project: Project, name: str, upload_id: str) -> Answer:
    """Start an upload, add to it, or finish it."""
    if "registry" in harbor.state.broken_components:
        return bad_gateway()
    match request.method:
        case "POST":
            return _start(harbor, project, name)
        case "PATCH":
            harbor.uploads[upload_id] += request.body
            return empty(202, _headers(harbor, name, upload_id))
        case "PUT":
            return _finish(harbor, request, project, upload_id)
    raise Refused(405, "UNSUPPORTED", "The operation is unsupported.", REGISTRY_VERSION)


def put_manifest(
    harbor: Surroundings, request: HarborRequest, caller: Caller, project: Project, name: str, reference: str
) -> Answer:
    """Store a manifest under a tag, or under its digest alone."""
    media_type = request.headers.get("Content-Type", "")
    image = _image(harbor, project, name, request.body, media_type)
    tag = None if ":" in reference else reference
    harbor.state.push(project, name, image, tag, caller.name or (caller.grant.subject if caller.grant else ""))
    headers = {
        **REGISTRY_VERSION,
        "Docker-Content-Digest": image.digest,
        "Location": f"/v2/{project.name}/{name}/manifests/{image.digest}",
    }
    return empty(201, headers)


def _start(harbor: Surroundings, project: Project, name: str) -> Answer:
    if project.quota and 0 <= project.quota.limit_bytes < project.used_bytes:
        raise denied(
            "subtracting 0 B of storage resource, which when updated to current usage of "
            f"{_size(project.used_bytes)} will exceed the configured upper limit of {_size(project.quota.limit_bytes)}."
        )
    upload_id = str(uuid.uuid4())
    harbor.uploads[upload_id] = b""
    return empty(202, _headers(harbor, name, upload_id))


def _headers(harbor: Surroundings, name: str, upload_id: str) -> dict[str, str]:
    location = f"{harbor.external_url}/v2/{name}/blobs/uploads/{upload_id}?_state={secrets.token_hex(8)}"
    size_bytes = len(harbor.uploads[upload_id])
    return {
        **REGISTRY_VERSION,
        "Docker-Upload-Uuid": upload_id,
        "Location": location,
        "Range": f"0-{max(size_bytes - 1, 0)}",
    }


def _finish(harbor: Surroundings, request: HarborRequest, project: Project, upload_id: str) -> Answer:
    content = harbor.uploads.pop(upload_id, b"") + request.body
    limit_bytes = project.quota.limit_bytes if project.quota else -1
    if 0 <= limit_bytes < project.used_bytes + len(content):
        refused = denied(
            f"adding {_size(len(content))} of storage resource, which when updated to current usage of "
            f"{_size(project.used_bytes)} will exceed the configured upper limit of {_size(limit_bytes)}."
        )
        # It closes the connection, for it did not read all that came.
        return Answer(403, refused.answer.body, refused.answer.content_type, {"Connection": "close"})
    digest = digest_of(content)
    if request.query.get("digest") != digest:
        raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content", REGISTRY_VERSION)
    harbor.blobs[digest] = content
    return empty(201, {**REGISTRY_VERSION, "Docker-Content-Digest": digest})


def _image(harbor: Surroundings, project: Project, name: str, content: bytes, media_type: str) -> Image:
    manifest: dict[str, Any] = json.loads(content)
    if "manifests" not in manifest:
        digest = manifest["config"]["digest"]
        if digest not in harbor.blobs:
            raise Refused(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", REGISTRY_VERSION)
        return image_of_manifest(content, harbor.blobs[digest], media_type=media_type)
    repository = project.repositories[name]
    children = []
    for one in manifest["manifests"]:
        child = harbor.state.artifact_by_digest(repository, one["digest"])
        assert child is not None, "push the children first"
        children.append((child.image, Platform(one["platform"]["architecture"], one["platform"]["os"])))
    return Image(digest_of(content), media_type, content, OCI_INDEX, children=tuple(children))


def _size(size_bytes: int) -> str:
    if size_bytes < 1024:
        return f"{size_bytes} B"
    size = size_bytes / 1024
    for unit in ("KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
