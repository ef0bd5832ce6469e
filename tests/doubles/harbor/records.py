"""What a Harbor keeps: users, projects, what lies in them, robots, quotas, the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from tests.doubles.harbor.images import Image

UNSET_TIME = datetime(1, 1, 1, tzinfo=UTC)

PROJECT_ADMIN, DEVELOPER, GUEST, MAINTAINER = 1, 2, 3, 4


@dataclass
class User:
    """A person with a password."""

    id: int
    username: str
    password: str
    is_administrator: bool
    created_at: datetime
    email: str | None = None
    real_name: str = ""
    comment: str | None = None


@dataclass(frozen=True)
class Access:
    """One thing that a robot may do: ``repository``, ``pull``."""

    resource: str
    action: str


@dataclass(frozen=True)
class Permission:
    """What a robot may do in one place: the system, one project by its id, or (None) every project."""

    kind: str
    project_id: int | None
    accesses: tuple[Access, ...]


@dataclass
class Robot:
    """A robot account. Its name is kept bare: the prefix is a setting, so changing it renames all robots."""

    id: int
    bare_name: str
    level: str
    project_id: int
    description: str
    is_disabled: bool
    duration_days: int
    expires_at_seconds: int
    permissions: list[Permission]
    secret: str
    creator_id: int
    creator_type: str
    created_at: datetime
    updated_at: datetime


@dataclass
class Tag:
    """A name of an artifact."""

    id: int
    name: str
    pushed_at: datetime
    pulled_at: datetime = UNSET_TIME


@dataclass
class Artifact:
    """An image in a repository, with its tags; a child of an index or an accessory has a parent or a subject."""

    id: int
    image: Image
    pushed_at: datetime
    pulled_at: datetime = UNSET_TIME
    tags: list[Tag] = field(default_factory=list)
    parent_id: int | None = None
    subject_id: int | None = None
    accessory_id: int | None = None

    @property
    def is_listed(self) -> bool:
        """Whether lists and counts have it: an image of an index only with a tag of its own (read)."""
        return self.subject_id is None and (self.parent_id is None or bool(self.tags))


@dataclass
class Repository:
    """A repository, by its name within the project."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    artifacts: list[Artifact] = field(default_factory=list)
    description: str = ""
    pull_count: int = 0

    @property
    def listed_artifacts(self) -> list[Artifact]:
        """Artifacts without the children of indexes and without accessories."""
        return [artifact for artifact in self.artifacts if artifact.is_listed]


@dataclass
class Quota:
    """The limit of a project: -1 is none."""

    id: int
    limit_bytes: int
    created_at: datetime
    updated_at: datetime


@dataclass
class Member:
    """A user's part in a project."""

    id: int
    user_id: int
    role_id: int


@dataclass
class Project:
    """A project; its metadata are texts, kept as they were put."""

    id: int
    name: str
    owner_id: int
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    allowlist_id: int
    quota: Quota | None
    members: list[Member] = field(default_factory=list)
    repositories: dict[str, Repository] = field(default_factory=dict)
    # Tags that a rule keeps, as shell patterns.
    immutable_tags: list[str] = field(default_factory=list)

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it: any way of writing "true" counts, and a missing one is private."""
        return self.metadata.get("public", "").lower() == "true"

    @property
    def blob_bytes(self) -> Mapping[str, int]:
        """Everything that lies in it, once each: digests of manifests, configurations and layers, with sizes."""
        found: dict[str, int] = {}
        for repository in self.repositories.values():
            for artifact in repository.artifacts:
                found |= artifact.image.stored_bytes
        return found

    @property
    def used_bytes(self) -> int:
        """What its quota counts."""
        return sum(self.blob_bytes.values())

    def keeps(self, tag: Tag) -> bool:
        """Whether a rule keeps a tag, and with it what it names."""
        return any(fnmatchcase(tag.name, pattern) for pattern in self.immutable_tags)

    def role_of(self, user_id: int) -> int | None:
        """Return the role of a user, None for no member."""
        return next((member.role_id for member in self.members if member.user_id == user_id), None)


@dataclass(frozen=True)
class AuditEntry:
    """One line of the audit log."""

    id: int
    operated_at: datetime
    operation: str
    resource_type: str
    resource: str
    description: str
    username: str
    project_id: int | None
