"""What measures need to know of each recorded search, in narrow rows: the answers themselves are some 10 kB each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from catalog.models.searches import SearchRecord
from catalog.models.versions import Version


class SearchSummaryQuerySet(models.QuerySet["SearchSummary"]):
    def note(self, record: SearchRecord, *, merchant: int | None) -> SearchSummary:
        """Keeps the summary of a search that was just recorded; `merchant` is that of its first result."""
        return self.create(**summarized(record, merchant=merchant))


class SearchSummary(models.Model):
    """One recorded search, without its answer. Written with the record and never changed."""

    search = models.OneToOneField(SearchRecord, on_delete=models.CASCADE, primary_key=True, related_name="summary")
    created_at = models.DateTimeField(db_index=True)
    category = models.CharField(max_length=80, blank=True)
    confidence = models.FloatField(null=True, blank=True, help_text="Of the category.")
    band = models.CharField(max_length=20, blank=True)
    detector = models.CharField(max_length=120, blank=True)
    encoder = models.CharField(max_length=120, blank=True)
    versions = models.CharField(max_length=200, blank=True, help_text="Promoted versions that answered, by comma.")
    has_photo = models.BooleanField(default=False)
    has_region = models.BooleanField(default=False, help_text="Whether a detected thing was searched with.")
    results = models.PositiveSmallIntegerField(default=0)
    is_first_page = models.BooleanField(default=True)
    total_ms = models.FloatField(null=True, blank=True)
    merchant = models.ForeignKey(
        "catalog.Merchant", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    is_simulated = models.BooleanField(default=False)

    objects = SearchSummaryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "search summaries"

    def __str__(self) -> str:
        return f"summary of {self.search_id}"


def _named(versions: tuple[int, ...]) -> str:
    """Returns what people know these versions by; a version is never renamed."""
    rows = Version.objects.filter(pk__in=versions).order_by("kind").values_list("kind", "name")
    return ", ".join(f"{kind} {name}" for kind, name in rows)


def summarized(record: Any, *, merchant: int | None) -> dict[str, Any]:
    """Returns the summary's fields for a record, also one of an earlier version, which knows less."""
    answer: Mapping[str, Any] = record.answer
    selected = answer.get("selected") or {}
    made_by = answer.get("models") or {}
    versions = tuple(sorted((record.versions or {}).values()))
    hits = answer.get("hits") or []
    category = selected.get("category") or {}
    return {
        "search_id": record.pk,
        "created_at": record.created_at,
        "category": record.category,
        "confidence": category.get("confidence"),
        "band": record.band,
        "detector": str(made_by.get("detector", ""))[:120],
        "encoder": str(made_by.get("encoder", ""))[:120],
        "versions": _named(versions)[:200] if versions else "",
        "has_photo": answer.get("image") is not None,
        "has_region": selected.get("region") is not None,
        "results": min(len(hits), 32767),
        "is_first_page": not hits or len(hits[0]) < 7 or hits[0][6] == 1,
        "total_ms": (answer.get("timings_ms") or {}).get("total"),
        "merchant_id": merchant,
        "is_simulated": record.is_simulated,
    }
