"""Small images, made on the spot, and pushed by the plain HTTP API of every registry.

Source: the OCI Distribution Specification, "Pushing blobs" and "Pushing manifests".
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit


class PushTarget(Protocol):
    """A registry that images are pushed to."""

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to it."""
        ...

    def authorization_for(self, repository: str) -> dict[str, str]:
        """Return the header of one who may push to a repository; empty where everybody may."""
        ...


class PushFailed(Exception):
    """The registry did not answer a step of a push as the specification says."""

    def __init__(self, step: str, answer: str) -> None:
        super().__init__(f"{step} was answered with {answer}")


def push_image(registry: PushTarget, repository: str, tag: str, text: str = "") -> str:
    """Push a small OCI image and return the digest of its manifest. Raises PushFailed, OSError.

    Images of the same text are the same; by default the text is repository and tag.
    """
    layer = f"a layer of {text or f'{repository}:{tag}'}".encode()
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _described("application/vnd.oci.image.config.v1+json", config.encode()),
            "layers": [_described("application/vnd.oci.image.layer.v1.tar", layer)],
        }
    ).encode()
    authorization = registry.authorization_for(repository)
    with contextlib.closing(registry.connect()) as connection:
        for blob in (layer, config.encode()):
            _push_blob(connection, authorization, repository, blob)
        _expect(
            connection,
            201,
            "PUT",
            f"/v2/{repository}/manifests/{tag}",
            manifest,
            authorization | {"Content-Type": "application/vnd.oci.image.manifest.v1+json"},
        )
    return _digest(manifest)


def _push_blob(
    connection: http.client.HTTPConnection, authorization: Mapping[str, str], repository: str, blob: bytes
) -> None:
    headers = _expect(connection, 202, "POST", f"/v2/{repository}/blobs/uploads/", b"", authorization)
    # By its path alone: behind a proxy a registry may take itself to be called otherwise.
    parts = urlsplit(headers["Location"])
    location = f"{parts.path}?{parts.query}" if parts.query else parts.path
    separator = "&" if "?" in location else "?"
    _expect(
        connection,
        201,
        "PUT",
        f"{location}{separator}digest={_digest(blob)}",
        blob,
        {**authorization, "Content-Type": "application/octet-stream"},
    )


def _expect(
    connection: http.client.HTTPConnection,
    status: int,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
) -> http.client.HTTPMessage:
    step = f"{method} {url}"
    try:
        connection.request(method, url, body=body, headers=dict(headers))
        response = connection.getresponse()
        answer = response.read()
    except http.client.HTTPException as error:
        raise PushFailed(step, f"no proper HTTP: {error!r}") from error
    if response.status != status:
        raise PushFailed(step, f"{response.status}: {answer[:500].decode(errors='replace')}")
    return response.headers


def _described(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
