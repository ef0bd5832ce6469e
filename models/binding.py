"""Who may pull what, and how far that has been made true."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.integration import Integration
from models.space import Space
from models.workspace import Workspace


class Binding(Model):
    """A space given to a workspace. Taken away, it stays while it may still be in force somewhere.

    Versions are those of its target, the registry and the workspace (`RegistryEnforcement`).
    """

    id = fields.BigIntField(primary_key=True)
    space: fields.ForeignKeyRelation[Space] = fields.ForeignKeyField(
        "models.Space", related_name="bindings", on_delete=fields.CASCADE, db_index=False
    )
    workspace: fields.ForeignKeyRelation[Workspace] = fields.ForeignKeyField(
        "models.Workspace", related_name="bindings", on_delete=fields.CASCADE, db_index=False
    )
    bound_by = fields.CharField(max_length=200)
    bound_at = fields.DatetimeField()
    revoked_by = fields.CharField(max_length=200, null=True)
    revoked_at = fields.DatetimeField(null=True, description="null: it is given")
    granted_version = fields.BigIntField(description="the first that gave it since it was in force nowhere")
    version = fields.BigIntField(description="the last that changed it")

    class Meta:
        table = "binding"
        unique_together = (("space", "workspace"),)
        indexes = (
            Index(fields=("workspace_id", "id"), name="binding_by_workspace"),
            Index(fields=("space_id", "id"), name="binding_by_space"),
        )


class RegistryEnforcement(Model):
    """How far the bindings of one workspace have been made true at one registry.

    What is wanted has a version, what was tried and what was applied have theirs: equal, it is true there.
    """

    id = fields.BigIntField(primary_key=True)
    workspace: fields.ForeignKeyRelation[Workspace] = fields.ForeignKeyField(
        "models.Workspace", related_name="enforcements", on_delete=fields.CASCADE, db_index=False
    )
    integration: fields.ForeignKeyRelation[Integration] = fields.ForeignKeyField(
        "models.Integration", related_name="enforcements", on_delete=fields.CASCADE, db_index=False
    )
    desired_version = fields.BigIntField()
    attempted_version = fields.BigIntField(default=0, description="written before the registry is asked")
    applied_version = fields.BigIntField(default=0)
    failure = fields.TextField(null=True, description="why the last try failed, a sentence")
    changed_at = fields.DatetimeField()
    next_attempt_at = fields.DatetimeField(null=True)

    class Meta:
        table = "registry_enforcement"
        unique_together = (("workspace", "integration"),)
        indexes = (Index(fields=("integration_id",), name="registry_enforcement_by_integration"),)
