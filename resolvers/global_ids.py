"""Opaque ids that are unique over all types."""

import base64
import binascii
from dataclasses import dataclass

from registry_clients.image_reference import is_digest

MAX_CHARACTERS = 240
"""Enough for an artifact with the longest digest that is in use, sha512."""
MAX_KEY = 2**63 - 1
ARTIFACT = "Artifact"


class InvalidId(ValueError):
    """A text is no id that came from here."""


@dataclass(frozen=True, slots=True)
class ArtifactKey:
    """What tells an artifact from every other: it is stored at its registry alone, so no number of ours does."""

    repository_id: int
    digest: str

    def __str__(self) -> str:
        return f"{self.repository_id}:{self.digest}"


def global_id(type_name: str, key: int | ArtifactKey) -> str:
    """Return the id of the thing of that type with that key."""
    # Of letters, digits and a digest's signs, Base64 makes neither of those in which its alphabet for URLs differs.
    return binascii.b2a_base64(f"{type_name}:{key}".encode(), newline=False).decode().rstrip("=")


def parse_global_id(text: str) -> tuple[str, int]:
    """Return type name and key of what is stored here. Raises InvalidId."""
    type_name, key = _parts(text)
    number = _number(key)
    if global_id(type_name, number) != text.rstrip("="):
        # One thing has one id: caches of clients compare them as text.
        raise InvalidId
    return type_name, number


def parse_artifact_id(text: str) -> ArtifactKey:
    """Return the key of an artifact. Raises InvalidId."""
    type_name, key = _parts(text)
    repository_id, _, digest = key.partition(":")
    if type_name != ARTIFACT or not is_digest(digest):
        raise InvalidId
    artifact = ArtifactKey(_number(repository_id), digest)
    if global_id(ARTIFACT, artifact) != text.rstrip("="):
        raise InvalidId
    return artifact


def key_of(text: str, type_name: str) -> int | None:
    """Return the key of an id of that type; None for one of another type, or of nothing."""
    try:
        found, key = parse_global_id(text)
    except InvalidId:
        return None
    return key if found == type_name else None


def _parts(text: str) -> tuple[str, str]:
    if len(text) > MAX_CHARACTERS:
        raise InvalidId
    try:
        type_name, _, key = (
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            .decode("ascii")
            .partition(":")
        )
    except (ValueError, binascii.Error) as error:
        raise InvalidId from error
    if not type_name:
        raise InvalidId
    return type_name, key


def _number(text: str) -> int:
    if not (text.isdecimal() and text.isascii()) or int(text) > MAX_KEY:
        raise InvalidId
    return int(text)
