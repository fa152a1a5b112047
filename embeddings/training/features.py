"""Features of the frozen trunk, computed once per picture and kept as .npy: after that, training takes minutes.

Each table is (n, variants, 2112) float16. Variant 0 is the picture as the catalog side shows it; the others are
augmented. A table that is complete on disk is not computed again, so a killed training resumes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from tqdm import tqdm

from embeddings.preprocessing import Preprocessing

BATCH = 16
Features = NDArray[np.float16]


class Trunk:
    """The frozen trunk: by OpenVINO on a CPU (three times as fast as torch there), by torch on a GPU."""

    def __init__(self, trunk: torch.nn.Module, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self.identity = _identity(trunk, preprocessing)
        self._run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
        trunk = trunk.eval()
        if torch.cuda.is_available():
            on_gpu = trunk.cuda()

            def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
                with torch.inference_mode():
                    made: NDArray[np.float32] = on_gpu(torch.from_numpy(batch).cuda()).float().cpu().numpy()
                return made

            self._run = run
        else:
            example = torch.zeros(1, 3, *preprocessing.size)
            with torch.inference_mode():
                model = ov.convert_model(trunk, example_input=example, input=[-1, 3, *preprocessing.size])
            compiled: Any = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            self._run = lambda batch: compiled(batch)[0]

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Returns (n, features) float32."""
        return self._run(np.ascontiguousarray(self.preprocessing.normalize(self.preprocessing.pixels(images))))

    def table(self, path: Path, make: Callable[[], Iterable[Sequence[Image]]], *, rows: int) -> Features:
        """Returns the table at `path`, made from `rows` lists of equally many variants unless it is there."""
        if path.is_file():
            return np.asarray(np.load(path))
        made: list[NDArray[np.float16]] = []
        for group in _batches(tqdm(make(), total=rows, desc=f"features {path.stem}", unit="picture")):
            variants = len(group[0])
            flat = [image for images in group for image in images]
            features = np.concatenate([self(flat[i : i + BATCH]) for i in range(0, len(flat), BATCH)])
            made.append(features.reshape(len(group), variants, -1).astype(np.float16))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npy")
        table = np.concatenate(made)
        np.save(partial, table)
        partial.rename(path)
        return table


def _identity(trunk: torch.nn.Module, preprocessing: Preprocessing) -> str:
    """Returns what changes when the features may."""
    digest = hashlib.sha256(repr(preprocessing).encode())
    for key, value in trunk.state_dict().items():
        digest.update(key.encode() + value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def _batches(rows: Iterable[Sequence[Image]]) -> Iterator[list[Sequence[Image]]]:
    iterator = iter(rows)
    while group := list(islice(iterator, BATCH)):
        yield group
