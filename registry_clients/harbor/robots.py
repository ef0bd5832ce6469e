"""Harbor's robot accounts: what they are called, what they may do, and how they are told apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from registry_clients.harbor.json_fields import Fields, parse_object

# Harbor's own pattern for names of robots, without the prefix that it puts in front.
_MARKER = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_READER_NAME = "integrated-registry-reader"
_READER = re.compile(rf"{_READER_NAME}-(?P<marker>.+)-[0-9a-f]{{8}}$")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One thing that a robot may do: in the system (`/`), in one project, or in all of them (`*`)."""

    kind: str
    namespace: str
    resource: str
    action: str


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot account. ``name`` has the prefix of the day; ``expires_at_seconds`` is -1 for never."""

    id: int
    name: str
    is_disabled: bool
    expires_at_seconds: int
    grants: frozenset[Grant]


@dataclass(frozen=True, slots=True)
class NewRobot:
    """What Harbor answers when a robot was made; the secret that it chose is left out."""

    id: int
    name: str


def _grants(kind: str, namespace: str, pairs: Iterable[str]) -> frozenset[Grant]:
    return frozenset(Grant(kind, namespace, *pair.split(":")) for pair in pairs)


SYSTEM_GRANTS = _grants(
    "system", "/", ("project:list", "quota:list", "quota:read", "audit-log:list", "robot:list", "robot:read")
)
PROJECT_GRANTS = _grants(
    "project",
    "*",
    (
        "project:read",
        "quota:read",
        "repository:list",
        "repository:read",
        "artifact:list",
        "artifact:read",
        "tag:list",
        "metadata:list",
        "metadata:read",
        "accessory:list",
    ),
)
# To pull is not among them: nothing of ours needs it.
READER_GRANTS = SYSTEM_GRANTS | PROJECT_GRANTS


def reader_name(marker: str, suffix: str) -> str:
    """Return a new name for a reader, without prefix. ``suffix``: eight hexadecimal digits.

    Raises ValueError for a marker that can't be part of a robot's name: 300 letters are a 500 (seen on 2.16.0).
    """
    if not _MARKER.fullmatch(marker) or len(marker) > 100:
        raise ValueError("a marker is of lower case letters, digits and single dashes, a hundred at most")
    return f"{_READER_NAME}-{marker}-{suffix}"


def readers_like(marker: str) -> str:
    """Return what the names of all readers with a marker hold, for a filter."""
    return f"{_READER_NAME}-{marker}-"


def bare_reader_name(name: str) -> str | None:
    """Return a reader's name without the prefix, whatever that is; None for what is no reader of ours."""
    match = _READER.search(name)
    return None if match is None else match[0]


def marker_of(name: str) -> str | None:
    """Return whose reader it is by its name, None for what is no reader of ours."""
    match = _READER.search(name)
    return None if match is None else match["marker"]


def robot_of(fields: Fields) -> Robot:
    """Return a robot. Source: `GET /robots/{id}`; each permission has a kind, a namespace and a list of access."""
    return Robot(
        id=fields.number("id"),
        name=fields.text("name"),
        is_disabled=fields.flag("disable"),
        expires_at_seconds=fields.number("expires_at"),
        grants=frozenset(
            Grant(permission.text("kind"), permission.text("namespace"), access.text("resource"), access.text("action"))
            for permission in fields.objects("permissions")
            for access in permission.objects("access")
        ),
    )


def parse_new_robot(body: bytes, host: str) -> NewRobot:
    """Return id and name of a robot that was made. Source: `POST /robots`."""
    fields = parse_object(body, host)
    return NewRobot(id=fields.number("id"), name=fields.text("name"))


def parse_offered(body: bytes, host: str) -> frozenset[Grant]:
    """Return what robots can be given. Source: `GET /permissions`, from 2.10 on."""
    fields = parse_object(body, host)
    return frozenset(
        Grant(kind, namespace, offered.text("resource"), offered.text("action"))
        for kind, namespace in (("system", "/"), ("project", "*"))
        for offered in fields.objects(kind)
    )


def permissions_body(grants: frozenset[Grant]) -> list[dict[str, object]]:
    """Return grants as Harbor takes them: one entry for each namespace."""
    places = sorted({(grant.kind, grant.namespace) for grant in grants}, reverse=True)
    return [
        {
            "kind": kind,
            "namespace": namespace,
            "access": [
                {"resource": grant.resource, "action": grant.action}
                for grant in sorted(grants)
                if (grant.kind, grant.namespace) == (kind, namespace)
            ],
        }
        for kind, namespace in places
    ]
