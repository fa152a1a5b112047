"""Two collections trade what is told of them, inside the transaction of a switch.

    rows of pictures (of the live collection) ──> side points of the one that is left
    side points of the one that enters ──> rows of pictures; what it lacks becomes due

Four statements, however many pictures: nothing is read into memory, and no picture is in between.
"""

from django.db import connection

from catalog.models import ProductImage, SidePoint
from catalog.versions.beside import lacking

# What both tables say in the same words.
_SHARED = (
    *("state", "error_code", "error", "box", "detected_category", "detected_confidence", "detector", "encoder"),
    *("palette", "seen_colors", "seen_attributes", "index_format", "indexed_at"),
)


def trade(leaving: str, entering: str, *, leaving_encoder: str) -> None:
    """Makes the rows of pictures tell of `entering`, and side points of `leaving`. Belongs into a transaction."""
    SidePoint.objects.filter(collection=leaving).delete()
    columns = ", ".join(_SHARED)
    told = ", ".join(f"i.{name}" for name in _SHARED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO catalog_sidepoint (collection, image_id, sha256, category, {columns}) "
            f"SELECT %s, i.id, i.sha256, c.slug, {told} FROM catalog_productimage i "
            "JOIN catalog_product p ON p.id = i.product_id JOIN catalog_category c ON c.id = p.category_id "
            "WHERE p.withdrawn_at IS NULL AND (i.state = 'failed' OR (i.state = 'indexed' AND i.encoder = %s))",
            [leaving, leaving_encoder],
        )
        lacks = list(lacking(entering).values_list("pk", flat=True))
        of_entering = "FROM catalog_sidepoint s WHERE s.collection = %s AND s.image_id = catalog_productimage.id"
        cursor.execute(
            f"UPDATE catalog_productimage SET ({columns}) = "
            f"(SELECT {', '.join(f's.{name}' for name in _SHARED)} {of_entering}) "
            f"WHERE EXISTS (SELECT 1 {of_entering})",
            [entering, entering],
        )
    for start in range(0, len(lacks), 500):  # a statement takes so many parameters
        ProductImage.objects.filter(pk__in=lacks[start : start + 500]).update(
            state=ProductImage.State.PENDING, error_code="", error="", claimed_until=None
        )
    SidePoint.objects.filter(collection=entering).delete()
