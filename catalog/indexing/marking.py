"""Writing what indexing found to the pictures' rows, those alone that are still as they were claimed.

lock the batch's rows -> which are unchanged -> one UPDATE for all that were indexed, one for all that failed
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from catalog.indexing.embedding import Found
from catalog.models import ProductImage
from catalog.serving import is_still_live
from detection import detector
from embeddings import encoder
from shop_search.errors import InputError


def mark(
    images: Sequence[ProductImage], results: Mapping[int, Found], seen: Mapping[int, Mapping[str, Any]]
) -> list[int]:
    """Writes the results to the rows that are still as they were claimed; returns their ids. The others are free.

    `seen` has the columns of what was seen in each embedded picture. Where another encoder or detector was switched to
    meanwhile, none is marked: it has yet to see them.
    """
    now = timezone.now()
    with transaction.atomic():
        unchanged = _unchanged(images) if is_still_live() else []
        groups: dict[tuple[str, ...], list[tuple[int, dict[str, Any]]]] = defaultdict(list)
        for pk in unchanged:
            columns = {"claimed_until": None, "payload_due": None, **_outcome(results[pk], seen.get(pk, {}), now)}
            groups[tuple(columns)].append((pk, columns))
        for names, rows in groups.items():
            _update(names, rows)
        if left := results.keys() - set(unchanged):
            ProductImage.objects.filter(pk__in=left).release()
    return unchanged


def _unchanged(images: Sequence[ProductImage]) -> list[int]:
    """Returns the ids of the pictures whose rows are as they were claimed, in their order, and locks their rows."""
    claimed = {image.pk: (image.sha256, image.payload_due) for image in images}
    rows = ProductImage.objects.select_for_update().filter(pk__in=claimed).order_by("pk")
    now = {pk: (sha256, due) for pk, sha256, due in rows.values_list("pk", "sha256", "payload_due")}
    return [pk for pk, content in claimed.items() if now.get(pk) == content]


def _update(names: Sequence[str], rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Writes these columns of these rows. One statement, sent with all of them: Django would make each row's anew,
    which takes ten times as long as the database does."""
    fields = [field for field in ProductImage._meta.concrete_fields if field.name in names]
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(ProductImage._meta.db_table)} SET {sets} WHERE {quote('id')} = %s",
            [
                [*(field.get_db_prep_save(columns[field.name], connection) for field in fields), pk]
                for pk, columns in rows
            ],
        )


def _outcome(found: Found, seen: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    if isinstance(found, InputError):
        return {"state": ProductImage.State.FAILED, "error_code": found.code, "error": found.message[:500]}
    return {
        "state": ProductImage.State.INDEXED,
        "error_code": "",
        "error": "",
        "box": [round(side, 1) for side in found.box],
        "detected_category": found.category,
        "detected_confidence": found.confidence,
        **seen,
        "detector": detector().card.fingerprint,
        "encoder": encoder().card.fingerprint,
        "index_format": ProductImage.INDEX_FORMAT,
        "indexed_at": now,
    }
