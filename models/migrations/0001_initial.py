from tortoise import migrations
from tortoise.migrations import operations as ops
from models.enums import AuditOutcome, EventType, HealthReason, HealthStatus, IntegrationOrigin, RegistryKind, Role, SpaceState, StaleReason, Visibility
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='AccessToken',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('role', fields.CharEnumField(description='PLATFORM_ADMIN: PLATFORM_ADMIN\nWORKSPACE_MEMBER: WORKSPACE_MEMBER', enum_type=Role, max_length=32)),
                ('token_hash', fields.CharField(unique=True, description='BLAKE2b-256 of the token, hex', max_length=64)),
                ('created_by', fields.CharField(max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'access_token', 'app': 'models', 'pk_attr': 'id', 'table_description': 'An access token: stored hashed, shown once, expiring.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('occurred_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('viewer_name', fields.CharField(max_length=200)),
                ('viewer_role', fields.CharEnumField(description='PLATFORM_ADMIN: PLATFORM_ADMIN\nWORKSPACE_MEMBER: WORKSPACE_MEMBER', enum_type=Role, max_length=32)),
                ('access_token_id', fields.BigIntField(null=True)),
                ('mutation', fields.CharField(max_length=100)),
                ('input', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('is_dry_run', fields.BooleanField(default=False)),
                ('outcome', fields.CharEnumField(description='STARTED: STARTED\nSUCCEEDED: SUCCEEDED\nREFUSED: REFUSED\nFAILED: FAILED\nCANCELLED: CANCELLED', enum_type=AuditOutcome, max_length=16)),
                ('error_codes', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('request_id', fields.CharField(max_length=64)),
            ],
            options={'table': 'audit_event', 'app': 'models', 'pk_attr': 'id', 'table_description': 'One mutation of one viewer: who, what, how it ended. Never holds a secret.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Event',
            fields=[
                ('position', fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ('type', fields.CharEnumField(description='INTEGRATION_ADDED: INTEGRATION_ADDED\nINTEGRATION_UPDATED: INTEGRATION_UPDATED\nINTEGRATION_REMOVED: INTEGRATION_REMOVED\nINTEGRATION_DOUBTED: INTEGRATION_DOUBTED\nINTEGRATION_TRUSTED: INTEGRATION_TRUSTED\nHEALTH_CHANGED: HEALTH_CHANGED\nSPACE_ADDED: SPACE_ADDED\nSPACE_VANISHED: SPACE_VANISHED\nACCESS_TOKEN_CREATED: ACCESS_TOKEN_CREATED\nACCESS_TOKEN_REVOKED: ACCESS_TOKEN_REVOKED', enum_type=EventType, max_length=32)),
                ('occurred_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('integration_id', fields.BigIntField(null=True)),
                ('data', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'event', 'app': 'models', 'indexes': [Index(fields=['integration_id', 'position'], name='event_by_integration')], 'pk_attr': 'position', 'table_description': 'One thing that has happened, written in the transaction that made it true.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='EventPosition',
            fields=[
                ('id', fields.IntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ('position', fields.BigIntField()),
            ],
            options={'table': 'event_position', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The counter from which events get their positions.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Installation',
            fields=[
                ('id', fields.IntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ('uid', fields.CharField(description='random, marks what we make at registries', max_length=32)),
                ('event_epoch', fields.CharField(description='cursors of another epoch are expired', max_length=16)),
                ('key_check', fields.TextField(description='a known text, encrypted: tells a wrong key at start', unique=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'installation', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The one row that says who we are, made at first start.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Integration',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('name_key', fields.CharField(unique=True, description='name, folded, unique and sorted by', max_length=400)),
                ('description', fields.TextField(null=True, unique=False)),
                ('kind', fields.CharEnumField(description='HARBOR: HARBOR\nDOCKER_REGISTRY: DOCKER_REGISTRY', enum_type=RegistryKind, max_length=32)),
                ('origin', fields.CharEnumField(description='INTEGRATED: INTEGRATED\nMANAGED: MANAGED', enum_type=IntegrationOrigin, max_length=16)),
                ('url', fields.CharField(unique=True, description='normalised', max_length=2048)),
                ('username', fields.CharField(null=True, max_length=255)),
                ('password_encrypted', fields.TextField(null=True, description='AES-GCM, bound to the origin of the url', unique=False)),
                ('token_realm', fields.CharField(null=True, max_length=2048)),
                ('ca_certificate_pem', fields.TextField(null=True, unique=False)),
                ('is_verification_skipped', fields.BooleanField(default=False)),
                ('next_synchronization_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('synchronization_lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('looked_at', fields.DatetimeField(null=True, description='when the look behind the mirror began', auto_now=False, auto_now_add=False)),
                ('stale_since', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('stale_reason', fields.CharEnumField(null=True, description='MOST_SPACES_GONE: MOST_SPACES_GONE', enum_type=StaleReason, max_length=32)),
                ('stale_message', fields.TextField(null=True, unique=False)),
                ('created_by', fields.CharField(max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'integration', 'app': 'models', 'indexes': [Index(fields=['name_key', 'id'], name='integration_by_name'), Index(fields=['created_at', 'id'], name='integration_by_creation')], 'pk_attr': 'id', 'table_description': 'One registry that the platform knows: an address, a kind, a credential, an origin.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='HealthCheck',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('integration', fields.ForeignKeyField('models.Integration', source_field='integration_id', db_constraint=True, to_field='id', related_name='checks', on_delete=OnDelete.CASCADE)),
                ('checked_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('is_good', fields.BooleanField()),
                ('reason', fields.CharEnumField(null=True, description='NAME_NOT_RESOLVED: NAME_NOT_RESOLVED\nCONNECTION_REFUSED: CONNECTION_REFUSED\nCONNECTION_FAILED: CONNECTION_FAILED\nTIMED_OUT: TIMED_OUT\nTLS_NOT_TRUSTED: TLS_NOT_TRUSTED\nCERTIFICATE_EXPIRED: CERTIFICATE_EXPIRED\nUNAUTHORIZED: UNAUTHORIZED\nNOT_AN_ADMINISTRATOR: NOT_AN_ADMINISTRATOR\nOTHER_KIND: OTHER_KIND\nCOMPONENT_UNHEALTHY: COMPONENT_UNHEALTHY\nSTORAGE_UNREADABLE: STORAGE_UNREADABLE\nREAD_ONLY: READ_ONLY\nUNEXPECTED_ANSWER: UNEXPECTED_ANSWER\nADDRESS_REFUSED: ADDRESS_REFUSED\nNOT_CHECKED_YET: NOT_CHECKED_YET', enum_type=HealthReason, max_length=32)),
                ('message', fields.TextField(null=True, unique=False)),
                ('registry_message', fields.TextField(null=True, unique=False)),
                ('latency_milliseconds', fields.FloatField(null=True)),
            ],
            options={'table': 'health_check', 'app': 'models', 'indexes': [Index(fields=['integration_id', 'id'], name='health_check_by_integration')], 'pk_attr': 'id', 'table_description': 'One probe of an integration, kept for a day.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ImageHost',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('host', fields.CharField(unique=True, description='lower case, default port dropped', max_length=300)),
                ('integration', fields.ForeignKeyField('models.Integration', source_field='integration_id', db_constraint=True, to_field='id', related_name='image_hosts', on_delete=OnDelete.CASCADE)),
                ('is_primary', fields.BooleanField()),
            ],
            options={'table': 'image_host', 'app': 'models', 'indexes': [Index(fields=['integration_id', 'is_primary'], name='image_host_by_integration')], 'pk_attr': 'id', 'table_description': "What may stand before the first slash of an image's name, and whose it is."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='IntegrationHealth',
            fields=[
                ('integration', fields.OneToOneField('models.Integration', source_field='integration_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='health', on_delete=OnDelete.CASCADE)),
                ('status', fields.CharEnumField(description='HEALTHY: HEALTHY\nUNHEALTHY: UNHEALTHY\nUNKNOWN: UNKNOWN', enum_type=HealthStatus, max_length=16)),
                ('reason', fields.CharEnumField(null=True, description='NAME_NOT_RESOLVED: NAME_NOT_RESOLVED\nCONNECTION_REFUSED: CONNECTION_REFUSED\nCONNECTION_FAILED: CONNECTION_FAILED\nTIMED_OUT: TIMED_OUT\nTLS_NOT_TRUSTED: TLS_NOT_TRUSTED\nCERTIFICATE_EXPIRED: CERTIFICATE_EXPIRED\nUNAUTHORIZED: UNAUTHORIZED\nNOT_AN_ADMINISTRATOR: NOT_AN_ADMINISTRATOR\nOTHER_KIND: OTHER_KIND\nCOMPONENT_UNHEALTHY: COMPONENT_UNHEALTHY\nSTORAGE_UNREADABLE: STORAGE_UNREADABLE\nREAD_ONLY: READ_ONLY\nUNEXPECTED_ANSWER: UNEXPECTED_ANSWER\nADDRESS_REFUSED: ADDRESS_REFUSED\nNOT_CHECKED_YET: NOT_CHECKED_YET', enum_type=HealthReason, max_length=32)),
                ('message', fields.TextField(null=True, description='a sentence for everybody', unique=False)),
                ('registry_message', fields.TextField(null=True, description="the registry's own words, for administrators", unique=False)),
                ('since', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('checked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('latency_milliseconds', fields.FloatField(null=True)),
                ('components', fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ('version', fields.CharField(null=True, max_length=200)),
                ('is_read_only', fields.BooleanField(default=False)),
                ('bad_checks_in_row', fields.IntField(default=0)),
                ('next_probe_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'integration_health', 'app': 'models', 'pk_attr': 'integration_id', 'table_description': 'How an integration is, written by every probe, so apart from the integration itself.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Space',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('integration', fields.ForeignKeyField('models.Integration', source_field='integration_id', db_constraint=True, to_field='id', related_name='spaces', on_delete=OnDelete.CASCADE)),
                ('external_id', fields.CharField(description='project id, or the name where names are the id', max_length=255)),
                ('name', fields.CharField(max_length=255)),
                ('visibility', fields.CharEnumField(description='PUBLIC: PUBLIC\nPRIVATE: PRIVATE', enum_type=Visibility, max_length=16)),
                ('state', fields.CharEnumField(description='PRESENT: PRESENT\nDECLARED: DECLARED\nVANISHED: VANISHED', enum_type=SpaceState, max_length=16)),
                ('last_seen_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'space', 'app': 'models', 'unique_together': (('integration', 'external_id'),), 'indexes': [Index(fields=['integration_id', 'name', 'id'], name='space_by_integration'), Index(fields=['integration_id', 'created_at', 'id'], name='space_by_integration_and_creation'), Index(fields=['name', 'id'], name='space_by_name'), Index(fields=['created_at', 'id'], name='space_by_creation')], 'pk_attr': 'id', 'table_description': 'A registry space: a Harbor project, or the first segment of repository names on a Docker Registry.'},
            bases=['Model'],
        ),
    ]
