"""What shoppers were shown: the table that a merchant's insights are counted from."""

from django.db import models


class Impression(models.Model):
    """One product on one page of results. It says nothing of who searched."""

    search = models.ForeignKey("catalog.SearchRecord", on_delete=models.CASCADE, related_name="impressions")
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="impressions")
    rank = models.PositiveSmallIntegerField(help_text="1 is the first.")
    shown_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["product", "shown_at"], name="impressions_of_a_product")]

    def __str__(self) -> str:
        return f"{self.product_id} at {self.rank}"
