"""Who may do what: the lists that Harbor gives, taken from what a real one answered."""

from functools import cache

from tests.doubles.harbor.recorded import recorded_body
from tests.doubles.harbor.records import DEVELOPER, GUEST, MAINTAINER, PROJECT_ADMIN, Access

# A guest, and everybody in a public project, may read these (Harbor's role definitions).
_READ_BY_ALL = (
    Access(".", "read"),
    Access("label", "read"),
    Access("label", "list"),
    Access("repository", "read"),
    Access("repository", "list"),
    Access("repository", "pull"),
    Access("configuration", "read"),
    Access("scan", "read"),
    Access("scanner", "read"),
    Access("tag", "list"),
    Access("accessory", "list"),
    Access("artifact", "read"),
    Access("artifact", "list"),
    Access("artifact-addition", "read"),
)
_READ_BY_GUESTS = (*_READ_BY_ALL, Access("quota", "read"), Access("member", "read"), Access("member", "list"))


@cache
def system_accesses() -> tuple[Access, ...]:
    """What an administrator may do in the system."""
    return _recorded("authentication", "permissions in the system, admin")


@cache
def accesses_of_role(role_id: int | None) -> tuple[Access, ...]:
    """What a member of a project may do there, by role; None is who is no member of a public one."""
    if role_id in (PROJECT_ADMIN, MAINTAINER):
        return _recorded("authentication", "permissions in a project, admin")
    if role_id == DEVELOPER:
        return _recorded("authentication", "permissions in a project, a normal user")
    return _READ_BY_GUESTS if role_id == GUEST else _READ_BY_ALL


@cache
def grantable(kind: str) -> tuple[Access, ...]:
    """What a robot can be given in the system or in a project."""
    body = recorded_body("permissions", "as the administrator")[kind]
    return tuple(Access(one["resource"], one["action"]) for one in body)


def _recorded(name: str, what: str) -> tuple[Access, ...]:
    return tuple(Access(one["resource"], one["action"]) for one in recorded_body(name, what))
