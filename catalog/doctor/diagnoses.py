"""From what is known of a product to what is wrong with it. Pure functions; thresholds and what they rest on.

Each code's weight says how much it costs a merchant, and the weights add up to what to fix first: what keeps a product
from being found at all, then what makes it hard to find, then what makes it look worse beside others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import hypot, sqrt
from typing import Any

from catalog.doctor.findability import NEIGHBORS, Standing
from catalog.models import PictureCheck, Product, ProductImage
from catalog.search.reasons import BLURRED, EVEN
from catalog.taxonomy import Taxonomy
from detection.crops import iou
from detection.types import Box

# A crop's smaller side in pixels. The encoder sees 224 px; of a crop under half of that it sees enlarged pixels.
SMALL = 112
# Mean and highest luminance (of 255) under which a picture is dark: nothing in it is well lit. A black shoe on white is
# not dark, and a lit product on black is not either.
DARK_MEAN = 60.0
DARK_HIGHLIGHT = 120.0
# Another category than declared: the detector is SURE of one thing and five of ten neighbors agree, or it is CERTAIN,
# sees nothing else that it believes in, and the neighbors don't say what was declared. Chosen on 150 packshots of wrong
# category (84 are told, each with the right one) and 2,500 as they are (5 are flagged, two of them rightly).
SURE = 0.6
CERTAIN = 0.85
BELIEVED = 0.5
AGREEING = 5
DECLARING = 3
# Classes whose borders shops draw differently: a vest is a jacket here and a top there.
KIN = {frozenset({"tops", "jackets"}), frozenset({"pants", "shorts"})}
# Confidence of each part of a collage.
PART = 0.5
# Parts of a collage are at least this far apart, in sides of the smaller part, and of no more than this ratio in area.
GAP = 0.12
UNLIKE = 4.0
# Shoes come in pairs: they need one more part than everything else.
PAIRS = {"shoes"}
# The page of results that shoppers see at once ends far below this rank, on a phone already here.
FINDABLE_RANK = 10


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"  # shoppers don't find the product
    WARNING = "warning"  # they find it less often
    NOTE = "note"  # it looks worse beside others, or filters miss it


@dataclass(frozen=True, slots=True)
class Diagnosis:
    severity: Severity
    weight: int


DIAGNOSES: Mapping[str, Diagnosis] = {
    "no_picture": Diagnosis(Severity.CRITICAL, 100),
    "picture_failed": Diagnosis(Severity.CRITICAL, 90),
    "wrong_category": Diagnosis(Severity.CRITICAL, 60),
    "not_findable": Diagnosis(Severity.CRITICAL, 50),
    "no_price": Diagnosis(Severity.WARNING, 30),
    "too_small": Diagnosis(Severity.WARNING, 25),
    "blurred": Diagnosis(Severity.WARNING, 25),
    "collage": Diagnosis(Severity.WARNING, 20),
    "dark": Diagnosis(Severity.WARNING, 20),
    "lettering": Diagnosis(Severity.WARNING, 20),
    "nothing_found": Diagnosis(Severity.WARNING, 15),
    "same_picture": Diagnosis(Severity.WARNING, 15),
    "same_picture_elsewhere": Diagnosis(Severity.NOTE, 8),
    "no_brand": Diagnosis(Severity.NOTE, 3),
    "no_color": Diagnosis(Severity.NOTE, 2),
}


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that is wrong with a product. `detail` has the values that its sentence names."""

    code: str
    image: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        return DIAGNOSES[self.code].weight


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing in a picture, under the shop's own name for its category."""

    category: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one product."""

    product: Product
    images: Sequence[ProductImage]
    checks: Mapping[int, PictureCheck]
    standing: Standing | None = None
    taxonomy: Taxonomy = field(default_factory=Taxonomy)
    is_awaited: bool = False  # a picture of it has yet to be fetched
    same_own: Sequence[tuple[int, str]] = ()  # own image id, SKU of another of the merchant's products
    same_elsewhere: Sequence[tuple[int, str]] = ()  # own image id, name of another merchant


def examine(evidence: Evidence) -> list[Symptom]:
    """Returns what is wrong with the product, the gravest first, each code once, of the picture where it is worst."""
    found = [*_of_product(evidence), *_of_main_picture(evidence), *_of_pictures(evidence), *_of_index(evidence)]
    first = {symptom.code: symptom for symptom in reversed(found)}
    return sorted(first.values(), key=lambda one: (-one.weight, one.code))


def urgency(symptoms: Iterable[Symptom], *, in_stock: bool) -> int:
    """Returns what the product's findings weigh together; half of it for what can't be bought now."""
    total = sum(symptom.weight for symptom in symptoms)
    return total if in_stock else -(-total // 2)


def _of_product(evidence: Evidence) -> Iterable[Symptom]:
    product = evidence.product
    if not evidence.images and not evidence.is_awaited:
        yield Symptom("no_picture")
    if product.price is None:
        yield Symptom("no_price")
    if not product.brand.strip():
        yield Symptom("no_brand")
    if not product.colors:
        yield Symptom("no_color")


def _of_main_picture(evidence: Evidence) -> Iterable[Symptom]:
    """What is asked of the first picture alone: the others may well show the sole, the lining or a model's back."""
    main = next((image for image in evidence.images if image.pk in evidence.checks), None)
    if main is None:
        return
    declared, names = evidence.product.category.slug, evidence.taxonomy
    seen = [
        Seen(names.category_of_class(name), confidence, (x1, y1, x2, y2))
        for name, confidence, x1, y1, x2, y2 in evidence.checks[main.pk].seen
    ]
    other = seen_instead(seen, declared)
    if other is not None and _is_another(other, seen, evidence.standing, declared, names):
        detail = {"declared": declared, "seen": other.category, "confidence": other.confidence}
        yield Symptom("wrong_category", main.pk, detail)
    elif names.classes_of(declared) and not main.detected_category:
        yield Symptom("nothing_found", main.pk, {"declared": declared, "seen": other.category if other else ""})
    least = 3 if set(names.classes_of(declared)) & PAIRS else 2
    parts = parts_apart([one.box for one in seen if one.category == declared and one.confidence >= PART])
    if parts >= least:
        yield Symptom("collage", main.pk, {"parts": parts})


