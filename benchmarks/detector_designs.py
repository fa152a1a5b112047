"""Detectors of several designs, trained alike with little.

python -m benchmarks.detector_designs DATA.yaml OIV7.pt --into DIR

Each design sees the same photos as often, with the same settings, at the same size. Open Images weights exist here for
YOLOv8n only: the others take from them what fits by name and shape and start the rest at random, so the table tells
which start makes a good detector with this budget, not which design is best after a long training. Accuracy is that of
ultralytics' own validation; the time is of the network alone in OpenVINO, one photo at a time, all in turns.

Finished designs are kept in DIR: a killed run goes on.
"""

import argparse
import json
import shutil
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import openvino as ov

from benchmarks.percentiles import Percentiles
from detection.training.dataset import combine, read

DESIGNS = {  # name: (design, whether it takes what fits of the weights)
    "YOLOv8n, Open Images": ("yolov8n", True),
    "YOLO11n, what fits": ("yolo11n", True),
    "YOLO26n, what fits": ("yolo26n", True),
    "YOLOv8n, from scratch": ("yolov8n", False),
}
WARM_UP = 10


def train(design: str, weights: Path | None, data: Path, into: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Returns how good the design is after its training, and how much of the weights it could take."""
    from detection.backends.yolo import YOLO
    from detection.training.precision import in_bf16
    from shop_search.bf16 import has_bf16

    yolo = YOLO(f"{design}.yaml", task="detect")
    if has_bf16():
        in_bf16(yolo)
    taken = 0.0
    if weights is not None:
        start = YOLO(weights, task="detect").model.state_dict()
        own = yolo.model.state_dict()
        fits = {name: value for name, value in start.items() if name in own and own[name].shape == value.shape}
        taken = sum(value.numel() for value in fits.values()) / sum(value.numel() for value in own.values())
        yolo.load(weights)
    began = perf_counter()
    yolo.train(
        data=str(data), epochs=options.epochs, imgsz=options.imgsz, batch=16, lr0=0.001, lrf=0.1, cos_lr=True,
        optimizer="AdamW", warmup_epochs=0.5, close_mosaic=1, flipud=0.0, seed=0, deterministic=True, device="cpu",
        workers=0, val=False, plots=False, project=str(into.resolve().parent), name=into.name, exist_ok=True,
    )  # fmt: skip
    minutes = (perf_counter() - began) / 60
    trained = YOLO(into / "weights" / "last.pt", task="detect")
    parameters = sum(weight.numel() for weight in trained.model.parameters())
    scores = trained.val(data=str(data), imgsz=options.imgsz, device="cpu", workers=0, plots=False, verbose=False).box
    folder = Path(trained.export(format="openvino", imgsz=options.imgsz))
    shutil.move(folder, into / "openvino")
    return {
        "map50": float(scores.map50),
        "map50_95": float(scores.map),
        "weights_taken": taken,
        "parameters": parameters,
        "minutes": minutes,
    }


def latency(folders: dict[str, Path], side: int, *, threads: int, n: int) -> dict[str, Percentiles]:
    """Returns the milliseconds of each network alone, by name."""
    core, dice = ov.Core(), np.random.default_rng(0)
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    models: dict[str, Any] = {
        name: core.compile_model(next(folder.glob("*.xml")), "CPU", options) for name, folder in folders.items()
    }
    times: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(WARM_UP + n):
        photo = dice.random((1, 3, side, side), np.float32)
        for name, model in models.items():
            began = perf_counter()
            model(photo)
            if turn >= WARM_UP:
                times[name].append((perf_counter() - began) * 1000)
    return {name: Percentiles.of(of) for name, of in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="data.yaml")
    parser.add_argument("weights", type=Path, help="YOLOv8n's Open Images weights")
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=384, help="of the train split, evenly spread by name")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--imgsz", type=int, default=320)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--n", type=int, default=60)
    options = parser.parse_args()
    mix, _ = combine([read(options.data)], options.into / "mix")
    photos = sorted((options.into / "mix" / "images" / "train").iterdir())
    few = [photos[int(place)] for place in np.linspace(0, len(photos) - 1, options.photos)]
    (options.into / "few.txt").write_text("\n".join(str(path.absolute()) for path in few) + "\n")
    data = options.into / "few.yaml"
    data.write_text(mix.read_text().replace("train: images/train", f"train: {(options.into / 'few.txt').absolute()}"))
    results: dict[str, dict[str, Any]] = {}
    folders = {}
    for name, (design, takes) in DESIGNS.items():
        into = options.into / name.replace(" ", "-").replace(",", "")
        kept = into / "result.json"
        if not kept.is_file():
            kept_result = train(design, options.weights if takes else None, data, into, options)
            kept.write_text(json.dumps(kept_result, indent=2))
        results[name], folders[name] = json.loads(kept.read_text()), into / "openvino"
    for name, times in latency(folders, options.imgsz, threads=options.threads, n=options.n).items():
        results[name]["ms"] = times.p50
    print(
        json.dumps({"photos": len(few), "epochs": options.epochs, "imgsz": options.imgsz, "designs": results}, indent=2)
    )


if __name__ == "__main__":
    main()
