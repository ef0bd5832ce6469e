"""Tenants, and the Kubernetes namespaces that they own."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Workspace(Model):
    """A tenant. One that is being deleted stands until everything that was made true for it is taken away."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=200)
    name_key = fields.CharField(max_length=400, unique=True, description="name, folded, unique and sorted by")
    external_id = fields.CharField(max_length=255, null=True, unique=True, description="the platform's own id of it")
    labels: fields.Field[dict[str, str]] = fields.JSONField()
    created_by = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True, description="since when it is being deleted")

    class Meta:
        table = "workspace"
        indexes = (
            Index(fields=("name_key", "id"), name="workspace_by_name"),
            Index(fields=("created_at", "id"), name="workspace_by_creation"),
        )


class Namespace(Model):
    """A namespace of a cluster. It belongs to one workspace at most."""

    id = fields.BigIntField(primary_key=True)
    workspace: fields.ForeignKeyRelation[Workspace] = fields.ForeignKeyField(
        "models.Workspace", related_name="namespaces", on_delete=fields.CASCADE, db_index=False
    )
    cluster = fields.CharField(max_length=63)
    name = fields.CharField(max_length=63)
    created_at = fields.DatetimeField()

    class Meta:
        table = "namespace"
        unique_together = (("cluster", "name"),)
        indexes = (Index(fields=("workspace_id", "cluster", "name", "id"), name="namespace_by_workspace"),)
