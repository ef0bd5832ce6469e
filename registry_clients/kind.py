"""The kinds of registries there are, and what each of them can do, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class RegistryKind(StrEnum):
    """What software a registry is."""

    HARBOR = "HARBOR"
    DOCKER_REGISTRY = "DOCKER_REGISTRY"


class Ability(StrEnum):
    """Something that one kind of registry can do and another may not."""

    LIST_SPACES = "LIST_SPACES"
    CREATE_SPACES = "CREATE_SPACES"
    SET_VISIBILITY = "SET_VISIBILITY"
    DELETE_SPACES = "DELETE_SPACES"
    QUOTAS = "QUOTAS"
    STORAGE_TOTALS = "STORAGE_TOTALS"
    DELETE_ARTIFACTS = "DELETE_ARTIFACTS"
    DELETE_TAGS = "DELETE_TAGS"
    DELETE_REPOSITORIES = "DELETE_REPOSITORIES"
    CHANGE_FEED = "CHANGE_FEED"
    NOTIFICATIONS = "NOTIFICATIONS"
    PULL_CREDENTIALS = "PULL_CREDENTIALS"
    TOKEN_SERVER = "TOKEN_SERVER"  # noqa: S105 - the name of an ability
    VULNERABILITY_SCANS = "VULNERABILITY_SCANS"
    COMPONENT_HEALTH = "COMPONENT_HEALTH"
    READ_ONLY_MODE = "READ_ONLY_MODE"
    VERSION = "VERSION"


@dataclass(frozen=True, slots=True)
class KindDescription:
    """One kind of registry, for people and for those who ask what it can do.

    ``abilities`` are those of the registry software, whether our client for it has them all yet or not;
    ``is_supported`` says whether registries of this kind can be integrated at all. ``is_space_name`` says whether a
    space may be called so there, and ``space_name_rule`` is the same for people, a sentence.
    """

    kind: RegistryKind
    title: str
    description: str
    abilities: frozenset[Ability]
    requires_credential: bool
    is_supported: bool
    is_space_name: Callable[[str], bool]
    space_name_rule: str


class KindNotSupported(ValueError):
    """A client was asked for a kind of registry that can't be integrated yet. ``kind`` says which."""

    def __init__(self, kind: RegistryKind, title: str) -> None:
        self.kind = kind
        self.message = f"{title} registries can't be integrated yet."
        super().__init__(self.message)
