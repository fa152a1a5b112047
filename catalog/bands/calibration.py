"""The bands of this shop: kept per encoder, used by searches, and due again when the catalog has changed much.

A calibration is a row; the latest of the current encoder counts. Searches keep it in their process and look for a newer
one twice a minute, so that a calibration takes effect without a restart.
"""

import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any

from django.db.models import Q

from catalog.bands import Band, Bands
from catalog.models import BandCalibration, Product
from catalog.serving import serving
from detection import detector
from embeddings import encoder

REREAD_S = 30.0
# Halved, this leaves some 50 products to fit to: with fewer, one in a hundred is a guess.
LEAST_PRODUCTS = 100
# With a fifth of the products replaced, other things stand next to each photo.
CHANGED_MUCH = 0.2
EVERYWHERE = ""  # in place of a category's slug


class _Kept:
    """What this process last read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoder = ""
        self._bands: Bands | None = None
        self._read_at = 0.0

    def get(self, encoder_fingerprint: str) -> Bands | None:
        with self._lock:
            if self._encoder != encoder_fingerprint or monotonic() - self._read_at > REREAD_S:
                row = BandCalibration.objects.of_encoder(encoder_fingerprint).first()
                self._bands = None if row is None else _bands(row.thresholds)
                self._encoder, self._read_at = encoder_fingerprint, monotonic()
            return self._bands

    def forget(self) -> None:
        with self._lock:
            self._encoder = ""


_kept = _Kept()


def current_bands() -> Bands:
    """Returns this shop's bands for the current encoder: those that were promoted for it, else the last calibration.

    Without either, those of the settings.
    """
    fingerprint = encoder().card.fingerprint
    promoted = serving().versions.get("bands")
    if promoted is not None and promoted.fingerprint in ("", fingerprint):
        return bands_of_options(promoted.options)
    return _kept.get(fingerprint) or Bands.of_settings()


def bands_of_options(options: Mapping[str, Any]) -> Bands:
    """Returns the bands of a version: thresholds by band, and in `by_category` those of some categories."""
    everywhere = {Band(name): float(score) for name, score in options.items() if name != "by_category"}
    own: Mapping[str, Mapping[str, float]] = options.get("by_category", {})
    return Bands(
        everywhere, {slug: {Band(name): float(score) for name, score in of.items()} for slug, of in own.items()}
    )


def keep(bands: Bands, *, counts: Mapping[str, int], report: Mapping[str, Any]) -> BandCalibration:
    """Makes these the bands of the current encoder, in this process at once and in others within half a minute."""
    row = BandCalibration.objects.create(
        encoder=encoder().card.fingerprint,
        detector=detector().card.fingerprint,
        products=Product.objects.shown().count(),
        thresholds=thresholds_as_json(bands),
        counts=dict(counts),
        report=dict(report),
    )
    forget()
    return row


def forget() -> None:
    """Makes the next search read the calibration anew."""
    _kept.forget()


def advice() -> str | None:
    """Returns why the bands should be calibrated, as a sentence, or None when they need not be."""
    row = BandCalibration.objects.of_encoder(encoder().card.fingerprint).first()
    if row is None:
        if Product.objects.shown().count() < LEAST_PRODUCTS:
            return None
        return "The bands are not calibrated for this catalog and encoder. Run calibrate_bands."
    changed = Product.objects.filter(Q(created_at__gt=row.created_at) | Q(withdrawn_at__gt=row.created_at)).count()
    if changed > CHANGED_MUCH * row.products:
        return (
            f"{changed} products came or went since the bands were calibrated on {row.products}, "
            f"on {row.created_at:%Y-%m-%d}. Run calibrate_bands."
        )
    return None


def thresholds_as_json(bands: Bands) -> dict[str, dict[str, float]]:
    """Returns thresholds by category slug, with `EVERYWHERE` for those of all others."""
    return {
        category: {str(band): score for band, score in thresholds.items()}
        for category, thresholds in {EVERYWHERE: bands.everywhere, **bands.by_category}.items()
    }


def _bands(thresholds: Mapping[str, Mapping[str, float]]) -> Bands:
    read = {category: {Band(name): float(score) for name, score in of.items()} for category, of in thresholds.items()}
    return Bands(read.pop(EVERYWHERE), read)
