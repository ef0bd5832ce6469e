"""What images are searched by."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.space import Repository


class ImageName(Model):
    """The name of a repository whose space stands, as it is searched for.

    Triggers write it, in the transaction that writes a repository or a space (`models/dialects/image_names.py`), and
    keep an index of its parts beside it. So no version of a table tells of it: who reads it, reads `repository` and
    `space` as well.
    """

    repository: fields.OneToOneRelation[Repository] = fields.OneToOneField(
        "models.Repository", related_name="image_name", on_delete=fields.CASCADE, primary_key=True
    )
    integration_id = fields.BigIntField()
    is_open = fields.BooleanField(description="whether everybody may pull it: its space is public and the platform's")
    name = fields.CharField(max_length=512)
    last_segment = fields.CharField(max_length=512, description="of the name: what stands behind the last slash")

    class Meta:
        table = "image_name"
        indexes = (
            Index(fields=("is_open", "last_segment", "repository_id"), name="image_name_by_last_segment"),
            Index(fields=("is_open", "name", "repository_id"), name="image_name_by_name"),
            Index(fields=("integration_id", "is_open", "name", "repository_id"), name="image_name_by_integration"),
        )
