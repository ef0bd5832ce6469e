"""Credentials for reading alone, made for us at registries that have such."""

from tortoise import fields
from tortoise.models import Model

from models.integration import Integration


class ReaderCredential(Model):
    """With what routine reads of an integration are made, and how its administrator's credential stands.

    There is a row for each integration whose kind has credentials for reading alone. While `username` is null
    the administrator's serves, and `failure` says why.
    """

    integration: fields.OneToOneRelation[Integration] = fields.OneToOneField(
        "models.Integration", related_name="reader", on_delete=fields.CASCADE, primary_key=True
    )
    external_id = fields.CharField(max_length=64, null=True, description="stays when the name changes")
    username = fields.CharField(max_length=255, null=True)
    password_encrypted = fields.TextField(null=True, description="AES-GCM, bound to the origin of the url")
    failure = fields.TextField(null=True, description="why there is none, a sentence")
    administrator_refusals = fields.IntField(default=0, description="in a row, of the administrator's credential")
    next_check_at = fields.DatetimeField(db_index=True)
    lease_until = fields.DatetimeField(null=True)

    class Meta:
        table = "reader_credential"
