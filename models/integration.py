"""Registries that the platform knows, and how they are."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import HealthReason, HealthStatus, IntegrationOrigin, RegistryKind, StaleReason
from models.workspace import Workspace

PLATFORM_SCOPE = 0
"""The scope of what is the platform's own; every other scope is the id of a workspace."""


class Integration(Model):
    """One registry that the platform knows: an address, a kind, a credential, an origin.

    Names and addresses are unique within a scope: the platform's, or that of a workspace that brought its own.
    """

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=200)
    name_key = fields.CharField(max_length=400, description="name, folded, unique in its scope and sorted by")
    description = fields.TextField(null=True)
    workspace: fields.ForeignKeyNullableRelation[Workspace] = fields.ForeignKeyField(
        "models.Workspace", related_name="integrations", on_delete=fields.RESTRICT, null=True
    )
    workspace_id: int | None
    scope = fields.BigIntField(default=PLATFORM_SCOPE, description="the workspace's id, 0 for the platform")
    kind = fields.CharEnumField(RegistryKind, max_length=32)
    origin = fields.CharEnumField(IntegrationOrigin, max_length=16)
    url = fields.CharField(max_length=2048, description="normalised, unique in its scope")
    username = fields.CharField(max_length=255, null=True)
    password_encrypted = fields.TextField(null=True, description="AES-GCM, bound to the origin of the url")
    token_realm = fields.CharField(max_length=2048, null=True)
    ca_certificate_pem = fields.TextField(null=True)
    is_verification_skipped = fields.BooleanField(default=False)
    next_synchronization_at = fields.DatetimeField(db_index=True)
    synchronization_lease_until = fields.DatetimeField(null=True)
    looked_at = fields.DatetimeField(null=True, description="when the look behind the mirror began")
    stale_since = fields.DatetimeField(null=True)
    stale_reason = fields.CharEnumField(StaleReason, max_length=32, null=True)
    stale_message = fields.TextField(null=True)
    created_by = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "integration"
        unique_together = (("name_key", "scope"), ("url", "scope"))
        indexes = (
            Index(fields=("name_key", "id"), name="integration_by_name"),
            Index(fields=("created_at", "id"), name="integration_by_creation"),
        )


class ImageHost(Model):
    """What may stand before the first slash of an image's name, and whose it is.

    One row for the host of each integration, one for each alias: within a scope, a host belongs to one integration.
    """

    id = fields.BigIntField(primary_key=True)
    host = fields.CharField(max_length=300, description="lower case, default port dropped")
    scope = fields.BigIntField(default=PLATFORM_SCOPE, description="that of the integration")
    integration: fields.ForeignKeyRelation[Integration] = fields.ForeignKeyField(
        "models.Integration", related_name="image_hosts", on_delete=fields.CASCADE
    )
    is_primary = fields.BooleanField()

    class Meta:
        table = "image_host"
        unique_together = (("host", "scope"),)
        indexes = (Index(fields=("integration_id", "is_primary"), name="image_host_by_integration"),)


class IntegrationHealth(Model):
    """How an integration is, written by every probe, so apart from the integration itself."""

    integration: fields.OneToOneRelation[Integration] = fields.OneToOneField(
        "models.Integration", related_name="health", on_delete=fields.CASCADE, primary_key=True
    )
    status = fields.CharEnumField(HealthStatus, max_length=16)
    reason = fields.CharEnumField(HealthReason, max_length=32, null=True)
    message = fields.TextField(null=True, description="a sentence for everybody")
    registry_message = fields.TextField(null=True, description="the registry's own words, for administrators")
    since = fields.DatetimeField(null=True)
    checked_at = fields.DatetimeField(null=True)
    latency_milliseconds = fields.FloatField(null=True)
    components: fields.Field[list[dict[str, object]] | None] = fields.JSONField(null=True)
    version = fields.CharField(max_length=200, null=True)
    is_read_only = fields.BooleanField(default=False)
    bad_checks_in_row = fields.IntField(default=0)
    next_probe_at = fields.DatetimeField(db_index=True)
    lease_until = fields.DatetimeField(null=True)

    class Meta:
        table = "integration_health"


class HealthCheck(Model):
    """One probe of an integration, kept for a day."""

    id = fields.BigIntField(primary_key=True)
    integration: fields.ForeignKeyRelation[Integration] = fields.ForeignKeyField(
        "models.Integration", related_name="checks", on_delete=fields.CASCADE, db_index=False
    )
    checked_at = fields.DatetimeField(db_index=True)
    is_good = fields.BooleanField()
    reason = fields.CharEnumField(HealthReason, max_length=32, null=True)
    message = fields.TextField(null=True)
    registry_message = fields.TextField(null=True)
    latency_milliseconds = fields.FloatField(null=True)

    class Meta:
        table = "health_check"
        indexes = (Index(fields=("integration_id", "id"), name="health_check_by_integration"),)
