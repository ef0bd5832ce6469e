"""Entries of Harbor's audit log, read as changes.

Seen on 2.16.0: `resource` is a project's name, `team/app:tag` or `team/app@sha256:…` for artifacts, `team/app:tag` for
tags, `team/app` for repositories, and something else for users, robots, members and settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from registry_clients.harbor.json_fields import Fields
from registry_clients.records import Change, ChangeKind

# Pulls are in the log as well, and can be many.
OPERATIONS = ("create", "delete", "update")

_KINDS: Mapping[tuple[str, str], ChangeKind] = MappingProxyType(
    {
        ("project", "create"): ChangeKind.SPACE_CREATED,
        ("project", "update"): ChangeKind.SPACE_CHANGED,
        ("project", "delete"): ChangeKind.SPACE_DELETED,
        ("artifact", "create"): ChangeKind.ARTIFACT_PUSHED,
        ("artifact", "delete"): ChangeKind.ARTIFACT_DELETED,
        ("tag", "create"): ChangeKind.TAG_CHANGED,
        ("tag", "delete"): ChangeKind.TAG_DELETED,
        ("tag", "update"): ChangeKind.TAG_CHANGED,
        ("repository", "delete"): ChangeKind.REPOSITORY_DELETED,
    }
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry: the change, by which operation it came, and whether it came to anything."""

    change: Change
    operation: str
    has_succeeded: bool


def entry_of(fields: Fields) -> AuditEntry:
    """Return an entry of the log. Source: `GET /auditlog-exts`, from 2.13 on."""
    operation, resource_type = fields.text("operation"), fields.optional_text("resource_type") or ""
    kind = _KINDS.get((resource_type, operation), ChangeKind.OTHER)
    space, repository, reference = _place_of(resource_type, fields.optional_text("resource") or "")
    return AuditEntry(
        change=Change(
            id=fields.number("id"),
            occurred_at=fields.time("op_time"),
            kind=kind,
            space_name=space,
            repository_name=repository,
            reference=reference,
        ),
        operation=operation,
        has_succeeded=fields.flag("operation_result"),
    )


def _place_of(resource_type: str, resource: str) -> tuple[str | None, str | None, str | None]:
    """Return space, whole name of the repository, and reference; None for what isn't named."""
    if resource_type == "project":
        return resource or None, None, None
    if resource_type not in ("artifact", "tag", "repository"):
        return None, None, None
    repository, at, digest = resource.partition("@")
    reference = digest if at else ""
    if not at:
        # A colon ends the name only behind the last slash.
        folder, slash, last = repository.rpartition("/")
        last, _, reference = last.partition(":")
        repository = f"{folder}{slash}{last}"
    space, slash, rest = repository.partition("/")
    if not (space and slash and rest):
        return None, None, None
    return space, repository, reference or None
