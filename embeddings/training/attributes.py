"""Trains the heads of `embeddings.attributes` on catalog photos, and measures them on products that they never saw.

Steps: embed every photo as the index does, and once more as a phone might have caught it; embed the drawn products;
fit and calibrate each head; write weights and card beside the encoder's. `attribute_scores` measures on held-out
titles, on the catalog's photos and on bad photos of them. Products are split by title, and a held-out picture whose
very pixels were trained on under another id is left out.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from embeddings.attributes import CARD, OTHER
from embeddings.training import drawn
from embeddings.training.attribute_heads import Fitted, fit
from embeddings.training.attribute_labels import (
    ATTRIBUTES,
    LEAST_TITLES,
    Labels,
    drawn_labels,
    index_in,
    is_for_calibration,
    read_labels,
    values_of,
)
from embeddings.training.attribute_scores import rounded
from embeddings.training.augment import cutout, phone_photo
from embeddings.training.crops import find_boxes
from embeddings.training.dataset import Picture, read_products
from embeddings.training.degraded import read_streets, spoiled
from embeddings.training.tables import EVERY_BACKGROUND, opened
from embeddings.types import Encoder
from shop_search.errors import InputError
from shop_search.model_card import ModelCard, WeightFile, sha256_of

BLOCK = 64
LEAST_PRODUCTS = 500  # with fewer, a tenth held out says nothing

Rows = NDArray[np.float32]
Show = Callable[[], Iterable[Image.Image]]


@dataclass(frozen=True, slots=True)
class Set:
    """Embeddings with their labels."""

    rows: Rows
    labels: list[Labels]

    def of(self, name: str, values: Sequence[str]) -> tuple[Rows, NDArray[np.intp]]:
        """Returns the rows whose attribute is known and among the values, and its index."""
        at = np.array([index_in(values, getattr(one, name)) for one in self.labels], np.intp)
        return self.rows[at >= 0], at[at >= 0]


@dataclass(frozen=True, slots=True)
class Sets:
    """What trains, what calibrates, and what is measured on, by what was photographed."""

    train: Set
    calibration: Set
    held_out: Mapping[str, Set]

    def told(self, heads: Mapping[str, Fitted]) -> dict[str, dict[str, tuple[Rows, NDArray[np.intp]]]]:
        """Returns the held-out rows with their values' indices, by attribute and by what was photographed."""
        return {
            name: {where: held_out.of(name, fitted.head.values) for where, held_out in self.held_out.items()}
            for name, fitted in heads.items()
        }


def gather(encoder: Encoder, *, products: Path, backgrounds: Path, streets: Path, work: Path, seed: int = 0) -> Sets:
    """Returns everything embedded. `backgrounds` are for training, `streets` for measuring; `work` keeps both.

    Raises InputError when the data can't be read or is too small.
    """
    pictures, labels = read_products(products), read_labels(products)
    if len(pictures) < LEAST_PRODUCTS:
        raise InputError("catalog_too_small", f"{products} has {len(pictures)} products; {LEAST_PRODUCTS} are needed.")
    behind = [Image.open(path).convert("RGB") for path in sorted(backgrounds.glob("*.jpg"))[::EVERY_BACKGROUND]]
    photos = read_streets(streets)
    boxes = find_boxes(pictures, work / "boxes_products.json")
    made = _Kept(encoder, work, repr((pictures, boxes, str(backgrounds), str(streets), seed)))
    catalog = made("catalog", lambda: (opened(picture, boxes)[1] for picture in pictures))
    phone = made(
        "phone",
        lambda: (
            phone_photo(opened(picture, boxes)[0], np.random.default_rng((seed, 3, index)), behind)
            for index, picture in enumerate(pictures)
            if not picture.held_out
        ),
    )
    spoilable = [i for i, one in enumerate(pictures) if one.held_out and cutout(opened(one, boxes)[0]) is not None]
    asked = made("bad", lambda: (one.image for one in spoiled(pictures, boxes, photos)))
    sketches = drawn.products()
    drawings = made("drawn", lambda: (view for one in sketches for view in drawn.catalog_pictures(one)))
    seen = [i for i, picture in enumerate(pictures) if not picture.held_out]
    tuning = np.array([is_for_calibration(pictures[i].title) for i in seen])
    views = len(drawings) // len(sketches)
    told = [(drawn_labels(one), is_for_calibration(one.title)) for one in sketches for _ in range(views)]
    fresh = _unseen_pixels(pictures)
    known = [*(labels[i] for i in seen), *(labels[i] for i in seen), *(label for label, _ in told)]
    for_tuning = np.array([*tuning, *tuning, *(of for _, of in told)])
    rows = np.concatenate([catalog[seen], phone, drawings])
    tested = [i for i, picture in enumerate(pictures) if picture.held_out and fresh[i]]
    spots = [place for place, i in enumerate(spoilable) if fresh[i]]
    return Sets(
        train=Set(rows[~for_tuning], [one for one, of in zip(known, for_tuning, strict=True) if not of]),
        calibration=Set(rows[for_tuning], [one for one, of in zip(known, for_tuning, strict=True) if of]),
        held_out={
            "catalog_photo": Set(catalog[tested], [labels[i] for i in tested]),
            "bad_phone_photo": Set(asked[spots], [labels[spoilable[place]] for place in spots]),
        },
    )


