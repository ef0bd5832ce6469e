from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0007_hooks')]

    initial = False

    operations = [
        ops.AddIndex(
            model_name='MeasuredTag',
            index=Index(fields=['digest'], name='measured_tag_by_digest'),
        ),
    ]
