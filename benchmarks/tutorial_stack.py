"""The yardstick, the stack that most tutorials build: ultralytics and open_clip in torch, qdrant-client in local mode.

It gets every advantage: it runs in-process without HTTP, a database or a page, and its models are warm. Its detector
has the same weights as ours; its ViT-B-32 has random ones, which take as long as trained ones.

    python -m benchmarks.tutorial_stack --points 50000 --searches 20
"""

import argparse
import io
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.percentiles import Percentiles, table
from benchmarks.photos import phone_photos
from benchmarks.synthetic import BATCH, embeddings

DIM = 512
CATEGORIES = 10
DETECTOR = Path(__file__).resolve().parent.parent / "detection" / "weights" / "source.pt"
STAGES = ("decode", "detect", "embed", "search", "total")


def measure(*, points: int, searches: int, photos: int) -> dict[str, Percentiles]:
    """Returns the time of each stage and of the whole."""
    import open_clip
    import torch
    from PIL import Image
    from qdrant_client import QdrantClient, models
    from ultralytics import YOLO

    detector = YOLO(str(DETECTOR) if DETECTOR.exists() else "yolov8n.yaml")
    encoder, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32", pretrained=None)
    encoder.eval()
    files = phone_photos(photos)
    taken: dict[str, list[float]] = {stage: [] for stage in STAGES}
    with tempfile.TemporaryDirectory(prefix="shop-search-tutorial-") as folder:
        client = QdrantClient(path=folder)
        client.create_collection(
            "products", vectors_config=models.VectorParams(size=DIM, distance=models.Distance.COSINE)
        )
        rows = embeddings(points, DIM, categories=CATEGORIES)
        for start in range(0, points, BATCH):
            client.upsert(
                "products",
                models.Batch(
                    ids=list(range(start, min(start + BATCH, points))),
                    vectors=rows[start : start + BATCH].tolist(),
                    payloads=[{"category": n % CATEGORIES} for n in range(start, min(start + BATCH, points))],
                ),
            )
            print(f"\rtutorial stack: {start} of {points} points stored", end="", file=sys.stderr)
        print(file=sys.stderr)
        warm_up = 2
        for number in range(searches + warm_up):
            marks = [time.perf_counter()]
            image = Image.open(io.BytesIO(files[number % len(files)])).convert("RGB")
            marks.append(time.perf_counter())
            boxes = detector.predict(image, imgsz=640, verbose=False)[0].boxes
            marks.append(time.perf_counter())
            crop = image.crop(tuple(boxes.xyxy[0].tolist())) if len(boxes) else image
            with torch.no_grad():
                embedding = encoder.encode_image(preprocess(crop).unsqueeze(0))[0]
            vector = (embedding / embedding.norm()).tolist()
            marks.append(time.perf_counter())
            client.query_points(
                "products",
                query=vector,
                limit=24,
                query_filter=models.Filter(
                    must=[models.FieldCondition(key="category", match=models.MatchValue(value=number % CATEGORIES))]
                ),
            )
            marks.append(time.perf_counter())
            if number >= warm_up:
                for stage, begin, end in zip(STAGES, marks, marks[1:], strict=False):
                    taken[stage].append((end - begin) * 1000)
                taken["total"].append((marks[-1] - marks[0]) * 1000)
        client.close()
    return {stage: Percentiles.of(values) for stage, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--searches", type=int, default=20)
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    stages = measure(points=asked.points, searches=asked.searches, photos=asked.photos)
    if asked.json:
        json.dump({name: [row.n, row.p50, row.p95] for name, row in stages.items()}, sys.stdout)
    else:
        print(table("tutorial stack", stages))


if __name__ == "__main__":
    main()
