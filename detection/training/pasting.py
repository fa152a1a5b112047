"""Copy-paste: products cut from their packshots are put onto people who wear none of their category.

Where a category is worn, and how large, is learned from the photos that show it: a place is drawn from those photos,
told from neckline and feet, and taken over to another person's. So bags hang at hips, and glasses sit on faces,
without anybody saying where these are.

Source: Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation", 2021.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from detection.training.dataset import Dataset, Label, Sample
from detection.training.packshots import cut_out
from detection.types import Box

UPPER = ("jackets", "tops", "dresses")
MIN_BODY = 0.3  # of the photo's height, from neck to feet
MIN_SIDE = 10  # pixels: smaller things teach nothing
MAX_HIDDEN = 0.5  # of another label: what is covered more is no longer there to be found
QUALITY = 92


@dataclass(frozen=True, slots=True)
class Body:
    """A person on a photo, from the labels: garments' edges move with fashion, neckline and feet hardly do."""

    x: float  # the middle of the garment on the upper body, as a share of the width
    neck: float  # its upper edge, as a share of the height
    feet: float  # the shoes' lower edge, as a share of the height


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing is worn, in heights from neckline to feet; of pictures as wide as high."""

    x: float  # of its middle, right of the body's
    y: float  # of its middle, below the neckline
    width: float


def places(samples: Iterable[Sample], category: str) -> list[Place]:
    """Returns where things of the category are, for each one on a photo of one person from neck to feet."""
    found = []
    for sample in samples:
        body = _body(sample.labels)
        worn = [label.box for label in sample.labels if label.category == category]
        if body is None or len(worn) != 1:
            continue  # of several, nobody knows whose they are
        with Image.open(sample.image) as image:
            ratio = image.width / image.height
        (x1, y1, x2, y2), span = worn[0], body.feet - body.neck
        found.append(
            Place(
                x=((x1 + x2) / 2 - body.x) * ratio / span,
                y=((y1 + y2) / 2 - body.neck) / span,
                width=(x2 - x1) * ratio / span,
            )
        )
    return found


def cutouts(dataset: Dataset, category: str) -> list[Image.Image]:
    """Returns the training packshots that show one thing of the category and no other, cut out."""
    alone = [s for s in dataset.samples("train") if [label.category for label in s.labels] == [category]]
    found = []
    for sample in alone:
        with Image.open(sample.image) as image:
            cut = cut_out(image)
        if cut is not None:
            found.append(cut)
    return found


def paste(
    people: Sequence[Sample],
    goods: Mapping[str, Sequence[Image.Image]],
    into: Path,
    *,
    per_category: int,
    seed: int = 0,
) -> list[Sample]:
    """Writes pictures with products pasted into `into`, and returns them with their labels.

    One thing a picture; at most `per_category` pictures of each category of `goods`; the same for the same seed.
    """
    into.mkdir(parents=True, exist_ok=True)
    made: list[Sample] = []
    for category, cuts in sorted(goods.items()):
        known = places(people, category)
        without = [s for s in people if _body(s.labels) and all(label.category != category for label in s.labels)]
        if not known or not cuts:
            continue
        dice = np.random.default_rng([seed, *category.encode()])
        order = iter(dice.permutation(len(without)))
        missing = per_category
        while missing and (at := next(order, None)) is not None:
            person = without[int(at)]
            cut, place = cuts[int(dice.integers(len(cuts)))], known[int(dice.integers(len(known)))]
            path = into / f"{category}-{person.image.stem}.jpg"
            labels = _put(person, category, cut, place, path, dice)
            if labels:
                made.append(Sample(image=path, labels=labels))
                missing -= 1
    return made


def _put(
    person: Sample, category: str, cut: Image.Image, place: Place, path: Path, dice: np.random.Generator
) -> tuple[Label, ...]:
    """Writes one picture, and returns its labels; none, and no picture, where the thing would not be wholly on it."""
    body = _body(person.labels)
    assert body is not None
    with Image.open(person.image) as opened:
        photo = opened.convert("RGB")
    span = (body.feet - body.neck) * photo.height
    width = round(place.width * span * dice.uniform(0.85, 1.2))
    height = round(width * cut.height / cut.width)
    left = round(body.x * photo.width + place.x * span - width / 2)
    top = round(body.neck * photo.height + place.y * span - height / 2)
    box = (left / photo.width, top / photo.height, (left + width) / photo.width, (top + height) / photo.height)
    if min(width, height) < MIN_SIDE or min(box) < 0 or max(box) > 1:
        return ()
    thing = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if dice.random() < 0.5 else cut
    thing = thing.resize((width, height), Image.Resampling.LANCZOS)
    alpha = thing.getchannel("A").filter(ImageFilter.GaussianBlur(0.6))  # no edge of a photo is this sharp
    lit = ImageEnhance.Brightness(thing.convert("RGB")).enhance(
        dice.uniform(0.6, 1.1)
    )  # streets are darker than studios
    photo.paste(lit, (left, top), alpha)
    photo.save(path, quality=QUALITY)
    kept = [label for label in person.labels if _hidden(label.box, box) <= MAX_HIDDEN]
    return (*kept, Label(category, box))


def _body(labels: Sequence[Label]) -> Body | None:
    """Returns where a photo's person is; None when several may be on it, or neck and feet aren't."""
    upper = [label.box for label in labels if label.category in UPPER]
    shoes = [label.box for label in labels if label.category == "shoes"]
    if not upper or len(shoes) != 1:
        return None
    x1, _, x2, _ = max(upper, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    neck, feet = min(box[1] for box in upper), shoes[0][3]
    return Body((x1 + x2) / 2, neck, feet) if feet - neck > MIN_BODY else None


def _hidden(box: Box, by: Box) -> float:
    """Returns the share of a box that another covers."""
    width = min(box[2], by[2]) - max(box[0], by[0])
    height = min(box[3], by[3]) - max(box[1], by[1])
    return max(width, 0.0) * max(height, 0.0) / ((box[2] - box[0]) * (box[3] - box[1]))
