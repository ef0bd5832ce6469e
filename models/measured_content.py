"""What stands in the repositories of registries that don't tell what they store, as it was last read."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.integration import Integration
from models.space import Repository, Space


class MeasuredTag(Model):
    """Which artifact a tag named."""

    id = fields.BigIntField(primary_key=True)
    repository: fields.ForeignKeyRelation[Repository] = fields.ForeignKeyField(
        "models.Repository", related_name="tags", on_delete=fields.CASCADE, db_index=False
    )
    name = fields.CharField(max_length=128)
    digest = fields.CharField(max_length=255)

    class Meta:
        table = "measured_tag"
        unique_together = (("repository", "name"),)
        indexes = (Index(fields=("digest",), name="measured_tag_by_digest"),)


class MeasuredArtifact(Model):
    """What an artifact takes: it never changes, so it is read once for each registry."""

    id = fields.BigIntField(primary_key=True)
    integration: fields.ForeignKeyRelation[Integration] = fields.ForeignKeyField(
        "models.Integration", related_name="artifacts", on_delete=fields.CASCADE, db_index=False
    )
    digest = fields.CharField(max_length=255)
    blobs: fields.Field[dict[str, int]] = fields.JSONField(
        description="bytes by digest, manifests and those of an index's images included"
    )

    class Meta:
        table = "measured_artifact"
        unique_together = (("integration", "digest"),)


class SpaceBlob(Model):
    """Something stored that artifacts of a space refer to, once for each space."""

    id = fields.BigIntField(primary_key=True)
    space: fields.ForeignKeyRelation[Space] = fields.ForeignKeyField(
        "models.Space", related_name="blobs", on_delete=fields.CASCADE, db_index=False
    )
    digest = fields.CharField(max_length=255)
    size_bytes = fields.BigIntField()

    class Meta:
        table = "space_blob"
        unique_together = (("space", "digest"),)
