"""What the pixels of catalog pictures tell: brightness, sharpness, text over them, and all that the detector sees.

    images -> those not measured as they are now -> read, detect, measure (a few at a time) -> PictureCheck rows

Pictures are opened here alone, once for each content and crop, and never for a page.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from django.core.files.storage import default_storage

from catalog.doctor.lettering import lettering
from catalog.models import PictureCheck, ProductImage
from catalog.search.reasons import sharpness
from detection import detector
from detection.crops import crop
from detection.images import Photo, decode
from detection.types import Detection
from shop_search.errors import InputError

# Pictures in memory at once, of up to 5 MB each.
BATCH = 8
_HIGHLIGHT = 95  # percentile


def checks_of(images: Sequence[ProductImage]) -> dict[int, PictureCheck]:
    """Returns each indexed image's measures, by image id; those that are not known yet are made and kept.

    A file that can't be read has none. Raises ServiceError when the detector can't be loaded.
    """
    indexed = {image.pk: image for image in images if image.state == ProductImage.State.INDEXED and image.box}
    if not indexed:
        return {}
    current = detector().card.fingerprint
    kept = {
        check.image_id: check
        for check in PictureCheck.objects.filter(image__in=indexed)
        if check.detector == current
        and check.sha256 == indexed[check.image_id].sha256
        and check.box == indexed[check.image_id].box
        and check.lettering is not None  # or it was measured before anybody looked for text
    }
    missing = [image for pk, image in indexed.items() if pk not in kept]
    some = (missing[start : start + BATCH] for start in range(0, len(missing), BATCH))
    made = [check for few in some for check in _measure(few, current)]
    if made:
        _keep(made)
    return {**kept, **{check.image_id: check for check in made}}


def _keep(made: Sequence[PictureCheck]) -> None:
    fields = [field.attname for field in PictureCheck._meta.concrete_fields if not field.primary_key]
    here = set(ProductImage.objects.filter(pk__in=[one.image_id for one in made]).values_list("pk", flat=True))
    PictureCheck.objects.bulk_create(
        [one for one in made if one.image_id in here],
        update_conflicts=True,
        unique_fields=["image"],
        update_fields=fields,
    )


def _measure(images: Sequence[ProductImage], fingerprint: str) -> Iterator[PictureCheck]:
    photos = [(image, photo) for image in images if (photo := _read(str(image.file.name))) is not None]
    if not photos:
        return
    found = detector().detect([photo.image for _, photo in photos])
    for (image, photo), detections in zip(photos, found, strict=True):
        yield measure(image, photo, detections, fingerprint)


def measure(image: ProductImage, photo: Photo, detections: Sequence[Detection], fingerprint: str) -> PictureCheck:
    """Returns the measures of one picture. `detections` are in pixels of `photo.image`."""
    luminance = np.asarray(photo.image.convert("L"))
    x1, y1, x2, y2 = image.box or (0, 0, photo.width, photo.height)
    box = photo.to_image((x1, y1, x2, y2))
    part = crop(photo.image, box).convert("L")
    text = lettering(photo.image, box)
    return PictureCheck(
        image_id=image.pk,
        sha256=image.sha256,
        box=image.box,
        detector=fingerprint,
        brightness=round(float(luminance.mean()), 1),
        highlight=round(float(np.percentile(luminance, _HIGHLIGHT)), 1),
        contrast=round(float(np.asarray(part).std()), 1),
        sharpness=round(sharpness(part), 1),
        seen=[
            [one.category, round(one.confidence, 3), *(round(side, 1) for side in photo.to_original(one.xyxy))]
            for one in detections
        ],
        lettering=round(text.score, 2),
        lettering_box=[round(side, 1) for side in photo.to_original(text.box)],
    )


def _read(name: str) -> Photo | None:
    try:
        with default_storage.open(name, "rb") as stream:
            return decode(stream.read())
    except (OSError, InputError):
        return None  # indexing says so, with a code of its own