class _Kept:
    """Embeds pictures once: rows are kept in `work` for the next run with the same encoder and the same `facts`."""

    def __init__(self, encoder: Encoder, work: Path, facts: str) -> None:
        self._encoder, self._work = encoder, work
        self._key = hashlib.sha256(f"{encoder.card.fingerprint} {facts}".encode()).hexdigest()[:12]

    def __call__(self, name: str, show: Show) -> Rows:
        path = self._work / f"attributes_{name}_{self._key}.npy"
        if path.is_file():
            return np.asarray(np.load(path), np.float32)
        rows = [self._encoder.encode_images(block) for block in _blocks(tqdm(show(), desc=name, unit="picture"))]
        made = np.concatenate(rows) if rows else np.zeros((0, self._encoder.card.dim), np.float32)
        self._work.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npy")
        np.save(partial, made)
        partial.rename(path)
        return made


def _unseen_pixels(pictures: Sequence[Picture]) -> list[bool]:
    """Returns for each picture whether its very pixels are absent from what may be trained on."""
    digests = [hashlib.sha256(picture.path.read_bytes()).hexdigest() for picture in pictures]
    trained = {digest for digest, picture in zip(digests, pictures, strict=True) if not picture.held_out}
    return [digest not in trained for digest in digests]


@dataclass(frozen=True, slots=True)
class Trained:
    """All heads, and the article types whose pattern can be told."""

    heads: Mapping[str, Fitted]
    patterned: tuple[str, ...]


def train(sets: Sets) -> Trained:
    """Returns the fitted heads. Raises InputError when an attribute has fewer than two values to tell apart."""
    fitted = {}
    for name in tqdm(ATTRIBUTES, desc="heads", unit="head"):
        values = values_of(sets.train.labels, name)
        if len(values) < 2:
            raise InputError(
                "catalog_too_small", f"Of {name}, fewer than two values have {LEAST_TITLES} pictures: {values}."
            )
        fitted[name] = fit(values, sets.train.of(name, values), sets.calibration.of(name, values))
    named = Counter(one.article_type for one in sets.train.labels if one.pattern is not None and one.article_type)
    known = fitted["article_type"].head.values
    patterned = sorted(kind for kind, n in named.items() if n >= LEAST_TITLES and kind in known and kind != OTHER)
    return Trained(fitted, tuple(patterned))


def ship(
    trained: Trained, folder: Path, *, encoder: ModelCard, metrics: Mapping[str, Any], data: Sequence[str], seed: int
) -> ModelCard:
    """Returns the card written, with the weights, into `attributes/` of the encoder's folder."""
    into = (folder / CARD).parent
    into.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {}
    for name, fitted in trained.heads.items():
        arrays[f"{name}.weight"] = fitted.head.weight.astype(np.float16)
        arrays[f"{name}.bias"] = fitted.head.bias.astype(np.float32)
    np.savez(into / "heads.npz", **arrays)
    card = ModelCard(
        name="shop-search-attributes",
        kind="attributes",
        version="1",
        license=encoder.license,
        files={"heads": WeightFile("heads.npz", sha256_of(into / "heads.npz"))},
        preprocessing={
            "encoder": encoder.fingerprint,
            "values": {name: list(fitted.head.values) for name, fitted in trained.heads.items()},
            "patterned": list(trained.patterned),
        },
        dim=encoder.dim,
        data=tuple(data),
        training={
            "seed": seed,
            "heads": {
                name: {
                    "ridge": fitted.ridge,
                    "temperature": rounded(fitted.temperature),
                    "calibration_error": [rounded(fitted.error_before), rounded(fitted.error_after)],
                }
                for name, fitted in trained.heads.items()
            },
        },
        metrics=metrics,
        folder=into,
    )
    card.save(into / CARD.name)
    return card


def _blocks(images: Iterable[Image.Image]) -> Iterator[list[Image.Image]]:
    block: list[Image.Image] = []
    for image in images:
        block.append(image)
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block
