"""What a manifest says, and whether it is the one that was asked for.

Sources: the OCI image specification (manifest.md, image-index.md, descriptor.md), Docker's Image Manifest V2
Schema 2, and seen on 2.8.2 what is still served of Schema 1.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

import orjson

from registry_clients.errors import UnreadableManifest
from registry_clients.image_reference import is_digest
from registry_clients.media_types import (
    DOCKER_SCHEMA_1,
    IMAGE_CONFIGURATIONS,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    media_type_of,
)
from registry_clients.records import Blob, FoundManifest, PlatformManifest

MAX_SIZE_BYTES = 2**63 - 1
"""What Distribution takes, and what databases hold."""

_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})

_PLATFORM_WORD = re.compile(r"[!-~]{1,64}")
_UNKNOWN = "unknown"


def can_be_checked(digest: str) -> bool:
    """Say whether a digest is one whose content can be told from any other."""
    return is_digest(digest) and digest.partition(":")[0] in _ALGORITHMS


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of some bytes, as registries write it."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def content_under(digest: str, body: bytes) -> bytes | None:
    """Return the bytes that a digest stands for out of an answer's body, None when that is something else.

    A Schema 1 manifest is known by the digest of what was signed: 2.8.2 puts a signature of its own around that,
    another with each answer.
    """
    algorithm = digest.partition(":")[0]
    if digest_of(body, algorithm) == digest:
        return body
    signed = _signed_content(body)
    return signed if signed is not None and digest_of(signed, algorithm) == digest else None


def parse_manifest(content: bytes, digest: str, content_type: str, host: str) -> FoundManifest:
    """Return what a manifest says. ``content_type`` counts only where it doesn't say itself what it is.

    Layers that are fetched from elsewhere (with `urls`) are left out: a registry need not store them. Of Schema 1
    manifests, which name no sizes, only their own bytes are known. Raises UnreadableManifest for what is no
    manifest: registries take sizes of any sort and more from whoever may push.
    """
    values = _object(content, host)
    of_answer = media_type_of(content_type)
    config = _optional_object(values.get("config"), host)
    blobs: tuple[Blob, ...] = ()
    platforms: tuple[PlatformManifest, ...] = ()
    if values.get("schemaVersion") == 1:
        kind = DOCKER_SCHEMA_1
    elif "manifests" in values:
        if config is not None or "layers" in values:
            # Which of the two it is would depend on who reads it.
            raise _unreadable(host, "it is an image and an index at once")
        kind, platforms = OCI_INDEX, _platforms(values, host)
    elif config is not None or "layers" in values or "blobs" in values:
        kind, blobs = OCI_MANIFEST, _blobs(values, config, host)
    else:
        raise _unreadable(host, "it is neither an image nor an index")
    return FoundManifest(
        digest=digest,
        media_type=media_type_of(values.get("mediaType")) or (of_answer if of_answer in MANIFESTS else None) or kind,
        artifact_type=_artifact_type(values, config),
        size_bytes=len(content),
        blobs=blobs,
        platforms=platforms,
    )


def _artifact_type(values: Mapping[str, Any], config: Mapping[str, Any] | None) -> str | None:
    stated = media_type_of(values.get("artifactType"))
    if stated is not None or config is None:
        return stated
    of_config = media_type_of(config.get("mediaType"))
    return None if of_config in IMAGE_CONFIGURATIONS else of_config


def _blobs(values: Mapping[str, Any], config: Mapping[str, Any] | None, host: str) -> tuple[Blob, ...]:
    described = [*_objects(values.get("layers"), host), *_objects(values.get("blobs"), host)]
    if config is not None:
        described.insert(0, config)
    # What says two sizes of one blob is taken at its first word.
    sizes: dict[str, int] = {}
    for blob in described:
        if not blob.get("urls"):
            sizes.setdefault(_digest(blob, host), _size(blob, host))
    return tuple(Blob(digest, size) for digest, size in sizes.items())


def _platforms(values: Mapping[str, Any], host: str) -> tuple[PlatformManifest, ...]:
    return tuple(_platform(entry, host) for entry in _objects(values["manifests"], host))


def _platform(entry: Mapping[str, Any], host: str) -> PlatformManifest:
    # An attestation is for "unknown/unknown", and an index in an index has no platform at all.
    platform = _optional_object(entry.get("platform"), host) or {}
    return PlatformManifest(
        digest=_digest(entry, host),
        os=_word(platform.get("os")) or _UNKNOWN,
        architecture=_word(platform.get("architecture")) or _UNKNOWN,
        variant=_word(platform.get("variant")),
    )


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _PLATFORM_WORD.fullmatch(value) else None


def _digest(described: Mapping[str, Any], host: str) -> str:
    value = described.get("digest")
    if not isinstance(value, str) or not is_digest(value):
        raise _unreadable(host, "it refers to something without a digest")
    return value


def _size(described: Mapping[str, Any], host: str) -> int:
    value = described.get("size")
    # Seen on 2.8.2: it takes -5 and null. What is past 64 bits comes out of the parser as no integer.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SIZE_BYTES:
        raise _unreadable(host, "it gives a size that is none")
    return value


def _object(content: bytes, host: str) -> Mapping[str, Any]:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _unreadable(host, "it is no JSON") from error
    if not isinstance(value, dict):
        raise _unreadable(host, "it is no JSON object")
    return value


def _optional_object(value: object, host: str) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise _unreadable(host, "it is of another shape than manifests are")
    return value


def _objects(value: object, host: str) -> list[Mapping[str, Any]]:
    # Registries written in Go may say null for an empty list.
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _unreadable(host, "it is of another shape than manifests are")
    return value


def _unreadable(host: str, why: str) -> UnreadableManifest:
    return UnreadableManifest(f"{host} holds a manifest that can't be read: {why}.")


def _signed_content(body: bytes) -> bytes | None:
    """Return what the first signature of a Schema 1 manifest is for, None when there is none.

    It names how much of the body that is, and how it ends.
    """
    try:
        protected = orjson.loads(_unpadded(orjson.loads(body)["signatures"][0]["protected"]))
        length, tail = protected["formatLength"], _unpadded(protected["formatTail"])
    except (orjson.JSONDecodeError, binascii.Error, ValueError, LookupError, TypeError, AttributeError):
        return None
    is_length = isinstance(length, int) and not isinstance(length, bool) and 0 <= length <= len(body)
    return body[:length] + tail if is_length else None


def _unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
