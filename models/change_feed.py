"""Where we stand in the logs of changes that registries keep."""

from tortoise import fields
from tortoise.models import Model

from models.integration import Integration


class ChangeFeed(Model):
    """Our place in the log of one integration. There is a row for each whose kind keeps one.

    `position` is null until the log was found, and again when it was lost: then sweeps serve, and `failure`
    says why.
    """

    integration: fields.OneToOneRelation[Integration] = fields.OneToOneField(
        "models.Integration", related_name="feed", on_delete=fields.CASCADE, primary_key=True
    )
    position = fields.BigIntField(null=True, description="id of the newest entry that was taken in")
    failure = fields.TextField(null=True, description="why it can't be followed, a sentence")
    read_at = fields.DatetimeField(db_index=True, description="when it was last read")
    changed_at = fields.DatetimeField(null=True, description="when it last told of something")
    lease_until = fields.DatetimeField(null=True)

    class Meta:
        table = "change_feed"
