"""The double as a test holds it: what people do in Harbor's own portal, what breaks, and what was called."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.doubles.harbor.application import Behaviour, Hook
from tests.doubles.harbor.calls import CallLog
from tests.doubles.harbor.images import Image, made_image
from tests.doubles.harbor.lies import Lie, ToldLie
from tests.doubles.harbor.records import DEVELOPER, Access, Member, Permission, Project, Quota, Repository, Robot
from tests.doubles.harbor.state import ADMINISTRATOR, HarborState
from tests.doubles.harbor.surroundings import Surroundings

_BROKEN = 'failed to check health: Get "http://10.42.7.{}:5000/": dial tcp 10.42.7.{}:5000: connect: connection refused'


class Portal:
    """Changes a Harbor from outside of its API, as others do while it is integrated."""

    def __init__(self, harbor: Surroundings, behaviour: Behaviour, calls: CallLog, lock: threading.RLock) -> None:
        self._harbor = harbor
        self._behaviour = behaviour
        self._lock = lock
        self.calls = calls

    @property
    def state(self) -> HarborState:
        """The memory itself, for what has no method here. Change it only inside `paused`."""
        return self._harbor.state

    @contextmanager
    def paused(self) -> Iterator[HarborState]:
        """Hold every answer back while the block looks at the memory or changes it."""
        with self._lock:
            yield self._harbor.state

    # ---- users -------------------------------------------------------------------------------------------

    def add_user(self, username: str, password: str, *, is_administrator: bool = False) -> None:
        """Make a person."""
        with self.paused() as state:
            state.add_user(username, password, is_administrator=is_administrator, email=f"{username}@example.org")

    def add_member(self, project: str, username: str, role_id: int = DEVELOPER) -> None:
        """Make a person a member of a project."""
        with self.paused() as state:
            member = Member(state.take_id("member"), state.users[username].id, role_id)
            self._project(project).members.append(member)

    def set_admin_password(self, password: str) -> None:
        """Change the administrator's password."""
        with self.paused() as state:
            state.users[ADMINISTRATOR].password = password

    # ---- projects and images -----------------------------------------------------------------------------

    def create_project(self, name: str, *, is_public: bool = False, limit_bytes: int = -1) -> int:
        """Make a project and return its id."""
        with self.paused() as state:
            metadata = {"public": "true" if is_public else "false"}
            return state.create_project(name, metadata, state.users[ADMINISTRATOR], limit_bytes).id

    def set_public(self, project: str, is_public: bool | str) -> None:
        """Make a project public or private; a text is stored as it is."""
        with self.paused() as state:
            text = is_public if isinstance(is_public, str) else str(is_public).lower()
            state.update_project(self._project(project), {"public": text})

    def forget_visibility(self, project: str) -> None:
        """Take ``public`` out of a project's metadata."""
        with self.paused():
            self._project(project).metadata.pop("public", None)

    def set_quota(self, project: str, limit_bytes: int) -> None:
        """Set a project's limit; -1 is none."""
        with self.paused():
            self._quota(project).limit_bytes = limit_bytes

    def delete_project(self, name: str) -> None:
        """Delete a project with everything in it."""
        with self.paused() as state:
            project = self._project(name)
            for repository in list(project.repositories.values()):
                state.delete_repository(project, repository)
            state.delete_project(project)

    def push(self, repository: str, tag: str | None, image: Image | None = None) -> str:
        """Push an image, by default a small one made of its name, and return its digest."""
        with self.paused() as state:
            project, _, name = repository.partition("/")
            pushed = image or made_image(f"{repository}:{tag}")
            state.push(self._project(project), name, pushed, tag)
            return pushed.digest

    def pull(self, repository: str, reference: str) -> None:
        """Count a pull."""
        with self.paused() as state:
            project, found = self._repository(repository)
            artifact = state.artifact_by_reference(found, reference)
            assert artifact is not None, (repository, reference)
            state.pulled(project, found, artifact, reference, ADMINISTRATOR)

    def delete_artifact(self, repository: str, reference: str) -> None:
        """Delete an artifact by tag or digest; the repository stands."""
        with self.paused() as state:
            project, found = self._repository(repository)
            artifact = state.artifact_by_reference(found, reference)
            assert artifact is not None, (repository, reference)
            state.delete_artifact(project, found, artifact)

    def keep_tags(self, project: str, *patterns: str) -> None:
        """Make rules that keep tags of these patterns, in all repositories of a project, in place of those before."""
        with self.paused():
            self._project(project).immutable_tags = list(patterns)

    def delete_repository(self, repository: str) -> None:
        """Delete a repository with everything in it."""
        with self.paused() as state:
            state.delete_repository(*self._repository(repository))

    # ---- robots ------------------------------------------------------------------------------------------

    def create_robot(self, name: str, permissions: Mapping[str, str], secret: str | None = None) -> tuple[str, str]:
        """Make a system robot and return its whole name and its secret.

        ``permissions`` gives accesses by place, in words: ``{"team": "repository:pull", "/": "project:list"}``;
        ``*`` is every project.
        """
        with self.paused() as state:
            robot = state.create_robot(name, [self._permission(*one) for one in permissions.items()])
            robot.secret = secret or robot.secret
            return state.robot_name(robot), robot.secret

    def robots(self) -> dict[str, Robot]:
        """Return all robots by their whole names."""
        with self.paused() as state:
            return {state.robot_name(robot): robot for robot in state.robots.values()}

    def delete_robot(self, name: str) -> None:
        """Delete a robot by its whole name."""
        with self.paused() as state:
            state.delete_robot(self._robot(name))

    def disable_robot(self, name: str, *, is_disabled: bool = True) -> None:
        """Disable or enable a robot by its whole name."""
        with self.paused():
            self._robot(name).is_disabled = is_disabled

    def set_robot_permissions(self, name: str, permissions: Mapping[str, str]) -> None:
        """Give a robot other permissions, in the words of `create_robot`."""
        with self.paused():
            self._robot(name).permissions = [self._permission(*one) for one in permissions.items()]

    def expire_robot(self, name: str) -> None:
        """Let a robot's time be over."""
        with self.paused() as state:
            self._robot(name).expires_at_seconds = int(state.clock().timestamp()) - 1

    def change_prefix(self, prefix: str) -> None:
        """Change the prefix of robot names, which renames all robots."""
        with self.paused() as state:
            state.change_settings({"robot_name_prefix": prefix})

    # ---- the system --------------------------------------------------------------------------------------

    def set_read_only(self, is_read_only: bool) -> None:
        """Switch read-only mode on or off."""
        with self.paused() as state:
            state.change_settings({"read_only": is_read_only})

    def set_version(self, version: str) -> None:
        """Be another version, in words alone."""
        with self.paused():
            self._harbor.version = version

    def break_component(self, name: str, error: str | None = None) -> None:
        """Stop a component; its error holds internal addresses, as real ones do."""
        with self.paused() as state:
            state.broken_components[name] = error or _BROKEN.format(len(name), len(name))

    def mend_component(self, name: str) -> None:
        """Start a component again."""
        with self.paused() as state:
            del state.broken_components[name]

    def collect_garbage(self) -> None:
        """Run a garbage collection that spares nothing."""
        with self.paused() as state:
            state.collect_garbage()

    def backup(self) -> dict[str, Any]:
        """Return a backup of the database."""
        with self.paused() as state:
            return state.backup()

    def restore_backup(self, backup: Mapping[str, Any]) -> None:
        """Go back to a backup: the ids of the audit log go back too."""
        with self.paused() as state:
            state.restore(backup)

    # ---- the audit log -----------------------------------------------------------------------------------

    def skip_audit_log(self, is_skipped: bool = True) -> None:
        """Switch the audit log off or on."""
        with self.paused() as state:
            state.change_settings({"skip_audit_log_database": is_skipped})

    def disable_audit_events(self, *event_types: str) -> None:
        """Switch single types of event off, such as ``create_project``; none switches all on."""
        with self.paused() as state:
            state.change_settings({"disabled_audit_log_event_types": ",".join(event_types)})

    def purge_audit_log(self) -> None:
        """Drop all entries; the ids go on."""
        with self.paused() as state:
            state.audit_log.purge()

    def take_audit_id(self) -> int:
        """Take an id for an entry that comes late, by `write_late_entry`."""
        with self.paused() as state:
            return state.audit_log.take_id()

    def write_late_entry(self, entry_id: int, operation: str, resource_type: str, resource: str) -> None:
        """Write an entry with an id that was taken before others that stand there already."""
        with self.paused() as state:
            state.audit_log.write(operation, resource_type, resource, ADMINISTRATOR, entry_id=entry_id)

    # ---- how it answers ----------------------------------------------------------------------------------

    def slow(self, seconds: float) -> None:
        """Hold every answer back; 0 ends it."""
        self._behaviour.slow_seconds = seconds

    def lie(self, lie: Lie, path_prefix: str = "/", method: str | None = None) -> None:
        """Answer falsely for paths that begin so, to one method or to all, until `tell_the_truth`."""
        self._behaviour.lies.append(ToldLie(lie, path_prefix, method))

    def tell_the_truth(self) -> None:
        """Answer as Harbor does."""
        self._behaviour.lies.clear()

    def before_each_call(self, hook: Hook | None) -> None:
        """Call this before each answer, so that a list can shrink while it is paged."""
        self._behaviour.before_each_call = hook

    def let_time_pass(self, by: timedelta) -> None:
        """Put the clock forward."""
        with self.paused() as state:
            before: Callable[[], Any] = state.clock
            state.clock = lambda: before() + by

    def _project(self, name: str) -> Project:
        project = self._harbor.state.project_named(name)
        assert project is not None, name
        return project

    def _quota(self, project: str) -> Quota:
        quota = self._project(project).quota
        assert quota is not None, project
        return quota

    def _repository(self, full_name: str) -> tuple[Project, Repository]:
        name, _, rest = full_name.partition("/")
        project = self._project(name)
        return project, project.repositories[rest]

    def _robot(self, name: str) -> Robot:
        robot = self._harbor.state.robot_named(name)
        assert robot is not None, name
        return robot

    def _permission(self, place: str, words: str) -> Permission:
        accesses = tuple(Access(*word.split(":")) for word in words.split())
        if place == "/":
            return Permission("system", None, accesses)
        return Permission("project", None if place == "*" else self._project(place).id, accesses)
