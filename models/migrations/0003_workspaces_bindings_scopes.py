from tortoise import migrations
from tortoise.migrations import operations as ops
from models.enums import EventType, Role
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

class Migration(migrations.Migration):
    dependencies = [('models', '0002_readers_feeds_repositories')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Workspace',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('name_key', fields.CharField(unique=True, description='name, folded, unique and sorted by', max_length=400)),
                ('external_id', fields.CharField(null=True, unique=True, description="the platform's own id of it", max_length=255)),
                ('labels', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('created_by', fields.CharField(max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('deleted_at', fields.DatetimeField(null=True, description='since when it is being deleted', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'workspace', 'app': 'models', 'indexes': [Index(fields=['name_key', 'id'], name='workspace_by_name'), Index(fields=['created_at', 'id'], name='workspace_by_creation')], 'pk_attr': 'id', 'table_description': 'A tenant. One that is being deleted stands until everything that was made true for it is taken away.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Binding',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('space', fields.ForeignKeyField('models.Space', source_field='space_id', db_constraint=True, to_field='id', related_name='bindings', on_delete=OnDelete.CASCADE)),
                ('workspace', fields.ForeignKeyField('models.Workspace', source_field='workspace_id', db_constraint=True, to_field='id', related_name='bindings', on_delete=OnDelete.CASCADE)),
                ('bound_by', fields.CharField(max_length=200)),
                ('bound_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('revoked_by', fields.CharField(null=True, max_length=200)),
                ('revoked_at', fields.DatetimeField(null=True, description='null: it is given', auto_now=False, auto_now_add=False)),
                ('granted_version', fields.BigIntField(description='the first that gave it since it was in force nowhere')),
                ('version', fields.BigIntField(description='the last that changed it')),
            ],
            options={'table': 'binding', 'app': 'models', 'unique_together': (('space', 'workspace'),), 'indexes': [Index(fields=['workspace_id', 'id'], name='binding_by_workspace'), Index(fields=['space_id', 'id'], name='binding_by_space')], 'pk_attr': 'id', 'table_description': 'A space given to a workspace. Taken away, it stays while it may still be in force somewhere.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Namespace',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('workspace', fields.ForeignKeyField('models.Workspace', source_field='workspace_id', db_constraint=True, to_field='id', related_name='namespaces', on_delete=OnDelete.CASCADE)),
                ('cluster', fields.CharField(max_length=63)),
                ('name', fields.CharField(max_length=63)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'namespace', 'app': 'models', 'unique_together': (('cluster', 'name'),), 'indexes': [Index(fields=['workspace_id', 'cluster', 'name', 'id'], name='namespace_by_workspace')], 'pk_attr': 'id', 'table_description': 'A namespace of a cluster. It belongs to one workspace at most.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RegistryEnforcement',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('workspace', fields.ForeignKeyField('models.Workspace', source_field='workspace_id', db_constraint=True, to_field='id', related_name='enforcements', on_delete=OnDelete.CASCADE)),
                ('integration', fields.ForeignKeyField('models.Integration', source_field='integration_id', db_constraint=True, to_field='id', related_name='enforcements', on_delete=OnDelete.CASCADE)),
                ('desired_version', fields.BigIntField()),
                ('attempted_version', fields.BigIntField(default=0, description='written before the registry is asked')),
                ('applied_version', fields.BigIntField(default=0)),
                ('failure', fields.TextField(null=True, description='why the last try failed, a sentence', unique=False)),
                ('changed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('next_attempt_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'registry_enforcement', 'app': 'models', 'unique_together': (('workspace', 'integration'),), 'indexes': [Index(fields=['integration_id'], name='registry_enforcement_by_integration')], 'pk_attr': 'id', 'table_description': 'How far the bindings of one workspace have been made true at one registry.'},
            bases=['Model'],
        ),
        ops.AlterField(
            model_name='AccessToken',
            name='role',
            field=fields.CharEnumField(description='PLATFORM_ADMIN: PLATFORM_ADMIN\nWORKSPACE_ADMIN: WORKSPACE_ADMIN\nWORKSPACE_MEMBER: WORKSPACE_MEMBER', enum_type=Role, max_length=32),
        ),
        ops.AddField(
            model_name='AccessToken',
            name='workspace',
            field=fields.ForeignKeyField('models.Workspace', source_field='workspace_id', null=True, db_constraint=True, to_field='id', related_name='access_tokens', on_delete=OnDelete.SET_NULL),
        ),
        ops.AlterField(
            model_name='AuditEvent',
            name='viewer_role',
            field=fields.CharEnumField(description='PLATFORM_ADMIN: PLATFORM_ADMIN\nWORKSPACE_ADMIN: WORKSPACE_ADMIN\nWORKSPACE_MEMBER: WORKSPACE_MEMBER', enum_type=Role, max_length=32),
        ),
        ops.AlterField(
            model_name='Event',
            name='type',
            field=fields.CharEnumField(description='INTEGRATION_ADDED: INTEGRATION_ADDED\nINTEGRATION_UPDATED: INTEGRATION_UPDATED\nINTEGRATION_REMOVED: INTEGRATION_REMOVED\nINTEGRATION_DOUBTED: INTEGRATION_DOUBTED\nINTEGRATION_TRUSTED: INTEGRATION_TRUSTED\nHEALTH_CHANGED: HEALTH_CHANGED\nSPACE_ADDED: SPACE_ADDED\nSPACE_VANISHED: SPACE_VANISHED\nSPACE_DECLARED: SPACE_DECLARED\nSPACE_DELETED: SPACE_DELETED\nSPACE_VISIBILITY_CHANGED: SPACE_VISIBILITY_CHANGED\nIMAGE_PUSHED: IMAGE_PUSHED\nIMAGE_DELETED: IMAGE_DELETED\nTAG_CHANGED: TAG_CHANGED\nWORKSPACE_CREATED: WORKSPACE_CREATED\nWORKSPACE_UPDATED: WORKSPACE_UPDATED\nWORKSPACE_DELETED: WORKSPACE_DELETED\nNAMESPACE_ADDED: NAMESPACE_ADDED\nNAMESPACE_REMOVED: NAMESPACE_REMOVED\nBINDING_CREATED: BINDING_CREATED\nBINDING_REVOKED: BINDING_REVOKED\nBINDING_SUSPENDED: BINDING_SUSPENDED\nBINDING_RESUMED: BINDING_RESUMED\nACCESS_TOKEN_CREATED: ACCESS_TOKEN_CREATED\nACCESS_TOKEN_REVOKED: ACCESS_TOKEN_REVOKED', enum_type=EventType, max_length=32),
        ),
        ops.AddField(
            model_name='Event',
            name='space_id',
            field=fields.BigIntField(null=True, description="what it tells of: who can't see that doesn't see it"),
        ),
        ops.AddField(
            model_name='Event',
            name='workspace_id',
            field=fields.BigIntField(null=True, description="whose it is: others than its viewers don't see it"),
        ),
        ops.AlterField(
            model_name='ImageHost',
            name='host',
            field=fields.CharField(description='lower case, default port dropped', max_length=300),
        ),
        # A new column of what is there already: null at first, since neither database makes up a value.
        ops.AddField(
            model_name='ImageHost',
            name='scope',
            field=fields.BigIntField(null=True, description='that of the integration'),
        ),
        ops.RunSQL('UPDATE "image_host" SET "scope" = 0'),
        ops.AlterField(
            model_name='ImageHost',
            name='scope',
            field=fields.BigIntField(default=0, description='that of the integration'),
        ),
        ops.AddConstraint(
            model_name='ImageHost',
            constraint=UniqueConstraint(fields=('host', 'scope'), name=None),
        ),
        ops.AlterField(
            model_name='Integration',
            name='name_key',
            field=fields.CharField(description='name, folded, unique in its scope and sorted by', max_length=400),
        ),
        ops.AlterField(
            model_name='Integration',
            name='url',
            field=fields.CharField(description='normalised, unique in its scope', max_length=2048),
        ),
        ops.AddField(
            model_name='Integration',
            name='scope',
            field=fields.BigIntField(null=True, description="the workspace's id, 0 for the platform"),
        ),
        ops.RunSQL('UPDATE "integration" SET "scope" = 0'),
        ops.AlterField(
            model_name='Integration',
            name='scope',
            field=fields.BigIntField(default=0, description="the workspace's id, 0 for the platform"),
        ),
        ops.AddField(
            model_name='Integration',
            name='workspace',
            field=fields.ForeignKeyField('models.Workspace', source_field='workspace_id', null=True, db_constraint=True, to_field='id', related_name='integrations', on_delete=OnDelete.RESTRICT),
        ),
        ops.AddConstraint(
            model_name='Integration',
            constraint=UniqueConstraint(fields=('name_key', 'scope'), name=None),
        ),
        ops.AddConstraint(
            model_name='Integration',
            constraint=UniqueConstraint(fields=('url', 'scope'), name=None),
        ),
        ops.AddIndex(
            model_name='Space',
            index=Index(fields=['visibility', 'name', 'id'], name='space_by_visibility'),
        ),
    ]
