"""Who calls: what credentials a request carries, and what they are worth."""

import asyncio
import base64
import binascii
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.doubles.harbor.permissions import accesses_of_role, system_accesses
from tests.doubles.harbor.records import Access, Project, Robot, User
from tests.doubles.harbor.state import HarborState
from tests.doubles.harbor.tokens import TokenGrant, TokenIssuer

ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Caller:
    """A user, a robot, who holds a registry token, or nobody."""

    user: User | None = None
    robot: Robot | None = None
    grant: TokenGrant | None = None
    name: str = ""
    scheme: str = ""

    @property
    def is_known(self) -> bool:
        """Whether a user or a robot was recognised."""
        return self.user is not None or self.robot is not None

    @property
    def is_administrator(self) -> bool:
        """Whether a system administrator was recognised."""
        return self.user is not None and self.user.is_administrator

    @property
    def label(self) -> str:
        """What counters call it."""
        if self.user is not None:
            return f"user {self.name}"
        if self.robot is not None:
            return f"robot {self.name}"
        return "token" if self.grant is not None else ANONYMOUS

    def may_in_system(self, access: Access) -> bool:
        """Tell whether it may do something to the system's own things."""
        if self.is_administrator:
            return True
        return self.robot is not None and any(
            one.kind == "system" and access in one.accesses for one in self.robot.permissions
        )

    def accesses_in(self, project: Project) -> tuple[Access, ...]:
        """Return all that it may do in a project."""
        role = None if self.user is None else project.role_of(self.user.id)
        everybody: tuple[Access, ...] = accesses_of_role(None) if project.is_public else ()
        if self.is_administrator:
            return accesses_of_role(1)
        if self.robot is not None:
            # A robot is given "project", where people's roles say ".".
            own = tuple(
                Access("." if access.resource == "project" else access.resource, access.action)
                for one in self.robot.permissions
                if one.kind == "project" and one.project_id in (project.id, None)
                for access in one.accesses
            )
            return tuple(dict.fromkeys((*own, *everybody)))
        return everybody if role is None else accesses_of_role(role)

    def may_in_project(self, project: Project, access: Access) -> bool:
        """Tell whether it may do something in a project."""
        return access in self.accesses_in(project)

    def system_permissions(self) -> tuple[Access, ...]:
        """Return what ``/users/current/permissions`` says: nothing to robots, whatever they may do."""
        return system_accesses() if self.is_administrator else ()


@dataclass
class Authenticator:
    """Recognises callers. A wrong password locks its user name while its answer is held back."""

    state: HarborState
    tokens: TokenIssuer
    wrong_password_seconds: float
    _locks: Counter[str] = field(default_factory=Counter)

    async def recognise(self, headers: Mapping[str, str]) -> Caller:
        """Return who calls. Nobody, too, is a caller: public things are for all."""
        scheme, _, rest = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return Caller(grant=self.tokens.grant_of(rest.strip()), scheme="bearer")
        if scheme.lower() != "basic":
            return Caller()
        name, _, password = _decoded(rest).partition(":")
        if not name:
            return Caller(scheme="basic")
        robot = self.state.robot_named(name)
        if robot is not None and self._accepts(robot, password):
            return Caller(robot=robot, name=name, scheme="basic")
        if self._locks[name]:
            return Caller(name=name, scheme="basic")
        user = self.state.users.get(name)
        if user is not None and secrets.compare_digest(user.password.encode(), password.encode()):
            return Caller(user=user, name=name, scheme="basic")
        self._locks[name] += 1
        try:
            await asyncio.sleep(self.wrong_password_seconds)
        finally:
            self._locks[name] -= 1
        return Caller(name=name, scheme="basic")

    def _accepts(self, robot: Robot, secret: str) -> bool:
        is_expired = 0 <= robot.expires_at_seconds <= self.state.clock().timestamp()
        is_right = secrets.compare_digest(robot.secret.encode(), secret.encode())
        return is_right and not robot.is_disabled and not is_expired


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
