from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0005_usage')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ImageName',
            fields=[
                ('repository', fields.OneToOneField('models.Repository', source_field='repository_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name='image_name', on_delete=OnDelete.CASCADE)),
                ('integration_id', fields.BigIntField()),
                ('is_open', fields.BooleanField(description="whether everybody may pull it: its space is public and the platform's")),
                ('name', fields.CharField(max_length=512)),
                ('last_segment', fields.CharField(description='of the name: what stands behind the last slash', max_length=512)),
            ],
            options={'table': 'image_name', 'app': 'models', 'indexes': [Index(fields=['is_open', 'last_segment', 'repository_id'], name='image_name_by_last_segment'), Index(fields=['is_open', 'name', 'repository_id'], name='image_name_by_name'), Index(fields=['integration_id', 'is_open', 'name', 'repository_id'], name='image_name_by_integration')], 'pk_attr': 'repository_id', 'table_description': 'The name of a repository whose space stands, as it is searched for.'},
            bases=['Model'],
        ),
    ]
