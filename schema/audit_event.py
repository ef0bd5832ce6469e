"""The audit, as administrators see it."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from models.queries.events import AuditConditions
from models.records import AuditEventRecord
from schema.arguments import checked_text, checked_texts
from schema.enums import AuditOutcome, Role
from schema.node import Node, RecordBacked


@strawberry.type(description="A mutation that somebody tried, and how it ended.")
class AuditEvent(RecordBacked, Node):
    """One row of the audit."""

    record = AuditEventRecord

    occurred_at: datetime = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    viewer_name: str = strawberry.field(description="The name of the credential.")
    viewer_role: Role = strawberry.field(description="The role of the credential.")
    mutation: str = strawberry.field(description="Which mutation.")
    input: JSON = strawberry.field(description="Its input, without secrets.")
    is_dry_run: bool = strawberry.field(description="Whether it was a dry run.")
    outcome: AuditOutcome = strawberry.field(description="How it ended.")
    error_codes: list[str] = strawberry.field(description="The codes of its errors.")
    request_id: str = strawberry.field(description="The request id, as in the server's log.")


@strawberry.input(description="Which audit events.")
class AuditFilter:
    """What audit rows must meet."""

    mutations: list[str] | None = strawberry.field(default=None, description="Of these mutations.")
    outcomes: list[AuditOutcome] | None = strawberry.field(default=None, description="With these outcomes.")
    viewer_name: str | None = strawberry.field(default=None, description="By this credential's name.")
    since: datetime | None = strawberry.field(default=None, description="Begun then or later.")


def audit_conditions(given: AuditFilter | None) -> AuditConditions:
    """Return the conditions that a filter stands for."""
    if given is None:
        return AuditConditions()
    return AuditConditions(
        mutations=checked_texts(given.mutations),
        outcomes=None if given.outcomes is None else tuple(given.outcomes),
        viewer_name=checked_text(given.viewer_name),
        since=given.since,
    )
