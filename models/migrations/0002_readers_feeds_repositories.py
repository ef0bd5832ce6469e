from tortoise import migrations
from tortoise.migrations import operations as ops
from models.enums import EventType
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0001_initial')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ChangeFeed',
            fields=[
                ('integration', fields.OneToOneField('models.Integration', source_field='integration_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='feed', on_delete=OnDelete.CASCADE)),
                ('position', fields.BigIntField(null=True, description='id of the newest entry that was taken in')),
                ('failure', fields.TextField(null=True, description="why it can't be followed, a sentence", unique=False)),
                ('read_at', fields.DatetimeField(db_index=True, description='when it was last read', auto_now=False, auto_now_add=False)),
                ('changed_at', fields.DatetimeField(null=True, description='when it last told of something', auto_now=False, auto_now_add=False)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'change_feed', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': 'Our place in the log of one integration. There is a row for each whose kind keeps one.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ReaderCredential',
            fields=[
                ('integration', fields.OneToOneField('models.Integration', source_field='integration_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='reader', on_delete=OnDelete.CASCADE)),
                ('external_id', fields.CharField(null=True, description='stays when the name changes', max_length=64)),
                ('username', fields.CharField(null=True, max_length=255)),
                ('password_encrypted', fields.TextField(null=True, description='AES-GCM, bound to the origin of the url', unique=False)),
                ('failure', fields.TextField(null=True, description='why there is none, a sentence', unique=False)),
                ('administrator_refusals', fields.IntField(default=0, description="in a row, of the administrator's credential")),
                ('next_check_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'reader_credential', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': "With what routine reads of an integration are made, and how its administrator's credential stands."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Repository',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('space', fields.ForeignKeyField('models.Space', source_field='space_id', db_constraint=True, to_field='id', related_name='repositories', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(description='whole, as it is pulled', max_length=512)),
                ('artifact_count', fields.BigIntField(null=True)),
                ('pull_count', fields.BigIntField(null=True)),
                ('updated_at', fields.DatetimeField(null=True, description='at the registry', auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(description='when it was first seen', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'repository', 'app': 'models', 'unique_together': (('space', 'name'),), 'pk_attr': 'id', 'table_description': "A repository of a space, as it was at the last look. Null stands for what its registry doesn't tell."},
            bases=['Model'],
        ),
        ops.AlterField(
            model_name='Event',
            name='type',
            field=fields.CharEnumField(description='INTEGRATION_ADDED: INTEGRATION_ADDED\nINTEGRATION_UPDATED: INTEGRATION_UPDATED\nINTEGRATION_REMOVED: INTEGRATION_REMOVED\nINTEGRATION_DOUBTED: INTEGRATION_DOUBTED\nINTEGRATION_TRUSTED: INTEGRATION_TRUSTED\nHEALTH_CHANGED: HEALTH_CHANGED\nSPACE_ADDED: SPACE_ADDED\nSPACE_VANISHED: SPACE_VANISHED\nSPACE_VISIBILITY_CHANGED: SPACE_VISIBILITY_CHANGED\nIMAGE_PUSHED: IMAGE_PUSHED\nIMAGE_DELETED: IMAGE_DELETED\nTAG_CHANGED: TAG_CHANGED\nACCESS_TOKEN_CREATED: ACCESS_TOKEN_CREATED\nACCESS_TOKEN_REVOKED: ACCESS_TOKEN_REVOKED', enum_type=EventType, max_length=32),
        ),
        ops.AddField(
            model_name='Space',
            name='looked_at',
            field=fields.DatetimeField(null=True, description='when it was last looked at on its own', auto_now=False, auto_now_add=False),
        ),
    ]
