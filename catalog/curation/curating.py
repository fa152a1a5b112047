"""Making and taking back curation rules, checked and noted.

A rule is for a category, or for photos like one that a shopper sent: then the kept crop is embedded once, and the rule
keeps the embedding, not the picture.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from PIL import Image

from catalog.audit import note
from catalog.bands import Band
from catalog.bands.calibration import current_bands
from catalog.models import Category, Curation, Product, SearchRecord
from catalog.pictures.searched_crops import path_of
from embeddings import encoder
from shop_search.errors import InputError

MOST_RANK = 24  # the first page
FACTORS = (0.1, 5.0)
# A score has a part of .85 for appearance: ten times as much or as little moves a product across any page.
MOST_WHY = 300


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as an admin asks for it."""

    kind: str
    product: int
    category: str = ""  # slug
    search: UUID | None = None  # whose crop stands for the cluster
    rank: int | None = None
    factor: float | None = None
    least_score: float | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    why: str = ""


def checked(draft: Draft) -> Curation:
    """Returns the rule, not saved.

    Raises InputError `curation_invalid` naming each field that can't be used, `crop_gone` where the photo that stands
    for the cluster is no longer kept.
    """
    fields = _faults(draft)
    product = Product.objects.filter(pk=draft.product).first()
    if product is None:
        fields["product"] = "Choose a product."
    category = Category.objects.filter(slug=draft.category).first() if draft.category else None
    if draft.category and category is None:
        fields["category"] = f"{draft.category!r} is no category of this shop."
    if fields:
        raise InputError("curation_invalid", "Some fields can't be used: see `fields`.", fields=fields)
    row = Curation(
        kind=draft.kind,
        product=product,
        category=category,
        rank=draft.rank if draft.kind == Curation.Kind.PIN else None,
        factor=draft.factor if draft.kind == Curation.Kind.BOOST else None,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        why=draft.why.strip()[:MOST_WHY],
    )
    if draft.search is not None:
        row.search = SearchRecord.objects.filter(pk=draft.search).first()
        row.embedding = embedding_of(row.search)
        row.encoder = encoder().card.fingerprint
        row.least_score = least_score() if draft.least_score is None else draft.least_score
    return row


def add(draft: Draft, *, by: User) -> Curation:
    """Returns the rule, in force from now on or from its start. Raises InputError as `checked` does."""
    row = checked(draft)
    row.by = by
    with transaction.atomic():
        row.save()
        note(by, f"curation_{row.kind}", _subject(row), why=row.why, details=_details(row))
    return row


def remove(row: Curation, *, by: User, why: str = "") -> None:
    """Takes a rule back; it stays in the list of past ones."""
    with transaction.atomic():
        if Curation.objects.kept().filter(pk=row.pk).update(removed_at=timezone.now()):
            note(by, "curation_removed", _subject(row), why=why, details=_details(row))


def embedding_of(record: SearchRecord | None) -> bytes:
    """Returns the embedding of what was searched with, (dim,) float32. Raises InputError `crop_gone`."""
    path = path_of(record.crop) if record is not None else None
    if path is None:
        raise InputError("crop_gone", "The shopper's picture is no longer kept. Choose a later search.")
    with Image.open(path) as image:
        (embedding,) = encoder().encode_images([image.convert("RGB")])
    data: bytes = np.asarray(embedding, np.float32).tobytes()
    return data


def least_score() -> float:
    """Returns the score from which another photo is of the same kind, unless an admin says otherwise.

    Half way from similar to the same product: nearer than what is merely of one category, looser than one product.
    """
    thresholds = current_bands().everywhere
    return round((thresholds[Band.SIMILAR] + thresholds[Band.SAME_PRODUCT]) / 2, 3)


def _faults(draft: Draft) -> dict[str, str]:
    fields: dict[str, str] = {}
    if draft.kind not in Curation.Kind:
        fields["kind"] = f"{draft.kind[:40]!r} is none of {', '.join(Curation.Kind)}."
    if bool(draft.category) == (draft.search is not None):
        fields["category"] = "Choose a category, or a search whose kind is meant: one of the two."
    if draft.kind == Curation.Kind.PIN and not (draft.rank and 1 <= draft.rank <= MOST_RANK):
        fields["rank"] = f"A rank is a number from 1 to {MOST_RANK}."
    low, high = FACTORS
    if draft.kind == Curation.Kind.BOOST and not (draft.factor and low <= draft.factor <= high):
        fields["factor"] = f"A factor is a number from {low:g} to {high:g}; below 1 it moves a product down."
    if draft.search is not None and draft.least_score is not None and not 0 < draft.least_score <= 1:
        fields["least_score"] = "A score is a number from 0 to 1."
    if draft.starts_at and draft.ends_at and draft.ends_at <= draft.starts_at:
        fields["ends_at"] = "The end must come after the start."
    if draft.ends_at and draft.ends_at <= timezone.now():
        fields["ends_at"] = "The end has passed."
    if not draft.why.strip():
        fields["why"] = "Say why, so that others understand it later."
    return fields


def _subject(row: Curation) -> str:
    about = row.category.name if row.category else "photos like one of a shopper's"
    return f"{row.product.title[:100]} for {about}"


def _details(row: Curation) -> dict[str, object]:
    return {
        "curation": row.pk,
        "product": row.product_id,
        "rank": row.rank,
        "factor": row.factor,
        "category": row.category.slug if row.category else None,
        "search": str(row.search_id) if row.search_id else None,
        "ends_at": row.ends_at.isoformat() if row.ends_at else None,
    }
