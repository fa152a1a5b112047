"""Right answers of searches where they are known."""

from django.db import models

from catalog.models.searches import SearchRecord


class KnownAnswer(models.Model):
    """What a search should have found. Only simulated shoppers tell: real ones know it and don't say."""

    search = models.OneToOneField(SearchRecord, on_delete=models.CASCADE, primary_key=True, related_name="known")
    products = models.JSONField(default=list, help_text="Ids of the listings that are the thing; none: nothing is.")
    category = models.CharField(max_length=80, blank=True, help_text="Slug.")
    box = models.JSONField(null=True, blank=True, help_text="Where it is in the photo, in its pixels.")
    rank = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Where it stood; none: not in the answer.")

    def __str__(self) -> str:
        return f"known answer of {self.search_id}"
