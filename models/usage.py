"""What registries hold, and how much it was before."""

from datetime import datetime

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import UsageMethod
from models.integration import Integration
from models.space import Space

SLOT_SECONDS = 300
"""Of what is measured within so many seconds, history keeps the last."""


def slot_of(moment: datetime) -> int:
    """Return the number of the five minutes since 1970 in which a moment is."""
    return int(moment.timestamp()) // SLOT_SECONDS


class IntegrationUsage(Model):
    """What a registry holds in all, as it was last measured. There is a row once it was."""

    integration: fields.OneToOneRelation[Integration] = fields.OneToOneField(
        "models.Integration", related_name="usage", on_delete=fields.CASCADE, primary_key=True
    )
    space_count = fields.BigIntField()
    repository_count = fields.BigIntField(null=True)
    artifact_count = fields.BigIntField(null=True)
    storage_bytes = fields.BigIntField(null=True)
    quota_used_bytes = fields.BigIntField(null=True, description="of all spaces together")
    method = fields.CharEnumField(UsageMethod, max_length=32)
    growth_bytes_per_week = fields.BigIntField(null=True, description="null until there is a week to compare with")
    measured_at = fields.DatetimeField(description="when the measuring began")
    is_stale = fields.BooleanField(default=False, description="whether it was due since and could not be measured")

    class Meta:
        table = "integration_usage"


class SpaceUsage(Model):
    """What a space holds, as it was last measured. There is a row once it was."""

    space: fields.OneToOneRelation[Space] = fields.OneToOneField(
        "models.Space", related_name="usage", on_delete=fields.CASCADE, primary_key=True
    )
    repository_count = fields.BigIntField(null=True)
    artifact_count = fields.BigIntField(null=True)
    storage_bytes = fields.BigIntField(null=True)
    quota_used_bytes = fields.BigIntField(null=True)
    quota_limit_bytes = fields.BigIntField(null=True, description="null: no limit")
    method = fields.CharEnumField(UsageMethod, max_length=32)
    growth_bytes_per_week = fields.BigIntField(null=True)
    measured_at = fields.DatetimeField()

    class Meta:
        table = "space_usage"


class UsagePoint(Model):
    """What a registry (`space` is null) or a space held from a moment on, until the next point.

    Only changes are written, so that what stands still costs nothing.
    """

    id = fields.BigIntField(primary_key=True)
    integration: fields.ForeignKeyRelation[Integration] = fields.ForeignKeyField(
        "models.Integration", related_name="usage_points", on_delete=fields.CASCADE, db_index=False
    )
    space: fields.ForeignKeyNullableRelation[Space] = fields.ForeignKeyField(
        "models.Space", related_name="usage_points", on_delete=fields.CASCADE, null=True, db_index=False
    )
    measured_at = fields.DatetimeField()
    slot = fields.BigIntField(description="in which five minutes since 1970 that was")
    repository_count = fields.BigIntField(null=True)
    artifact_count = fields.BigIntField(null=True)
    storage_bytes = fields.BigIntField(null=True)
    quota_used_bytes = fields.BigIntField(null=True)

    class Meta:
        table = "usage_point"
        # With the id, so that the last point of each step is found in the index alone.
        indexes = (
            Index(fields=("integration_id", "space_id", "slot", "id"), name="usage_point_by_integration"),
            Index(fields=("space_id", "slot", "id"), name="usage_point_by_space"),
        )


class UsageMeasurement(Model):
    """When an integration is to be measured, and by whom it is being.

    At `next_at` the whole of it is, or what changed; when something was said to have changed, that alone, and soon.
    """

    integration: fields.OneToOneRelation[Integration] = fields.OneToOneField(
        "models.Integration", related_name="measurement", on_delete=fields.CASCADE, primary_key=True
    )
    next_at = fields.DatetimeField(db_index=True)
    hinted_at = fields.DatetimeField(null=True, description="when something was last said to have changed")
    begun_at = fields.DatetimeField(null=True, description="when it was last begun")
    lease_until = fields.DatetimeField(null=True)
    whole_at = fields.DatetimeField(null=True, description="when everything was last measured, not only what changed")

    class Meta:
        table = "usage_measurement"


class UsageHint(Model):
    """Something said that a space, or one of its repositories, holds something else now: where to look next."""

    id = fields.BigIntField(primary_key=True)
    space: fields.ForeignKeyRelation[Space] = fields.ForeignKeyField(
        "models.Space", related_name="usage_hints", on_delete=fields.CASCADE, db_index=False
    )
    repository_name = fields.CharField(max_length=512, default="", description="empty: any of them")
    noted_at = fields.DatetimeField()

    class Meta:
        table = "usage_hint"
        unique_together = (("space", "repository_name"),)
