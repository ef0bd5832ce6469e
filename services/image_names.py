"""How the names of images and the spaces of registries go together."""

from __future__ import annotations

from models.enums import RegistryKind

DEFAULT_SPACE = "library"
"""On a Docker Registry: the space of names of one segment, whose images have no prefix but the host's."""


def image_prefixes(image_host: str, space_name: str, kind: RegistryKind) -> list[str]:
    """Return what the names of a space's images begin with."""
    prefix = f"{image_host}/{space_name}/"
    is_default = kind is RegistryKind.DOCKER_REGISTRY and space_name == DEFAULT_SPACE
    return [f"{image_host}/", prefix] if is_default else [prefix]


def space_name_of(repository: str, kind: RegistryKind) -> str | None:
    """Return the name of the space that a repository of that whole name lies in; None where none can hold it."""
    first, _, rest = repository.partition("/")
    if rest:
        return first
    return DEFAULT_SPACE if kind is RegistryKind.DOCKER_REGISTRY else None
