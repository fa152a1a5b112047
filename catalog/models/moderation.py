"""Photos that may not be shown, the files known to be copies of them, and what was taken off the shelf for it.

    BlockedPhoto 1─* BlockedFile     by its bytes: what a copy was found to be is found again without looking
                 1─* TakenPicture    a product's picture as it was, for the day the photo is let in again

A product is blocked by a column of its own, `Product.blocked_at`: a merchant's feed can't lift it.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class BlockedPhotoQuerySet(models.QuerySet["BlockedPhoto"]):
    def active(self) -> BlockedPhotoQuerySet:
        """Photos that are blocked now."""
        return self.filter(lifted_at=None)


class BlockedPhoto(models.Model):
    """A photo that no merchant may show, whatever its size, quality or side."""

    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    file = models.CharField(max_length=200, help_text="In the media storage, no longer served.")
    bits = models.BinaryField(null=True, blank=True, help_text="Fingerprint, 32 bytes; none where the picture is even.")
    why = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="blocked_photos")
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = BlockedPhotoQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"], condition=models.Q(lifted_at=None), name="a_photo_is_blocked_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]}: {self.why}"


class BlockedFile(models.Model):
    """Bytes that were found to be a blocked photo or a copy of one."""

    photo = models.ForeignKey(BlockedPhoto, on_delete=models.CASCADE, related_name="files")
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    file = models.CharField(max_length=200, blank=True, db_index=True, help_text="In the media storage, if it is kept.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["photo", "sha256"], name="one_row_per_photo_and_file")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} of {self.photo_id}"


class TakenPicture(models.Model):
    """A product's picture that went because its photo was blocked."""

    photo = models.ForeignKey(BlockedPhoto, on_delete=models.CASCADE, related_name="taken")
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="taken_pictures")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=1000)
    file = models.CharField(max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["product", "position"]
        constraints = [
            models.UniqueConstraint(fields=["product", "position"], name="one_taken_picture_per_product_and_position")
        ]

    def __str__(self) -> str:
        return f"{self.product_id}/{self.position}"
