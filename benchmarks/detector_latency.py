"""How long one photo takes a detector: python -m benchmarks.detector_latency CARD[@PRECISION] ... [--n N] [--json]

For each card, N photos one at a time, all models in turns so that a busy moment hits each alike. Two times each: of the
network alone, and of all that a search waits for: letterbox, network, suppression. Photos are drawn scenes. Run it on a
machine that does nothing else.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL.Image import Image

from benchmarks.bench_home import ROOT
from benchmarks.percentiles import Percentiles, table
from detection.backends.openvino import OpenVINODetector
from detection.letterbox import letterbox
from fixtures import draw_scene

BUNDLED = ROOT / "detection" / "weights" / "card.json"
PHOTOS = 8
WARM_UP = 10


def opened(name: str, threads: int) -> OpenVINODetector:
    """Returns the detector of `CARD` or `CARD@PRECISION`."""
    path, _, precision = name.partition("@")
    return OpenVINODetector(card=Path(path), precision=precision or "f32", threads=threads)


def measure(models: dict[str, OpenVINODetector], photos: list[Image], n: int) -> dict[str, dict[str, Percentiles]]:
    """Returns the times of the network and of everything, by model."""
    network: dict[str, list[float]] = {name: [] for name in models}
    everything: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(WARM_UP + n):
        photo = photos[turn % len(photos)]
        for name, model in models.items():
            pixels = letterbox(photo, model.card.preprocessing["side"]).pixels[np.newaxis]
            started = perf_counter()
            model._infer(pixels)
            between = perf_counter()
            model.detect([photo])
            ended = perf_counter()
            if turn >= WARM_UP:
                network[name].append((between - started) * 1000)
                everything[name].append((ended - between) * 1000)
    return {
        name: {"network": Percentiles.of(network[name]), "detect": Percentiles.of(everything[name])} for name in models
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cards", nargs="*", default=[str(BUNDLED)], metavar="CARD[@PRECISION]")
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
        print(table(f"{name}: {models[name].card.label}, n={options.n}", times))


if __name__ == "__main__":
    main()
