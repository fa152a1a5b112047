"""How long one photo takes a detector or an encoder.

python -m benchmarks.model_latency [CARD[@PRECISION] ...] [--n N] [--json]

For each card, N photos one at a time, all models in turns so that a busy moment hits each alike. Two times each: of the
network alone, and of all that a search waits for: letterbox, network and suppression, or resizing, network and unit
length. Photos are drawn scenes. Run it on a machine that does nothing else.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from PIL.Image import Image

from benchmarks.bench_home import ROOT
from benchmarks.percentiles import Percentiles, table
from detection.backends.openvino import OpenVINODetector
from detection.letterbox import letterbox
from embeddings.backends.openvino import OpenVINOEncoder
from fixtures import draw_scene
from shop_search.model_card import ModelCard

BUNDLED = [str(ROOT / app / "weights" / "card.json") for app in ("detection", "embeddings")]
PHOTOS = 8
WARM_UP = 10


@dataclass(frozen=True, slots=True)
class Timed:
    """A model as it is served, and its network alone."""

    label: str
    prepare: Callable[[Image], Any]
    network: Callable[[Any], Any]  # of what `prepare` returns
    everything: Callable[[Sequence[Image]], Any]


def opened(name: str, threads: int) -> Timed:
    """Returns the model of `CARD` or `CARD@PRECISION`."""
    path, _, precision = name.partition("@")
    card = ModelCard.load(Path(path))
    if card.kind == "detector":
        detector = OpenVINODetector(card=Path(path), precision=precision or "f32", threads=threads)
        side = card.preprocessing["side"]
        return Timed(
            card.label, lambda photo: letterbox(photo, side).pixels[np.newaxis], detector._infer, detector.detect
        )
    encoder = OpenVINOEncoder(Path(path), precision=precision or "f32", threads=threads)
    return Timed(card.label, lambda photo: encoder.preprocessing.pixels([photo]), encoder._image, encoder.encode_images)


def measure(models: Mapping[str, Timed], photos: list[Image], n: int) -> dict[str, dict[str, Percentiles]]:
    """Returns the times of the network and of everything, by model."""
    network: dict[str, list[float]] = {name: [] for name in models}
    everything: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(WARM_UP + n):
        photo = photos[turn % len(photos)]
        for name, model in models.items():
            prepared = model.prepare(photo)
            started = perf_counter()
            model.network(prepared)
            between = perf_counter()
            model.everything([photo])
            ended = perf_counter()
            if turn >= WARM_UP:
                network[name].append((between - started) * 1000)
                everything[name].append((ended - between) * 1000)
    return {
        name: {"network": Percentiles.of(network[name]), "everything": Percentiles.of(everything[name])}
        for name in models
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cards", nargs="*", default=BUNDLED, metavar="CARD[@PRECISION]")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    models = {name: opened(name, options.threads) for name in options.cards}
    photos = [draw_scene(seed).image for seed in range(PHOTOS)]
    measured = measure(models, photos, options.n)
    if options.json:
        document = {name: {part: asdict(of) for part, of in times.items()} for name, times in measured.items()}
        print(json.dumps({"threads": options.threads, "models": document}, indent=2))
        return
    for name, times in measured.items():
        print(table(f"{name}: {models[name].label}, n={options.n}", times))


if __name__ == "__main__":
    main()
