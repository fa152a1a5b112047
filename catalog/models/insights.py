"""What shoppers were shown: the table that a merchant's insights are counted from."""

from django.db import models

from catalog.models.searches import SimulatedQuerySet


class Impression(models.Model):
    """One product on one page of results. It says nothing of who searched.

    Merchant and day are kept with it, so that a merchant's numbers are read from one index and no other table.
    """

    search = models.ForeignKey("catalog.SearchRecord", on_delete=models.CASCADE, related_name="impressions")
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="impressions")
    merchant = models.ForeignKey(
        "catalog.Merchant", on_delete=models.CASCADE, related_name="impressions", db_index=False
    )
    day = models.DateField()
    rank = models.PositiveSmallIntegerField(help_text="1 is the first.")
    is_simulated = models.BooleanField(default=False, help_text="As its search is.")

    objects = SimulatedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["merchant", "day", "product", "rank", "is_simulated"], name="impressions_of_a_merchant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} at {self.rank}"
