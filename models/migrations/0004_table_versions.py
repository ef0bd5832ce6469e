from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0003_workspaces_bindings_scopes')]

    initial = False

    operations = [
        ops.CreateModel(
            name='TableVersion',
            fields=[
                ('name', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=63)),
                ('version', fields.BigIntField()),
            ],
            options={'table': 'table_version', 'app': 'models', 'pk_attr': 'name', 'table_description': 'One row for each table that was ever written by a transaction of ours.'},
            bases=['Model'],
        ),
        ops.AlterModelOptions(
            name='ChangeFeed',
            options={'table': 'change_feed', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': 'Our place in the log of one integration. There is a row for each whose kind keeps one.'},
        ),
        ops.AlterModelOptions(
            name='IntegrationHealth',
            options={'table': 'integration_health', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': 'How an integration is, written by every probe, so apart from the integration itself.'},
        ),
        ops.AlterModelOptions(
            name='ReaderCredential',
            options={'table': 'reader_credential', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': "With what routine reads of an integration are made, and how its administrator's credential stands."},
        ),
    ]
