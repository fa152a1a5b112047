import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    # The table is made anew: no released version has written to it.

    dependencies = [
        ("catalog", "0009_doctor_and_impressions"),
    ]

    operations = [
        migrations.DeleteModel(name="Impression"),
        migrations.CreateModel(
            name="Impression",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("rank", models.PositiveSmallIntegerField(help_text="1 is the first.")),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impressions",
                        to="catalog.merchant",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="impressions", to="catalog.product"
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impressions",
                        to="catalog.searchrecord",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["merchant", "day", "product", "rank"], name="impressions_of_a_merchant")
                ],
            },
        ),
    ]
