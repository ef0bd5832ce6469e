"""Credentials that viewers come with."""

from tortoise import fields
from tortoise.models import Model

from models.enums import Role
from models.workspace import Workspace


class AccessToken(Model):
    """An access token: stored hashed, shown once, expiring."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=200)
    role = fields.CharEnumField(Role, max_length=32)
    workspace: fields.ForeignKeyNullableRelation[Workspace] = fields.ForeignKeyField(
        "models.Workspace", related_name="access_tokens", on_delete=fields.SET_NULL, null=True
    )
    workspace_id: int | None
    token_hash = fields.CharField(max_length=64, unique=True, description="BLAKE2b-256 of the token, hex")
    created_by = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "access_token"
