"""Small images, made up: manifests, configurations and layers, as they lie in a registry."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Platform:
    """What a child of an index runs on."""

    architecture: str
    os: str = "linux"


@dataclass(frozen=True)
class Image:
    """A manifest and what it names. Layers are known by size alone; their bytes are never read."""

    digest: str
    media_type: str
    manifest: bytes
    configuration_media_type: str
    configuration: Mapping[str, Any] = field(default_factory=dict)
    blob_bytes: Mapping[str, int] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    kind: str = "IMAGE"
    annotations: Mapping[str, str] | None = None
    children: tuple[tuple["Image", Platform], ...] = ()
    subject: "Image | None" = None
    accessory_kind: str = ""

    @property
    def size_bytes(self) -> int:
        """Manifest, configuration and layers; of an index, its children's too."""
        return len(self.manifest) + sum(self.blob_bytes.values()) + sum(child.size_bytes for child, _ in self.children)

    @property
    def stored_bytes(self) -> Mapping[str, int]:
        """What it puts on the disk: bytes by digest, its own manifest included, its children's not."""
        return {self.digest: len(self.manifest), **self.blob_bytes}


def digest_of(content: bytes) -> str:
    """Return the digest of some bytes, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def compact_json(value: Any) -> bytes:
    """Return a value as JSON without blanks, as manifests are written."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def image_of_manifest(
    content: bytes,
    configuration: bytes,
    *,
    media_type: str | None = None,
    kind: str = "IMAGE",
) -> Image:
    """Return the image of a manifest that lists its configuration and its layers."""
    manifest = json.loads(content)
    described = [manifest["config"], *manifest["layers"]]
    return Image(
        digest=digest_of(content),
        media_type=media_type or manifest["mediaType"],
        manifest=content,
        configuration_media_type=manifest["config"]["mediaType"],
        configuration=json.loads(configuration),
        blob_bytes={one["digest"]: one["size"] for one in described},
        blobs={manifest["config"]["digest"]: configuration},
        annotations=manifest.get("annotations"),
        kind=kind,
    )


def made_image(
    text: str,
    *,
    layers: Mapping[str, int] | None = None,
    size_bytes: int | None = None,
    platform: Platform = Platform("amd64"),
    configuration: Mapping[str, Any] | None = None,
    digest: str | None = None,
) -> Image:
    """Return an OCI image. Images of the same text are the same.

    ``layers`` names layers that others may share, by digest; one of its own is added, as large as needed for
    ``size_bytes`` in all. ``digest`` is for an image that is known by its digest alone.
    """
    config = {"architecture": platform.architecture, "os": platform.os, **(configuration or {})}
    content = compact_json(config)
    shared = dict(layers or {})
    own = digest_of(f"a layer of {text}".encode())

    def manifest_with(own_bytes: int) -> dict[str, Any]:
        return {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIGURATION, "digest": digest_of(content), "size": len(content)},
            "layers": [
                {"mediaType": OCI_LAYER, "digest": name, "size": size}
                for name, size in (shared | {own: own_bytes}).items()
            ],
        }

    own_bytes = 1024
    if size_bytes is not None:
        # The size is written in the manifest, so its digits count in the size: twice is enough to settle.
        for _ in range(3):
            rest = len(compact_json(manifest_with(own_bytes))) + len(content) + sum(shared.values())
            own_bytes = size_bytes - rest
    image = image_of_manifest(compact_json(manifest_with(own_bytes)), content)
    return image if digest is None else _named(image, digest)


def made_index(children: Mapping[Platform, Image]) -> Image:
    """Return an OCI index over images."""
    content = compact_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {
                    "mediaType": OCI_MANIFEST,
                    "digest": child.digest,
                    "size": len(child.manifest),
                    "platform": {"architecture": platform.architecture, "os": platform.os},
                }
                for platform, child in children.items()
            ],
        }
    )
    return Image(
        digest=digest_of(content),
        media_type=OCI_INDEX,
        manifest=content,
        configuration_media_type=OCI_INDEX,
        children=tuple((child, platform) for platform, child in children.items()),
    )


def _named(image: Image, digest: str) -> Image:
    return Image(**{**vars(image), "digest": digest})
