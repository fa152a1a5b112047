"""Products' pictures that go because their photo is blocked, and come back when it is let in again.

The row itself goes, so nothing that shows pictures needs to know of blocking; what it was is kept beside the photo.
"""

from collections.abc import Iterable

from django.db import transaction

from catalog.models import BlockedFile, BlockedPhoto, DroppedPoint, ProductImage, TakenPicture


def take_off(images: Iterable[ProductImage], photo: int) -> int:
    """Takes these pictures off their products for a blocked photo (an id), and returns how many there were."""
    with transaction.atomic():
        # Again, and locked: one may have got another content since it was looked at.
        shas = {image.pk: image.sha256 for image in images}
        rows = [
            row
            for row in ProductImage.objects.select_for_update(of=("self",)).filter(pk__in=shas)
            if row.sha256 == shas[row.pk]
        ]
        for row in rows:
            TakenPicture.objects.update_or_create(
                product_id=row.product_id,
                position=row.position,
                defaults={
                    "photo_id": photo,
                    "source": row.source,
                    "file": str(row.file.name),
                    "sha256": row.sha256,
                    "width": row.width,
                    "height": row.height,
                },
            )
            BlockedFile.objects.get_or_create(photo_id=photo, sha256=row.sha256, defaults={"file": str(row.file.name)})
        ids = [row.pk for row in rows]
        DroppedPoint.objects.bulk_create([DroppedPoint(point=pk) for pk in ids], ignore_conflicts=True)
        ProductImage.objects.filter(pk__in=ids).delete()
    return len(rows)


def put_back(photo: BlockedPhoto) -> int:
    """Gives products the pictures back that went for this photo, to be indexed again; returns how many.

    What a merchant uploaded since stays where it is: the old picture comes behind, unless it is there already.
    """
    count = 0
    with transaction.atomic():
        for taken in TakenPicture.objects.filter(photo=photo).select_related("product"):
            there = {row.position: row.sha256 for row in ProductImage.objects.filter(product=taken.product_id)}
            if taken.sha256 not in there.values():
                position = taken.position if taken.position not in there else max(there) + 1
                ProductImage.objects.bulk_create(
                    [
                        ProductImage(
                            product=taken.product,
                            position=position,
                            source=taken.source,
                            file=taken.file,
                            sha256=taken.sha256,
                            width=taken.width,
                            height=taken.height,
                        )
                    ]
                )
                count += 1
            taken.delete()
    return count
