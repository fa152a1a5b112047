"""Thresholds of the bands, as calibrated for one encoder."""

from django.db import models

from catalog.models.querysets import BandCalibrationQuerySet


class BandCalibration(models.Model):
    """Thresholds of the bands, measured on the catalog as it was. The latest of the current encoder counts."""

    encoder = models.CharField(max_length=12, help_text="Fingerprint of the encoder whose scores these are.")
    detector = models.CharField(max_length=12, help_text="Fingerprint of the detector that cropped.")
    created_at = models.DateTimeField(auto_now_add=True)
    products = models.PositiveIntegerField(help_text="Products on sale at the time.")
    thresholds = models.JSONField(help_text="Band to score, by category slug; the empty slug is for all others.")
    counts = models.JSONField(default=dict, help_text="How many scores of each kind.")
    report = models.JSONField(default=dict, help_text="What the bands reached on products they were not fitted to.")

    objects = BandCalibrationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["encoder", "-created_at"], name="latest_bands_of_an_encoder")]

    def __str__(self) -> str:
        return f"bands of {self.encoder}, {self.created_at:%Y-%m-%d %H:%M}"