def seen_instead(seen: Sequence[Seen], declared: str) -> Seen | None:
    """Returns what is plainly in the picture when nothing of the declared category is."""
    if not seen or any(one.category == declared for one in seen):
        return None
    surest = max(seen, key=lambda one: one.confidence)
    return surest if surest.confidence >= SURE else None


def _is_another(other: Seen, seen: Sequence[Seen], standing: Standing | None, declared: str, names: Taxonomy) -> bool:
    """Returns whether what is seen is for sale, and not just in the picture beside what the merchant declared."""
    declared_classes = names.classes_of(declared)
    pairs = {frozenset({one, two}) for one in names.classes_of(other.category) for two in declared_classes}
    if standing is None or pairs & KIN:
        return False
    counts = dict(standing.neighbors)
    of_ten = NEIGHBORS / max(sum(counts.values()), 1)
    agreeing, declaring = of_ten * counts.get(other.category, 0), of_ten * counts.get(declared, 0)
    if agreeing >= AGREEING and declaring < agreeing:
        return True
    beside = max((one.confidence for one in seen if one.category != other.category), default=0.0)
    is_plain = other.confidence >= CERTAIN and beside < BELIEVED
    return bool(declared_classes) and is_plain and declaring <= DECLARING


def parts_apart(boxes: Sequence[Box]) -> int:
    """Returns how many things of one category lie apart in the picture; the surest come first."""
    apart: list[Box] = []
    for box in boxes:
        if all(_are_apart(box, other) for other in apart):
            apart.append(box)
    return len(apart)


def _are_apart(a: Box, b: Box) -> bool:
    sizes = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    if min(sizes) <= 0 or max(sizes) / min(sizes) > UNLIKE or iou(a, b) > 0:
        return False
    gap = hypot(max(0.0, a[0] - b[2], b[0] - a[2]), max(0.0, a[1] - b[3], b[1] - a[3]))
    return gap >= GAP * sqrt(min(sizes))


def _of_pictures(evidence: Evidence) -> Iterable[Symptom]:
    for image in evidence.images:
        if image.state == ProductImage.State.FAILED:
            yield Symptom("picture_failed", image.pk, {"code": image.error_code, "message": image.error})
    small = [(_smaller_side(image), image.pk) for image in evidence.images if image.pk in evidence.checks]
    if small and min(small)[0] < SMALL:
        side, pk = min(small)
        yield Symptom("too_small", pk, {"pixels": round(side), "least": SMALL})
    for image in evidence.images:
        check = evidence.checks.get(image.pk)
        if check is None:
            continue
        if check.brightness < DARK_MEAN and check.highlight < DARK_HIGHLIGHT:
            yield Symptom("dark", image.pk, {"brightness": round(check.brightness)})
        if check.sharpness < BLURRED and check.contrast >= EVEN:
            yield Symptom("blurred", image.pk, {"sharpness": round(check.sharpness, 1), "least": BLURRED})
        if check.lettering is not None and check.lettering > 0:
            yield Symptom("lettering", image.pk, {"where": where_in(image, check.lettering_box)})


def where_in(image: ProductImage, box: Sequence[float] | None) -> str:
    """Returns which of nine parts of the picture the middle of the box is in, as `upper left` or `middle`."""
    if not box or not image.width or not image.height:
        return "middle"
    x, y = (box[0] + box[2]) / 2 / image.width, (box[1] + box[3]) / 2 / image.height
    row = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    column = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    return f"{row} {column}".strip() or "middle"


def _smaller_side(image: ProductImage) -> float:
    x1, y1, x2, y2 = image.box or (0, 0, image.width, image.height)
    return float(min(x2 - x1, y2 - y1))


def _of_index(evidence: Evidence) -> Iterable[Symptom]:
    standing = evidence.standing
    if standing and standing.second and (standing.rank is None or standing.rank > FINDABLE_RANK):
        yield Symptom("not_findable", standing.second, {"rank": standing.rank, "findable": FINDABLE_RANK})
    if evidence.same_own:
        detail = {"skus": list(dict.fromkeys(sku for _, sku in evidence.same_own))[:5]}
        yield Symptom("same_picture", evidence.same_own[0][0], detail)
    if evidence.same_elsewhere:
        detail = {"merchants": list(dict.fromkeys(name for _, name in evidence.same_elsewhere))[:5]}
        yield Symptom("same_picture_elsewhere", evidence.same_elsewhere[0][0], detail)
