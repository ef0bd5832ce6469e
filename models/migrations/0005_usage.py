from tortoise import migrations
from tortoise.migrations import operations as ops
from models.enums import EventType, UsageMethod
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0004_table_versions')]

    initial = False

    operations = [
        ops.CreateModel(
            name='IntegrationUsage',
            fields=[
                ('integration', fields.OneToOneField('models.Integration', source_field='integration_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='usage', on_delete=OnDelete.CASCADE)),
                ('space_count', fields.BigIntField()),
                ('repository_count', fields.BigIntField(null=True)),
                ('artifact_count', fields.BigIntField(null=True)),
                ('storage_bytes', fields.BigIntField(null=True)),
                ('quota_used_bytes', fields.BigIntField(null=True, description='of all spaces together')),
                ('method', fields.CharEnumField(description='REGISTRY_STATISTICS: REGISTRY_STATISTICS\nPROJECT_SUMMARY: PROJECT_SUMMARY\nREFERENCED_BLOBS: REFERENCED_BLOBS', enum_type=UsageMethod, max_length=32)),
                ('growth_bytes_per_week', fields.BigIntField(null=True, description='null until there is a week to compare with')),
                ('measured_at', fields.DatetimeField(description='when the measuring began', auto_now=False, auto_now_add=False)),
                ('is_stale', fields.BooleanField(default=False, description='whether it was due since and could not be measured')),
            ],
            options={'table': 'integration_usage', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': 'What a registry holds in all, as it was last measured. There is a row once it was.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MeasuredArtifact',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('integration', fields.ForeignKeyField('models.Integration', source_field='integration_id', db_constraint=True, to_field='id', related_name='artifacts', on_delete=OnDelete.CASCADE)),
                ('digest', fields.CharField(max_length=255)),
                ('blobs', fields.JSONField(description="bytes by digest, manifests and those of an index's images included", encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'measured_artifact', 'app': 'models', 'unique_together': (('integration', 'digest'),), 'pk_attr': 'id', 'table_description': 'What an artifact takes: it never changes, so it is read once for each registry.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MeasuredTag',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('repository', fields.ForeignKeyField('models.Repository', source_field='repository_id', db_constraint=True, to_field='id', related_name='tags', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=128)),
                ('digest', fields.CharField(max_length=255)),
            ],
            options={'table': 'measured_tag', 'app': 'models', 'unique_together': (('repository', 'name'),), 'pk_attr': 'id', 'table_description': 'Which artifact a tag named.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SpaceBlob',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('space', fields.ForeignKeyField('models.Space', source_field='space_id', db_constraint=True, to_field='id', related_name='blobs', on_delete=OnDelete.CASCADE)),
                ('digest', fields.CharField(max_length=255)),
                ('size_bytes', fields.BigIntField()),
            ],
            options={'table': 'space_blob', 'app': 'models', 'unique_together': (('space', 'digest'),), 'pk_attr': 'id', 'table_description': 'Something stored that artifacts of a space refer to, once for each space.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SpaceUsage',
            fields=[
                ('space', fields.OneToOneField('models.Space', source_field='space_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='usage', on_delete=OnDelete.CASCADE)),
                ('repository_count', fields.BigIntField(null=True)),
                ('artifact_count', fields.BigIntField(null=True)),
                ('storage_bytes', fields.BigIntField(null=True)),
                ('quota_used_bytes', fields.BigIntField(null=True)),
                ('quota_limit_bytes', fields.BigIntField(null=True, description='null: no limit')),
                ('method', fields.CharEnumField(description='REGISTRY_STATISTICS: REGISTRY_STATISTICS\nPROJECT_SUMMARY: PROJECT_SUMMARY\nREFERENCED_BLOBS: REFERENCED_BLOBS', enum_type=UsageMethod, max_length=32)),
                ('growth_bytes_per_week', fields.BigIntField(null=True)),
                ('measured_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'space_usage', 'app': 'models', 'pk_attr': 'space_id', 'table_description': 'What a space holds, as it was last measured. There is a row once it was.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='UsageHint',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('space', fields.ForeignKeyField('models.Space', source_field='space_id', db_constraint=True, to_field='id', related_name='usage_hints', on_delete=OnDelete.CASCADE)),
                ('repository_name', fields.CharField(default='', description='empty: any of them', max_length=512)),
                ('noted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'usage_hint', 'app': 'models', 'unique_together': (('space', 'repository_name'),), 'pk_attr': 'id', 'table_description': 'Something said that a space, or one of its repositories, holds something else now: where to look next.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='UsageMeasurement',
            fields=[
                ('integration', fields.OneToOneField('models.Integration', source_field='integration_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='measurement', on_delete=OnDelete.CASCADE)),
                ('next_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('hinted_at', fields.DatetimeField(null=True, description='when something was last said to have changed', auto_now=False, auto_now_add=False)),
                ('begun_at', fields.DatetimeField(null=True, description='when it was last begun', auto_now=False, auto_now_add=False)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('whole_at', fields.DatetimeField(null=True, description='when everything was last measured, not only what changed', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'usage_measurement', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': 'When an integration is to be measured, and by whom it is being.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='UsagePoint',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('integration', fields.ForeignKeyField('models.Integration', source_field='integration_id', db_constraint=True, to_field='id', related_name='usage_points', on_delete=OnDelete.CASCADE)),
                ('space', fields.ForeignKeyField('models.Space', source_field='space_id', null=True, db_constraint=True, to_field='id', related_name='usage_points', on_delete=OnDelete.CASCADE)),
                ('measured_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('slot', fields.BigIntField(description='in which five minutes since 1970 that was')),
                ('repository_count', fields.BigIntField(null=True)),
                ('artifact_count', fields.BigIntField(null=True)),
                ('storage_bytes', fields.BigIntField(null=True)),
                ('quota_used_bytes', fields.BigIntField(null=True)),
            ],
            options={'table': 'usage_point', 'app': 'models', 'indexes': [Index(fields=['integration_id', 'space_id', 'slot', 'id'], name='usage_point_by_integration'), Index(fields=['space_id', 'slot', 'id'], name='usage_point_by_space')], 'pk_attr': 'id', 'table_description': 'What a registry (`space` is null) or a space held from a moment on, until the next point.'},
            bases=['Model'],
        ),
        ops.AlterField(
            model_name='Event',
            name='type',
            field=fields.CharEnumField(description='INTEGRATION_ADDED: INTEGRATION_ADDED\nINTEGRATION_UPDATED: INTEGRATION_UPDATED\nINTEGRATION_REMOVED: INTEGRATION_REMOVED\nINTEGRATION_DOUBTED: INTEGRATION_DOUBTED\nINTEGRATION_TRUSTED: INTEGRATION_TRUSTED\nHEALTH_CHANGED: HEALTH_CHANGED\nSPACE_ADDED: SPACE_ADDED\nSPACE_VANISHED: SPACE_VANISHED\nSPACE_DECLARED: SPACE_DECLARED\nSPACE_DELETED: SPACE_DELETED\nSPACE_VISIBILITY_CHANGED: SPACE_VISIBILITY_CHANGED\nIMAGE_PUSHED: IMAGE_PUSHED\nIMAGE_DELETED: IMAGE_DELETED\nTAG_CHANGED: TAG_CHANGED\nUSAGE_CHANGED: USAGE_CHANGED\nWORKSPACE_CREATED: WORKSPACE_CREATED\nWORKSPACE_UPDATED: WORKSPACE_UPDATED\nWORKSPACE_DELETED: WORKSPACE_DELETED\nNAMESPACE_ADDED: NAMESPACE_ADDED\nNAMESPACE_REMOVED: NAMESPACE_REMOVED\nBINDING_CREATED: BINDING_CREATED\nBINDING_REVOKED: BINDING_REVOKED\nBINDING_SUSPENDED: BINDING_SUSPENDED\nBINDING_RESUMED: BINDING_RESUMED\nACCESS_TOKEN_CREATED: ACCESS_TOKEN_CREATED\nACCESS_TOKEN_REVOKED: ACCESS_TOKEN_REVOKED', enum_type=EventType, max_length=32),
        ),
    ]
