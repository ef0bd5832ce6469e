"""Manifests made up, as bytes, and the answers that a Docker Registry gives with them."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from registry_clients.transport import RegistryResponse
from tests.registry_clients.scripted_transport import response

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


def digest(content: bytes | str) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def described(name: str, size: object = 10, media_type: str = OCI_LAYER, **more: object) -> dict[str, Any]:
    """Return a description of something of that name."""
    return {"mediaType": media_type, "digest": digest(name), "size": size, **more}


def manifest(**fields: object) -> bytes:
    return json.dumps({"schemaVersion": 2, **fields}).encode()


def image(text: str, sizes: Sequence[object] = (10, 100), **more: object) -> bytes:
    """Return an image of a configuration of 5 bytes and layers of these sizes."""
    layers = [described(f"{text} {number}", size) for number, size in enumerate(sizes)]
    config = described(f"{text} config", 5, OCI_CONFIGURATION)
    return manifest(**{"mediaType": OCI_MANIFEST, "config": config, "layers": layers} | more)


def index(children: Mapping[str, Mapping[str, str] | None]) -> bytes:
    """Return an index over images, by digest and platform."""
    entries = [
        {"mediaType": OCI_MANIFEST, "digest": child, "size": 1} | ({} if platform is None else {"platform": platform})
        for child, platform in children.items()
    ]
    return manifest(mediaType=OCI_INDEX, manifests=entries)


def signed(payload: bytes, **protected: object) -> bytes:
    """Return a Schema 1 manifest with a signature around it, as 2.8 sends it."""

    def encoded(raw: bytes) -> str:
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    length = payload.rindex(b"\n}")
    tail = payload[length:]
    said = {"formatLength": length, "formatTail": encoded(tail), "time": "2026-01-02T03:04:05Z"} | protected
    signatures = [{"protected": encoded(json.dumps(said).encode()), "signature": "c2lnbmVk"}]
    return payload[:length] + b',\n   "signatures": ' + json.dumps(signatures).encode() + tail


def answered(content: bytes, media_type: str = OCI_MANIFEST, named: str | None = None) -> RegistryResponse:
    """Return the answer that gives a manifest, under its own digest or another name."""
    return response(200, content, Content_Type=media_type, Docker_Content_Digest=named or digest(content))
