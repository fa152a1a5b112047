"""Searches of shoppers who agreed that shops may learn what they looked for in vain."""

from django.db import models


class AgreedSearch(models.Model):
    """One search that may be counted among what was looked for in vain, and a pseudonym of who searched.

    The pseudonym is a hash of a random number that the shopper's own device keeps; it is joined with nothing else, and
    serves to count people instead of searches.
    """

    search = models.OneToOneField(
        "catalog.SearchRecord", on_delete=models.CASCADE, primary_key=True, related_name="agreed"
    )
    searcher = models.CharField(max_length=32, db_index=True)

    def __str__(self) -> str:
        return f"{self.search_id} by {self.searcher[:6]}"
