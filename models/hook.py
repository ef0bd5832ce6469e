"""Where registries tell us of their changes."""

from tortoise import fields
from tortoise.models import Model

from models.integration import Integration


class Hook(Model):
    """Where an integration's registry sends its notifications, and what shows that they are its own.

    There is a row for each integration whose kind sends any.
    """

    integration: fields.OneToOneRelation[Integration] = fields.OneToOneField(
        "models.Integration", related_name="hook", on_delete=fields.CASCADE, primary_key=True
    )
    public_id = fields.CharField(max_length=32, unique=True, description="random, in the address")
    secret_hash = fields.CharField(max_length=64, null=True, description="null: nothing is taken yet")
    rotated_at = fields.DatetimeField(null=True, description="when the secret was made")
    last_received_at = fields.DatetimeField(null=True, description="as it was written, once a minute at most")

    class Meta:
        table = "hook"
