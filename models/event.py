"""What has happened: the outbox that subscriptions read, and the audit of what people did."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import AuditOutcome, EventType, Role


class Event(Model):
    """One thing that has happened, written in the transaction that made it true.

    `data` holds what was true then (names included), since the things themselves may be gone later.
    """

    position = fields.BigIntField(primary_key=True, generated=False)
    type = fields.CharEnumField(EventType, max_length=32)
    occurred_at = fields.DatetimeField(db_index=True)
    integration_id = fields.BigIntField(null=True)
    workspace_id = fields.BigIntField(null=True, description="whose it is: others than its viewers don't see it")
    space_id = fields.BigIntField(null=True, description="what it tells of: who can't see that doesn't see it")
    data: fields.Field[dict[str, Any]] = fields.JSONField()

    class Meta:
        table = "event"
        indexes = (Index(fields=("integration_id", "position"), name="event_by_integration"),)


class AuditEvent(Model):
    """One mutation of one viewer: who, what, how it ended. Never holds a secret."""

    id = fields.BigIntField(primary_key=True)
    occurred_at = fields.DatetimeField(db_index=True)
    finished_at = fields.DatetimeField(null=True)
    viewer_name = fields.CharField(max_length=200)
    viewer_role = fields.CharEnumField(Role, max_length=32)
    access_token_id = fields.BigIntField(null=True)
    mutation = fields.CharField(max_length=100)
    input: fields.Field[dict[str, Any]] = fields.JSONField()
    is_dry_run = fields.BooleanField(default=False)
    outcome = fields.CharEnumField(AuditOutcome, max_length=16)
    error_codes: fields.Field[list[str]] = fields.JSONField()
    request_id = fields.CharField(max_length=64)

    class Meta:
        table = "audit_event"
