"""What the trunk's frozen front makes of each training picture, kept on disk: only the tail then runs while it learns.

Each shard is (pictures, variants, channels, h, w) float16. Variant 0 is the crop as it is served, the others are what
`shaken` made of it. A shard that is complete is not computed again, so a killed training resumes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from tqdm import tqdm

from embeddings.preprocessing import Preprocessing
from embeddings.training.augment import framed, placed
from embeddings.training.crops import Box
from embeddings.training.shaken import shaken

SHARD = 256  # pictures: a minute of work, which is what a kill costs
HANDS = 2  # that draw while the front looks: with its own threads, as much as four cores can use
FRAME = 0.12  # how far each side of the box may be off, in shares of the product's sides
Activations = NDArray[np.float16]


class _Part(nn.Module):
    def __init__(self, trunk: Any, first: int) -> None:
        super().__init__()
        self.trunk, self.first = trunk, first

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.trunk.front(images, self.first)
        return made


class Front:
    """The trunk's first blocks, by OpenVINO."""

    def __init__(self, trunk: Any, preprocessing: Preprocessing, *, first: int) -> None:
        self.preprocessing = preprocessing

        example = torch.zeros(1, 3, *preprocessing.size)
        with torch.inference_mode():
            made = ov.convert_model(
                _Part(trunk, first).eval(), example_input=example, input=[-1, 3, *preprocessing.size]
            )
        compiled: Any = ov.Core().compile_model(
            made, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        )
        self._run: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda batch: compiled(batch)[0]

    def __call__(self, images: Sequence[Image.Image]) -> Activations:
        """Returns (n, channels, h, w) float16."""
        pixels = self.preprocessing.normalize(self.preprocessing.pixels(images))
        return self._run(np.ascontiguousarray(pixels)).astype(np.float16)


def shards(front: Front, work: Path, rows: Sequence[Callable[[], Sequence[Image.Image]]], *, name: str) -> Activations:
    """Returns (n, variants, channels, h, w) float16 of what the rows draw, reading from `work` what is there."""
    work.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(rows), SHARD)
    bar = tqdm(total=len(rows), desc=f"activations {name}", unit="picture")
    with bar, ThreadPoolExecutor(HANDS) as hands:  # pillow and OpenCV let go of the interpreter while they draw
        for start in starts:
            path, part = work / f"{name}_{start:05}.npy", rows[start : start + SHARD]
            if not path.is_file():
                made = []
                for drawn in hands.map(lambda draw: draw(), part):
                    made.append(front(drawn))
                    bar.update()
                partial = path.with_suffix(".part.npy")
                np.save(partial, np.stack(made))
                partial.rename(path)
            else:
                bar.update(len(part))
    return np.concatenate([np.load(work / f"{name}_{start:05}.npy") for start in starts])


def variants(
    path: Path,
    box: Box | None,
    streets: Sequence[Image.Image],
    dice: np.random.Generator,
    *,
    size: tuple[int, int],
    count: int,
) -> Iterable[Image.Image]:
    """Yields the crop as it is served, then `count` bad photos of the product: in the street if it can be cut out.

    The crop is brought to `size` first, so that what a hand or a lens does has the same extent on each picture.
    """
    image = Image.open(path).convert("RGB")
    yield image if box is None else framed(image, box, margins=(0.0,) * 4)
    loose = image if box is None else framed(image, box, margins=dice.uniform(-FRAME, FRAME, 4).tolist())
    yield from _spoiled(loose, streets, dice, size=size, count=count)


def _spoiled(
    loose: Image.Image,
    streets: Sequence[Image.Image],
    dice: np.random.Generator,
    *,
    size: tuple[int, int],
    count: int,
) -> Iterator[Image.Image]:
    for _ in range(count):
        yield shaken(placed(loose, dice, streets).resize(size, Image.Resampling.BILINEAR), dice, streets)
