"""The mirror of what registries hold."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import SpaceState, Visibility
from models.integration import Integration


class Space(Model):
    """A registry space: a Harbor project, or the first segment of repository names on a Docker Registry.

    `last_seen_at` is written when a space vanishes. Of one that is present it is the time of the last look
    at its integration, so that a look which finds nothing new writes no row.
    """

    id = fields.BigIntField(primary_key=True)
    integration: fields.ForeignKeyRelation[Integration] = fields.ForeignKeyField(
        "models.Integration", related_name="spaces", on_delete=fields.CASCADE, db_index=False
    )
    external_id = fields.CharField(max_length=255, description="project id, or the name where names are the id")
    name = fields.CharField(max_length=255)
    visibility = fields.CharEnumField(Visibility, max_length=16)
    state = fields.CharEnumField(SpaceState, max_length=16)
    last_seen_at = fields.DatetimeField(null=True)
    looked_at = fields.DatetimeField(null=True, description="when it was last looked at on its own")
    created_at = fields.DatetimeField()

    class Meta:
        table = "space"
        unique_together = (("integration", "external_id"),)
        indexes = (
            Index(fields=("integration_id", "name", "id"), name="space_by_integration"),
            Index(fields=("integration_id", "created_at", "id"), name="space_by_integration_and_creation"),
            Index(fields=("name", "id"), name="space_by_name"),
            Index(fields=("created_at", "id"), name="space_by_creation"),
            Index(fields=("visibility", "name", "id"), name="space_by_visibility"),
        )


class Repository(Model):
    """A repository of a space, as it was at the last look. Null stands for what its registry doesn't tell.

    It belongs to the space, not to its name: a project made again under an old name begins empty.
    """

    id = fields.BigIntField(primary_key=True)
    space: fields.ForeignKeyRelation[Space] = fields.ForeignKeyField(
        "models.Space", related_name="repositories", on_delete=fields.CASCADE, db_index=False
    )
    name = fields.CharField(max_length=512, description="whole, as it is pulled")
    artifact_count = fields.BigIntField(null=True)
    pull_count = fields.BigIntField(null=True)
    updated_at = fields.DatetimeField(null=True, description="at the registry")
    created_at = fields.DatetimeField(description="when it was first seen")

    class Meta:
        table = "repository"
        unique_together = (("space", "name"),)
