"""What one running system of ours knows of itself."""

from tortoise import fields
from tortoise.models import Model


class Installation(Model):
    """The one row that says who we are, made at first start."""

    id = fields.IntField(primary_key=True, generated=False)
    uid = fields.CharField(max_length=32, description="random, marks what we make at registries")
    event_epoch = fields.CharField(max_length=16, description="cursors of another epoch are expired")
    key_check = fields.TextField(description="a known text, encrypted: tells a wrong key at start")
    created_at = fields.DatetimeField()

    class Meta:
        table = "installation"


class EventPosition(Model):
    """The counter from which events get their positions.

    Its row is locked from the first event of a transaction to the commit, so positions become visible in
    their own order, which a sequence doesn't give.
    """

    id = fields.IntField(primary_key=True, generated=False)
    position = fields.BigIntField()

    class Meta:
        table = "event_position"
