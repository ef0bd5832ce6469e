"""All that a Harbor remembers, and what changes it. Rules about who may do it are in the routes."""

import copy
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.doubles.harbor.audit_log import AuditLog
from tests.doubles.harbor.images import Image
from tests.doubles.harbor.records import (
    PROJECT_ADMIN,
    Artifact,
    Member,
    Permission,
    Project,
    Quota,
    Repository,
    Robot,
    Tag,
    User,
)

ADMINISTRATOR = "admin"
COMPONENTS = ("core", "database", "jobservice", "portal", "redis", "registry", "registryctl")
SECONDS_A_DAY = 86_400


def system_clock() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def new_secret() -> str:
    """Return a secret as Harbor makes them: 32 letters and digits, of each kind at least one."""
    return "Aa1" + secrets.token_hex(15)[:29]


class HarborState:
    """One Harbor's memory."""

    def __init__(self, administrator_password: str, clock: Callable[[], datetime] = system_clock) -> None:
        self.clock = clock
        self.settings: dict[str, Any] = {
            "audit_log_forward_endpoint": "",
            "auth_mode": "db_auth",
            "disabled_audit_log_event_types": "",
            "notification_enable": True,
            "primary_auth_mode": False,
            "project_creation_restriction": "everyone",
            "quota_per_project_enable": True,
            "read_only": False,
            "robot_name_prefix": "robot$",
            "robot_token_duration": 30,
            "scanner_skip_update_pulltime": False,
            "self_registration": False,
            "session_timeout": 60,
            "skip_audit_log_database": False,
            "storage_per_project": -1,
            "token_expiration": 30,
        }
        self.next_ids: Counter[str] = Counter()
        self.users: dict[str, User] = {}
        self.robots: dict[int, Robot] = {}
        self.projects: dict[int, Project] = {}
        self.audit_log = AuditLog(lambda: self.clock())
        self.broken_components: dict[str, str] = {}
        # Blobs stay until garbage is collected, whatever is deleted.
        self.stored_blob_bytes: dict[str, int] = {}
        self.add_user(
            ADMINISTRATOR,
            administrator_password,
            is_administrator=True,
            real_name="system admin",
            comment="admin user",
        )
        self.create_project("library", {"public": "true"}, self.users[ADMINISTRATOR])
        self.audit_log.purge()
        self.audit_log.next_id = 1

    def take_id(self, kind: str) -> int:
        """Return the next id of a kind; one that is taken and not used is gone, as in a database's sequence."""
        self.next_ids[kind] += 1
        return self.next_ids[kind]

    # ---- users -------------------------------------------------------------------------------------------

    def add_user(
        self,
        username: str,
        password: str,
        *,
        is_administrator: bool = False,
        real_name: str = "",
        comment: str | None = None,
        email: str | None = None,
    ) -> User:
        """Make a person."""
        user = User(self.take_id("user"), username, password, is_administrator, self.clock(), email, real_name, comment)
        self.users[username] = user
        return user

    def user_by_id(self, user_id: int) -> User | None:
        """Return a user, None if there is none."""
        return next((user for user in self.users.values() if user.id == user_id), None)

    # ---- projects ----------------------------------------------------------------------------------------

    def create_project(
        self, name: str, metadata: Mapping[str, str], owner: User | None, limit_bytes: int = -1, actor: str = ""
    ) -> Project:
        """Make a project. Its owner is its first member; one made by a robot is owned by the administrator."""
        now = self.clock()
        owner_id = owner.id if owner else self.users[ADMINISTRATOR].id
        quota = None
        project_id = self.take_id("project")
        if self.settings["quota_per_project_enable"]:
            quota = Quota(self.take_id("quota"), limit_bytes, now, now)
        project = Project(
            project_id,
            name,
            owner_id,
            {"public": "false", **metadata},
            now,
            now,
            self.take_id("allowlist"),
            quota,
            [Member(self.take_id("member"), owner_id, PROJECT_ADMIN)],
        )
        self.projects[project.id] = project
        self._wrote("create", "project", name, actor, project)
        return project

    def project_named(self, name: str) -> Project | None:
        """Return a project by name, None if there is none."""
        return next((project for project in self.projects.values() if project.name == name), None)

    def update_project(self, project: Project, metadata: Mapping[str, str], actor: str = "") -> None:
        """Merge metadata, unread."""
        project.metadata |= metadata
        project.updated_at = self.clock()
        self._wrote("update", "project", project.name, actor, project)

    def delete_project(self, project: Project, actor: str = "") -> None:
        """Take a project away, and silently out of all robots."""
        del self.projects[project.id]
        for robot in self.robots.values():
            robot.permissions = [one for one in robot.permissions if one.project_id != project.id]
        self._wrote("delete", "project", project.name, actor, project)

    # ---- repositories and artifacts ----------------------------------------------------------------------

    def push(self, project: Project, name: str, image: Image, tag: str | None, actor: str = "") -> Artifact:
        """Store an image under a tag, or untagged; children of an index before it."""
        now = self.clock()
        repository = project.repositories.get(name)
        if repository is None:
            repository = Repository(self.take_id("repository"), name, now, now)
            project.repositories[name] = repository
        children = [self.push(project, name, child, None, actor) for child, _ in image.children]
        artifact = self.artifact_by_digest(repository, image.digest)
        if artifact is None:
            artifact = Artifact(self.take_id("artifact"), image, now)
            repository.artifacts.append(artifact)
            self.stored_blob_bytes |= image.stored_bytes
            self._adopt(repository, artifact, children)
        if tag is not None:
            self.tag(repository, artifact, tag)
        repository.updated_at = now
        if project.quota:
            project.quota.updated_at = now
        full = f"{project.name}/{name}"
        self._wrote(
            "create",
            "artifact",
            f"{full}:{tag}" if tag else f"{full}@{image.digest}",
            actor,
            project,
            description=f"push artifact: {full}@{image.digest}",
        )
        return artifact

    def _adopt(self, repository: Repository, artifact: Artifact, children: Iterable[Artifact]) -> None:
        for child in children:
            child.parent_id = artifact.id
        if artifact.image.subject is not None:
            subject = self.artifact_by_digest(repository, artifact.image.subject.digest)
            assert subject is not None, "push the subject first"
            artifact.subject_id = subject.id
            artifact.accessory_id = self.take_id("accessory")

    def tag(self, repository: Repository, artifact: Artifact, name: str) -> None:
        """Give an artifact a tag, taking it from another that has it."""
        now = self.clock()
        for other in repository.artifacts:
            for tag in other.tags:
                if tag.name == name:
                    other.tags.remove(tag)
                    tag.pushed_at = now
                    artifact.tags.append(tag)
                    return
        artifact.tags.append(Tag(self.take_id("tag"), name, now))

    def artifact_by_digest(self, repository: Repository, digest: str) -> Artifact | None:
        """Return an artifact of a repository, None if there is none."""
        return next((one for one in repository.artifacts if one.image.digest == digest), None)

    def artifact_by_reference(self, repository: Repository, reference: str) -> Artifact | None:
        """Return an artifact by digest or by tag, None if there is none."""
        if ":" in reference:
            return self.artifact_by_digest(repository, reference)
        return next(
            (one for one in repository.artifacts if any(tag.name == reference for tag in one.tags)),
            None,
        )

    def delete_artifact(self, project: Project, repository: Repository, artifact: Artifact, actor: str = "") -> None:
        """Take an artifact away, with its children and accessories; the repository stands, even when empty.

        A child that has a tag of its own stays, and is no child any more.
        """
        gone = {artifact.id}
        for one in repository.artifacts:
            if artifact.id == one.subject_id or (artifact.id == one.parent_id and not one.tags):
                gone.add(one.id)
            elif artifact.id == one.parent_id:
                one.parent_id = None
        repository.artifacts = [one for one in repository.artifacts if one.id not in gone]
        repository.updated_at = self.clock()
        if project.quota:
            project.quota.updated_at = self.clock()
        resource = f"{project.name}/{repository.name}@{artifact.image.digest}"
        self._wrote("delete", "artifact", resource, actor, project)

    def delete_repository(self, project: Project, repository: Repository, actor: str = "") -> None:
        """Take a repository away with all that it holds."""
        for artifact in repository.listed_artifacts:
            self.delete_artifact(project, repository, artifact, actor)
        del project.repositories[repository.name]
        self._wrote("delete", "repository", f"{project.name}/{repository.name}", actor, project)

    def pulled(self, project: Project, repository: Repository, artifact: Artifact, reference: str, actor: str) -> None:
        """Count a pull. Harbor does so some seconds late."""
        repository.pull_count += 1
        artifact.pulled_at = self.clock()
        for tag in artifact.tags:
            if tag.name == reference:
                tag.pulled_at = artifact.pulled_at
        full = f"{project.name}/{repository.name}"
        self._wrote(
            "pull",
            "artifact",
            f"{full}@{reference}" if ":" in reference else f"{full}:{reference}",
            actor,
            project,
            description=f"pull artifact: {full}@{artifact.image.digest}",
        )

    # ---- robots ------------------------------------------------------------------------------------------

    def create_robot(
        self,
        name: str,
        permissions: list[Permission],
        *,
        level: str = "system",
        project_id: int = 0,
        duration_days: int = -1,
        description: str = "",
        is_disabled: bool = False,
        creator_id: int = 1,
        creator_type: str = "local",
        actor: str = "",
    ) -> Robot:
        """Make a robot with a secret of Harbor's choice."""
        now = self.clock()
        expires_at = -1 if duration_days < 0 else int(now.timestamp()) + duration_days * SECONDS_A_DAY
        robot = Robot(
            self.take_id("robot"),
            name,
            level,
            project_id,
            description,
            is_disabled,
            duration_days,
            expires_at,
            permissions,
            new_secret(),
            creator_id,
            creator_type,
            now,
            now,
        )
        self.robots[robot.id] = robot
        self._wrote("create", "robot", self.robot_name(robot), actor)
        return robot

    def delete_robot(self, robot: Robot, actor: str = "") -> None:
        """Take a robot away; tokens that it got live on."""
        del self.robots[robot.id]
        self._wrote("delete", "robot", self.robot_name(robot), actor)

    def robot_name(self, robot: Robot) -> str:
        """Return the whole name, as the prefix is now."""
        prefix = self.settings["robot_name_prefix"]
        if robot.level == "project":
            project = self.projects.get(robot.project_id)
            return f"{prefix}{project.name if project else ''}+{robot.bare_name}"
        return f"{prefix}{robot.bare_name}"

    def robot_named(self, name: str) -> Robot | None:
        """Return a robot by its whole name, None if there is none."""
        return next((robot for robot in self.robots.values() if self.robot_name(robot) == name), None)

    # ---- settings and the whole --------------------------------------------------------------------------

    def change_settings(self, changes: Mapping[str, Any], actor: str = "") -> None:
        """Set what is known, pass over the rest."""
        self.settings |= {key: value for key, value in changes.items() if key in self.settings}
        self._wrote("update", "configuration", "configuration", actor, description="update configuration")
        self.audit_log.is_skipped = bool(self.settings["skip_audit_log_database"])
        disabled = str(self.settings["disabled_audit_log_event_types"])
        self.audit_log.disabled_event_types = {one.strip() for one in disabled.split(",") if one.strip()}

    def collect_garbage(self) -> None:
        """Drop blobs that no project needs, as a garbage collection without its two hours of grace does."""
        self.stored_blob_bytes = {}
        for project in self.projects.values():
            self.stored_blob_bytes |= project.blob_bytes

    def backup(self) -> dict[str, Any]:
        """Return a copy of everything that a database backup holds."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name in _BACKED_UP}) | {
            "audit": (self.audit_log.next_id, list(self.audit_log.entries))
        }

    def restore(self, backup: Mapping[str, Any]) -> None:
        """Go back to a backup: what was made since is gone, and ids are given again."""
        held = copy.deepcopy(dict(backup))
        self.audit_log.next_id, self.audit_log.entries = held.pop("audit")
        for name, value in held.items():
            setattr(self, name, value)

    def _wrote(
        self,
        operation: str,
        resource_type: str,
        resource: str,
        actor: str,
        project: Project | None = None,
        description: str | None = None,
    ) -> None:
        self.audit_log.write(
            operation,
            resource_type,
            resource,
            actor or ADMINISTRATOR,
            description=description,
            project_id=project.id if project else None,
        )


_BACKED_UP = frozenset({"settings", "next_ids", "users", "robots", "projects", "stored_blob_bytes"})
