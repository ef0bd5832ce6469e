"""An image's name as people write it, from `nginx` to `registry.example.com:5000/team/app:1.0@sha256:…`.

Source: the grammar of github.com/distribution/reference (reference.go, regexp.go), its reading of short names
(`splitDockerDomain` in normalize.go), and the lengths that github.com/opencontainers/go-digest knows.
"""

import re
from dataclasses import dataclass

from registry_clients.image_host import (
    DEFAULT_PORT,
    DOCKER_HUB,
    MAX_IMAGE_HOST_CHARACTERS,
    InvalidImageHost,
    parse_image_host,
)

MAX_IMAGE_REFERENCE_CHARACTERS = 1024
"""The grammar has no limit for the whole; its longest parts with a sha512 digest come to 776 characters."""

MAX_REPOSITORY_CHARACTERS = 255
MAX_TAG_CHARACTERS = 128

OFFICIAL_IMAGES = "library"
"""The first segment that Docker Hub puts before a name of one segment."""

_HEXADECIMAL_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}

_PRINTABLE = re.compile(r"[!-~]+")
_SEGMENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_REPOSITORY = re.compile(rf"{_SEGMENT.pattern}(?:/{_SEGMENT.pattern})*")
_TAG = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{MAX_TAG_CHARACTERS - 1}}}")
# The reference grammar lets an algorithm have upper case letters; the OCI specification and go-digest don't.
_DIGEST = re.compile(r"([a-z][a-z0-9]*(?:[-_+.][a-z][a-z0-9]*)*):([0-9a-fA-F]{32,})")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")

_EXAMPLE = "registry.example.com/team/app:1.0"


class InvalidImageReference(ValueError):
    """What was typed names no image. ``message`` says what is wrong and how one is written, for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image at a registry. ``host`` is in the one form of `parse_image_host`.

    ``repository`` is the whole name at the registry, such as `team/app/web`. Without ``tag`` and ``digest``, both
    None, the tag `latest` is meant.
    """

    host: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def text(self) -> str:
        """The full form. It parses to this reference again."""
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return f"{_written_host(self.host)}/{self.repository}{tag}{digest}"


def parse_image_reference(text: str) -> ImageReference:
    """Return what an image's name says, with short names read as Docker does: `nginx` is docker.io/library/nginx.

    The host index.docker.io is docker.io's old name. A digest of another algorithm than sha256, sha384 and sha512
    is taken when it has the form of one. Raises InvalidImageReference, and nothing else.
    """
    if len(text) > MAX_IMAGE_REFERENCE_CHARACTERS:
        raise _too_long()
    text = text.strip()
    _check_characters(text)
    if _IDENTIFIER.fullmatch(text):
        raise InvalidImageReference(f"This is an image's identifier, not its name, such as {_EXAMPLE}.")
    name, at, digest = text.partition("@")
    typed_host, remainder = _split_host(name)
    repository, colon, tag = remainder.partition(":")
    host = _parse_host(typed_host)
    if host == DOCKER_HUB and "/" not in repository:
        repository = f"{OFFICIAL_IMAGES}/{repository}"
    _check_repository(repository)
    if colon:
        _check_tag(tag)
    if at:
        _check_digest(digest)
    reference = ImageReference(host, repository, tag if colon else None, digest if at else None)
    if len(reference.text) > MAX_IMAGE_REFERENCE_CHARACTERS:
        raise _too_long()
    return reference


def is_repository_name(text: str) -> bool:
    """Say whether a text is a repository's whole name, of one segment or more, as it can be pulled."""
    return len(text) <= MAX_REPOSITORY_CHARACTERS and _REPOSITORY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Say whether a text is one that a tag may be."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Say whether a text is a digest: of its algorithm's length, where that is one that registries know."""
    if len(text) > MAX_IMAGE_REFERENCE_CHARACTERS or _DIGEST.fullmatch(text) is None:
        return False
    algorithm, _, encoded = text.partition(":")
    return _HEXADECIMAL_DIGITS.get(algorithm, len(encoded)) == len(encoded) and encoded == encoded.lower()


def _check_characters(text: str) -> None:
    if not text:
        raise InvalidImageReference(f"Give the image, such as {_EXAMPLE}.")
    if "://" in text:
        raise InvalidImageReference(
            f"Leave https:// and the like out of the image: it begins with the host, {_EXAMPLE}."
        )
    if any(character.isspace() for character in text):
        raise InvalidImageReference(f"Leave spaces and commands out of the image: give the name alone, {_EXAMPLE}.")
    if not _PRINTABLE.fullmatch(text):
        raise InvalidImageReference(f"An image is written in printable ASCII characters alone, such as {_EXAMPLE}.")


def _split_host(name: str) -> tuple[str, str]:
    segment, _, remainder = name.partition("/")
    # Without a slash all is the name: what follows the colon in `example.com:5000` is a tag.
    if "/" in name and reads_as_host(segment):
        return segment, remainder
    return DOCKER_HUB, name


def reads_as_host(segment: str) -> bool:
    """Return whether a first segment is a host: no first segment of a repository looks like this."""
    return segment == "localhost" or "." in segment or ":" in segment or segment != segment.lower()


def _written_host(host: str) -> str:
    # `registry:443` has the one form `registry`, which before a slash would be a namespace at Docker Hub.
    return host if reads_as_host(host) else f"{host}:{DEFAULT_PORT}"


def _parse_host(text: str) -> str:
    try:
        host = parse_image_host(text)
    except InvalidImageHost as error:
        raise InvalidImageReference(error.message) from error
    if len(_written_host(host)) > MAX_IMAGE_HOST_CHARACTERS:
        raise InvalidImageReference(f"The host of an image has {MAX_IMAGE_HOST_CHARACTERS} characters at most.")
    return host


def _check_repository(repository: str) -> None:
    if repository != repository.lower():
        raise InvalidImageReference(f"The repository of an image has lower case letters alone, such as {_EXAMPLE}.")
    if len(repository) > MAX_REPOSITORY_CHARACTERS:
        raise InvalidImageReference(
            f"The repository of an image has {MAX_REPOSITORY_CHARACTERS} characters at most, library/ included."
        )
    if not all(_SEGMENT.fullmatch(segment) for segment in repository.split("/")):
        raise InvalidImageReference(
            "The repository of an image is written in lower case letters and digits, with . _ __ or - between them "
            "and / between its segments, such as team/app."
        )


def _check_tag(tag: str) -> None:
    if len(tag) > MAX_TAG_CHARACTERS:
        raise InvalidImageReference(f"The tag of an image has {MAX_TAG_CHARACTERS} characters at most.")
    if not _TAG.fullmatch(tag):
        raise InvalidImageReference(
            "The tag of an image is written in letters, digits and _ . -, the first no . or -, such as app:1.0."
        )


def _check_digest(text: str) -> None:
    algorithm, _, encoded = text.partition(":")
    digits = _HEXADECIMAL_DIGITS.get(algorithm)
    if digits is not None and not re.fullmatch(rf"[0-9a-f]{{{digits}}}", encoded):
        raise InvalidImageReference(
            f"A {algorithm} digest is written with {digits} lower case hexadecimal digits: app@{algorithm}:…"
        )
    if not _DIGEST.fullmatch(text):
        raise InvalidImageReference(
            "A digest is written algorithm:digits after the @, the algorithm in lower case and at least 32 "
            "hexadecimal digits, such as app@sha256:…"
        )


def _too_long() -> InvalidImageReference:
    return InvalidImageReference(f"An image reference has {MAX_IMAGE_REFERENCE_CHARACTERS} characters at most.")
