from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0006_image_names')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Hook',
            fields=[
                ('integration', fields.OneToOneField('models.Integration', source_field='integration_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='hook', on_delete=OnDelete.CASCADE)),
                ('public_id', fields.CharField(unique=True, description='random, in the address', max_length=32)),
                ('secret_hash', fields.CharField(null=True, description='null: nothing is taken yet', max_length=64)),
                ('rotated_at', fields.DatetimeField(null=True, description='when the secret was made', auto_now=False, auto_now_add=False)),
                ('last_received_at', fields.DatetimeField(null=True, description='as it was written, once a minute at most', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'hook', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': "Where an integration's registry sends its notifications, and what shows that they are its own."},
            bases=['Model'],
        ),
    ]
