"""How often each table was written."""

from tortoise import fields
from tortoise.models import Model


class TableVersion(Model):
    """One row for each table that was ever written by a transaction of ours.

    It is raised last in the transaction that writes the table, whoever commits it: who has read the same version
    before and after knows that nothing of the table has changed in between.
    """

    name = fields.CharField(max_length=63, primary_key=True)
    version = fields.BigIntField()

    class Meta:
        table = "table_version"
